import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointsByIds, checkpointsOf, forgetFiles, insertCheckpoint } from '../../src/store/checkpoints.ts';
import type { Store } from '../../src/store/db.ts';
import { countRowsOf } from '../../src/store/page.ts';
import {
  appendEvent,
  eventOf,
  metricsOfRuns,
  readEvents,
  sampleById,
  samplesOfRuns,
  writeEvent,
} from '../../src/store/run-log.ts';
import { claimNextRun, moveRun, runById } from '../../src/store/runs.ts';
import { openTestStore } from '../helpers/database.ts';
import { newDataset, newRun, pageFor } from './rows.ts';

let store: Store;
let datasetId: string;
beforeAll(async () => {
  store = await openTestStore();
  datasetId = (await newDataset(store.db)).id;
});
afterAll(() => store[Symbol.asyncDispose]());

/** A run that is claimed: its log has the events 1 and 2. */
async function runningRun(): Promise<{ runId: string; fence: number }> {
  const { id: runId } = await newRun(store.db, datasetId);
  const run = await claimNextRun(store.db, { owner: 'me', leaseMs: 60_000 });
  if (run?.id !== runId) throw new Error('Another run was waiting');
  return { runId, fence: run.fence };
}
const metrics = (step: number, gLoss: number) => ({
  type: 'metrics' as const,
  step,
  dLoss: 1,
  gLoss,
  l2Loss: null,
  realAccuracy: null,
  fakeAccuracy: null,
  imagesPerSecond: 1,
  etaSeconds: null,
});
const sample = (id: string, step: number) => ({
  type: 'sample' as const,
  id,
  step,
  columns: 4,
  rows: 2,
  labels: ['Ukiyo-e', 'Dada'],
  sha256: 'a'.repeat(64),
  width: 128,
  height: 64,
});

