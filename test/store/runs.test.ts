import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/db.ts';
import { countRows, readPage } from '../../src/store/page.ts';
import { appendEvent, readEvents } from '../../src/store/run-log.ts';
import {
  claimNextRun,
  moveRun,
  queuePlaces,
  renewLease,
  requeueAll,
  requeueExpired,
  runById,
  runList,
  setWish,
} from '../../src/store/runs.ts';
import type { DatasetRow } from '../../src/store/tables.ts';
import { LOG_CHANNEL, runTopic } from '../../src/store/topic-log.ts';
import { openTestStore } from '../helpers/database.ts';
import { newDataset, newRun } from './rows.ts';

let store: Store;
let dataset: DatasetRow;
beforeAll(async () => {
  store = await openTestStore();
  dataset = await newDataset(store.db);
});
afterAll(() => store[Symbol.asyncDispose]());

const queue = () => newRun(store.db, dataset.id);
const claim = (owner = 'me', leaseMs = 60_000) => claimNextRun(store.db, { owner, leaseMs });
const metrics = (step: number) => ({
  type: 'metrics' as const,
  step,
  dLoss: 1,
  gLoss: 1,
  l2Loss: null,
  realAccuracy: null,
  fakeAccuracy: null,
  imagesPerSecond: 1,
  etaSeconds: null,
});
const emptyQueue = async () => {
  for (let run = await claim(); run !== undefined; run = await claim()) {
    await moveRun(store.db, { runId: run.id, action: 'cancel' });
  }
};