describe('the log of a run', () => {
  it('changes the row of the run with the event, and keeps times in the order of seq', async () => {
    const { runId, fence } = await runningRun();
    await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        appendEvent(store.db, { runId, fence, body: metrics(i, i), patch: { step: i, imagesPerSecond: 12.5 } }),
      ),
    );
    const row = await runById(store.db, runId);
    expect(row).toMatchObject({ imagesPerSecond: 12.5, lastSeq: 32 });
    const events = await readEvents(store.db, { runId, after: 0, limit: 100 });
    const last = events.at(-1)?.body;
    expect(row?.step).toBe(last?.type === 'metrics' ? last.step : undefined);
    const times = events.map(({ at }) => at.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('is closed to a run that is no longer running', async () => {
    const { runId, fence } = await runningRun();
    await moveRun(store.db, { runId, fence, action: 'pause' });
    expect(await appendEvent(store.db, { runId, fence, body: metrics(1, 1) })).toBeUndefined();
    expect((await readEvents(store.db, { runId, after: 0, limit: 10 })).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('refuses a number that is there already, and writes nothing of a transaction that fails', async () => {
    const { runId, fence } = await runningRun();
    const body = metrics(1, 1);
    await expect(writeEvent(store.db, { runId, seq: 2, body })).rejects.toThrow();
    const broken = store.db.transaction(async (tx) => {
      await appendEvent(tx, { runId, fence, body });
      throw new Error('disk full');
    });
    await expect(broken).rejects.toThrow('disk full');
    expect(await appendEvent(store.db, { runId, fence, body })).toBe(3);
  });

  it('is read in slices and by type', async () => {
    const { runId, fence } = await runningRun();
    for (let step = 1; step <= 4; step++) await appendEvent(store.db, { runId, fence, body: metrics(step, 1) });
    await appendEvent(store.db, { runId, fence, body: sample(randomUUID(), 4) });
    const seqs = async (read: { after: number; limit: number; types?: ('metrics' | 'sample' | 'state')[] }) =>
      (await readEvents(store.db, { runId, ...read })).map(({ seq }) => seq);
    expect(await seqs({ after: 2, limit: 2 })).toEqual([3, 4]);
    expect(await seqs({ after: 0, limit: 10, types: ['state', 'sample'] })).toEqual([1, 2, 7]);
    expect(await seqs({ after: 7, limit: 10 })).toEqual([]);
  });
});

describe('the metrics of a run', () => {
  it('are thinned out in the database: both ends and the extremes stay', async () => {
    const { runId, fence } = await runningRun();
    await store.db.transaction(async (tx) => {
      for (let step = 1; step <= 300; step++) {
        const gLoss = step === 77 ? 99 : step === 201 ? -99 : Math.sin(step);
        await appendEvent(tx, { runId, fence, body: metrics(step, gLoss) });
      }
    });
    const metricsOf = async (most: number) => (await metricsOfRuns(store.db, [runId], most)).get(runId) ?? [];
    const points = await metricsOf(20);
    const steps = points.flatMap(({ body }) => (body.type === 'metrics' ? [body.step] : []));
    expect(steps.length).toBeLessThanOrEqual(20);
    expect(steps.length).toBeGreaterThan(15);
    expect([steps[0], steps.at(-1)]).toEqual([1, 300]);
    expect(steps).toEqual(expect.arrayContaining([77, 201]));
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(await metricsOf(300)).toHaveLength(300);
    expect(await metricsOf(1)).toHaveLength(1);
    for (const most of [0, -1, 1.5, 10_001]) {
      await expect(metricsOf(most)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  it('are none where none were written', async () => {
    const { runId } = await runningRun();
    expect(await metricsOfRuns(store.db, [runId], 500)).toEqual(new Map());
  });
});

describe('the samples of a run', () => {
  it('are paged in the order of their steps and found by id', async () => {
    const { runId, fence } = await runningRun();
    const ids = Array.from({ length: 5 }, () => randomUUID());
    for (const [step, id] of ids.entries()) {
      await appendEvent(store.db, { runId, fence, body: metrics(step, 1) });
      await appendEvent(store.db, { runId, fence, body: sample(id, step) });
    }
    const first = await pageFor(store.db, samplesOfRuns(), runId, { first: 3 });
    const rest = await pageFor(store.db, samplesOfRuns(), runId, { first: 3, after: first.cursors[2] });
    expect(await first.hasNextPage()).toBe(true);
    expect(await rest.hasNextPage()).toBe(false);
    const read = [...first.rows, ...rest.rows]
      .map(eventOf)
      .flatMap(({ body }) => (body.type === 'sample' ? [body.id] : []));
    expect(read).toEqual(ids);
    expect(await countRowsOf(store.db, samplesOfRuns(), [runId])).toEqual(new Map([[runId, 5]]));
    expect(await sampleById(store.db, ids[2] ?? '')).toEqual(first.rows.map(eventOf)[2]);
    expect(await sampleById(store.db, 'none')).toBeUndefined();
    await expect(appendEvent(store.db, { runId, fence, body: sample(ids[0] ?? '', 9) })).rejects.toThrow();
  });
});

describe('checkpoints', () => {
  const checkpoint = (runId: string, step: number) => ({
    id: randomUUID(),
    runId,
    step,
    sha256: String(step).repeat(64).slice(0, 64),
    dir: `runs/${runId}/${step}`,
    bytes: 5_000_000_000,
  });

  it('are written under the fence; a step that is repeated keeps its row', async () => {
    const { runId, fence } = await runningRun();
    const first = await insertCheckpoint(store.db, { ...checkpoint(runId, 20), fence });
    expect(first?.bytes).toBe(5_000_000_000);
    expect(await insertCheckpoint(store.db, { ...checkpoint(runId, 30), fence: fence - 1 })).toBeUndefined();
    const again = await insertCheckpoint(store.db, { ...checkpoint(runId, 20), dir: 'elsewhere', fence });
    expect(again).toEqual({ ...first, dir: 'elsewhere' });
    await insertCheckpoint(store.db, { ...checkpoint(runId, 10), fence });
    const { runId: other } = await runningRun();
    const found = await checkpointsOf(store.db, [runId, other]);
    expect(found.get(runId)?.map(({ step }) => step)).toEqual([10, 20]);
    expect(found.get(other)).toEqual([]);
    await forgetFiles(store.db, first?.id ?? '');
    expect(await checkpointsByIds(store.db, [first?.id ?? ''])).toMatchObject([{ step: 20, dir: null }]);
    await moveRun(store.db, { runId, action: 'cancel' });
    expect(await insertCheckpoint(store.db, { ...checkpoint(runId, 40), fence })).toBeUndefined();
  });
});