describe('the log of a run', () => {
  it('has no gap and no doubled number under 200 writers at once', async () => {
    const { id: runId } = await queue();
    const fence = (await claim())?.fence ?? -1;
    const seqs = await Promise.all(
      Array.from({ length: 200 }, (_, step) => appendEvent(store.db, { runId, fence, body: metrics(step) })),
    );
    // 1: QUEUED, 2: RUNNING
    expect(seqs.toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual(Array.from({ length: 200 }, (_, i) => i + 3));
    const read = await readEvents(store.db, { runId, after: 0, limit: 1000 });
    expect(read.map(({ seq }) => seq)).toEqual(Array.from({ length: 202 }, (_, i) => i + 1));
    expect((await readEvents(store.db, { runId, after: 200, limit: 1000 })).map(({ seq }) => seq)).toEqual([201, 202]);
    await moveRun(store.db, { runId, action: 'cancel' });
  });

  it('refuses the holder of an older fence, and writes nothing', async () => {
    const { id: runId } = await queue();
    const old = (await claim('one', -1))?.fence ?? -1;
    expect(await requeueExpired(store.db)).toEqual([runId]);
    const now = (await claim('two'))?.fence ?? -1;
    expect(now).toBe(old + 1);
    const before = await runById(store.db, runId);
    expect(await appendEvent(store.db, { runId, fence: old, body: metrics(1), patch: { step: 1 } })).toBeUndefined();
    expect(await moveRun(store.db, { runId, fence: old, action: 'finish' })).toBeUndefined();
    expect(await renewLease(store.db, { runId, fence: old, leaseMs: 1000 })).toEqual({ held: false, wish: null });
    expect(await runById(store.db, runId)).toEqual(before);
    expect(await renewLease(store.db, { runId, fence: now, leaseMs: 1000 })).toEqual({ held: true, wish: null });
    await moveRun(store.db, { runId, action: 'cancel' });
  });

  it('tells each event once it is committed', async () => {
    const heard: string[] = [];
    const stop = await store.listen(LOG_CHANNEL, (payload) => heard.push(payload));
    const { id } = await queue();
    await expect.poll(() => heard).toContain(`${runTopic(id)}:1`);
    await stop();
    await emptyQueue();
  });
});

describe('the queue', () => {
  it('gives each run to one claimer, the oldest first', async () => {
    const queued = [await queue(), await queue(), await queue(), await queue()].map(({ id }) => id);
    expect(
      [...(await queuePlaces(store.db, queued)).entries()].toSorted((a, b) => a[1] - b[1]).map(([id]) => id),
    ).toEqual(queued);
    const claimed = await Promise.all([claim('a'), claim('b'), claim('c'), claim('d'), claim('e')]);
    const ids = claimed.flatMap((run) => run?.id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(queued.toSorted());
    for (const runId of queued) await moveRun(store.db, { runId, action: 'cancel' });
  });

  it('keeps a run whose lease is held, and takes back one whose lease has run out', async () => {
    const { id } = await queue();
    await claim('held', 60_000);
    expect(await requeueExpired(store.db)).toEqual([]);
    await renewLease(store.db, { runId: id, fence: (await runById(store.db, id))?.fence ?? -1, leaseMs: -1 });
    expect(await requeueExpired(store.db)).toEqual([id]);
    const events = await readEvents(store.db, { runId: id, after: 0, limit: 10 });
    expect(events.map(({ body }) => (body.type === 'state' ? body.status : body.type))).toEqual([
      'QUEUED',
      'RUNNING',
      'QUEUED',
    ]);
    await emptyQueue();
  });

  it('makes only the moves that the table of states has', async () => {
    const { id: runId } = await queue();
    expect(await moveRun(store.db, { runId, action: 'finish' })).toBeUndefined();
    expect((await moveRun(store.db, { runId, action: 'pause' }))?.status).toBe('PAUSED');
    expect((await moveRun(store.db, { runId, action: 'resume' }))?.status).toBe('QUEUED');
    const cancelled = await moveRun(store.db, { runId, action: 'cancel', reason: 'no longer wanted' });
    expect(cancelled).toMatchObject({ status: 'CANCELLED', lastSeq: 4 });
    expect(cancelled?.finishedAt).toBeInstanceOf(Date);
    expect(await moveRun(store.db, { runId, action: 'resume' })).toBeUndefined();
  });

  it('lets a run that was resumed wait at its end, and one that lost its server keep its turn', async () => {
    const [one, two, three] = [await queue(), await queue(), await queue()].map(({ id }) => id);
    const ids = [one ?? '', two ?? '', three ?? ''];
    const order = async () => [...(await queuePlaces(store.db, ids))].toSorted((a, b) => a[1] - b[1]).map(([id]) => id);
    await moveRun(store.db, { runId: one ?? '', action: 'pause' });
    expect(await order()).toEqual([two, three]);
    await moveRun(store.db, { runId: one ?? '', action: 'resume' });
    expect(await order()).toEqual([two, three, one]);
    expect((await claim())?.id).toBe(two);
    expect((await claim('me', 60_000))?.id).toBe(three);
    expect((await requeueAll(store.db)).toSorted()).toEqual([two, three].toSorted());
    expect(await order()).toEqual([two, three, one]);
    const skipped = await claimNextRun(store.db, { owner: 'me', leaseMs: 1, exceptRunIds: [two ?? '', three ?? ''] });
    expect(skipped).toMatchObject({ id: one, leaseOwner: 'me', fence: 1 });
    await emptyQueue();
    await requeueAll(store.db);
    await emptyQueue();
  });

  it('tells the holder of a run what was wished for it, and takes no wish for a run that waits', async () => {
    const { id: runId } = await queue();
    await setWish(store.db, { runId, wish: 'pause' });
    const run = await claim();
    expect(run).toMatchObject({ id: runId, wish: null });
    await setWish(store.db, { runId, wish: 'cancel' });
    expect(await renewLease(store.db, { runId, fence: run?.fence ?? 0, leaseMs: 1000 })).toEqual({
      held: true,
      wish: 'cancel',
    });
    await moveRun(store.db, { runId, action: 'cancel' });
  });

  it('starts a run once, and clears its error and its end when it is taken up again', async () => {
    const { id: runId } = await queue();
    const first = await claim();
    await moveRun(store.db, { runId, action: 'fail', reason: 'diverged', patch: { error: 'diverged' } });
    expect(await runById(store.db, runId)).toMatchObject({ status: 'FAILED', error: 'diverged', leaseUntil: null });
    expect(await moveRun(store.db, { runId, action: 'resume' })).toMatchObject({ status: 'QUEUED', finishedAt: null });
    const second = await claim();
    expect(second).toMatchObject({ id: runId, error: null, fence: 2, startedAt: first?.startedAt });
    await moveRun(store.db, { runId, action: 'cancel' });
  });

  it('is listed newest first', async () => {
    const { rows } = await readPage(store.db, runList(), { first: 100 });
    expect(rows).toHaveLength(await countRows(store.db, runList()));
    const times = rows.map(({ createdAt }) => createdAt.getTime());
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

  it('holds seeds up to 2^53 - 1 exactly', async () => {
    const { id } = await queue();
    expect((await runById(store.db, id))?.seed).toBe(2 ** 53 - 1);
    await emptyQueue();
  });
});
