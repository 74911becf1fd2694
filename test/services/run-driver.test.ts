import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/events.ts';
import { resumeWhereRoom } from '../../src/services/disk-room.ts';
import { keptSteps } from '../../src/services/retention.ts';
import { checkpointsOf, insertCheckpoint } from '../../src/store/checkpoints.ts';
import { defaultModel } from '../../src/store/models.ts';
import { readEvents } from '../../src/store/run-log.ts';
import { claimNextRun, moveRun, requeueAll, runById } from '../../src/store/runs.ts';
import type { RunRow } from '../../src/store/tables.ts';
import { openTestStore } from '../helpers/database.ts';
import { type Lab, openLab } from '../helpers/lab.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { waitFor } from '../helpers/wait-for.ts';

let store: Awaited<ReturnType<typeof openTestStore>>;
let lab: Lab;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store?.[Symbol.asyncDispose]());
beforeEach(async () => {
  lab = await openLab(store);
});
afterEach(async () => {
  await lab?.[Symbol.asyncDispose]();
});

/** Queues a run whose faults are the words of `name`; see the scripted child. */
const queue = (name: string, steps = 20) => lab.start({ name, steps });
const rowOf = async (run: RunRow) => (await runById(lab.store.db, run.id)) ?? run;
const whenStatus = (run: RunRow, status: RunRow['status']) =>
  waitFor(async () => {
    const row = await rowOf(run);
    return row.status === status && row;
  });
const whenStep = (run: RunRow, step: number) => waitFor(async () => (await rowOf(run)).step >= step);

/** A run's log as short lines; fails on a gap in seq. */
async function story(run: RunRow): Promise<string[]> {
  const events = await readEvents(lab.store.db, { runId: run.id, after: 0, limit: 10_000 });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  return events.map(line);
}
function line({ body }: RunEvent): string {
  return body.type === 'state' ? body.status : `${body.type} ${body.step}`;
}
async function reasons(run: RunRow): Promise<string[]> {
  const events = await readEvents(lab.store.db, { runId: run.id, after: 0, limit: 10_000, types: ['state'] });
  return events.flatMap(({ body }) => (body.type === 'state' && body.reason !== null ? [body.reason] : []));
}
async function steps(run: RunRow): Promise<(number | null)[]> {
  const all = (await checkpointsOf(lab.store.db, [run.id])).get(run.id) ?? [];
  return all.sort((a, b) => a.step - b.step).map(({ step, dir }) => (dir === null ? null : step));
}
const WHOLE = ['metrics 5', 'metrics 10', 'sample 10', 'metrics 15', 'metrics 20', 'sample 20'];

describe('a run', () => {
  it('is trained to its end, told live and replayed, and leaves a model', async () => {
    const others = lab.feed.followers;
    const run = await queue('plain');
    const live = lab.read(await lab.training.follow(run.id, { after: 0 }));
    await lab.drive();
    const events = await live;
    expect(events.map(line)).toEqual(['QUEUED', 'RUNNING', ...WHOLE, 'COMPLETED']);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await lab.read(await lab.training.follow(run.id, { after: 4 }))).toEqual(events.slice(4));
    expect(await lab.read(await lab.training.follow(run.id, { after: 9 }))).toEqual([]);
    expect(await rowOf(run)).toMatchObject({
      status: 'COMPLETED',
      step: 20,
      device: 'CPU',
      error: null,
      etaSeconds: 0,
    });
    const sample = events.find(({ body }) => body.type === 'sample')?.body;
    const png = sample?.type === 'sample' ? await lab.blobs.get(sample.sha256, 'png') : undefined;
    expect(await sharp(png).metadata()).toMatchObject({ format: 'png', width: 8, height: 4 });
    const model = await defaultModel(lab.store.db);
    expect(model).toMatchObject({ name: 'plain', runId: run.id, resolution: 32 });
    const newest = (await checkpointsOf(lab.store.db, [run.id])).get(run.id)?.find(({ step }) => step === 20);
    expect(model?.checkpointId).toBe(newest?.id);
    expect(lab.feed.followers).toBe(others);
  });

  it('keeps the newest checkpoints only', async () => {
    const run = await lab.start({ name: 'plain', steps: 60, config: { keepCheckpoints: 2 } });
    await lab.drive();
    await whenStatus(run, 'COMPLETED');
    expect(await steps(run)).toEqual([null, null, null, 40, 50, 60]);
    const folders = await lab.list(join('runs', run.id, 'checkpoints'));
    expect(folders).toEqual(['step-0000000040', 'step-0000000050', 'step-0000000060']);
  });

  it('keeps its best checkpoints, and every so manieth, besides the newest', () => {
    const steps = [10, 20, 30, 40, 50, 60];
    const kids = new Map([
      [20, 0.3],
      [40, 0.1],
      [60, 0.2],
    ]);
    const kept = (policy: Partial<Parameters<typeof keptSteps>[2]>) =>
      [...keptSteps(steps, kids, { keepCheckpoints: 1, keepBest: 0, keepEvery: 0, ...policy })].sort((a, b) => a - b);
    expect(kept({})).toEqual([50, 60]);
    expect(kept({ keepBest: 1 })).toEqual([40, 50, 60]);
    expect(kept({ keepBest: 3 })).toEqual([20, 40, 50, 60]);
    expect(kept({ keepEvery: 30 })).toEqual([30, 50, 60]);
  });

  it('is paused with a checkpoint, waits, and goes on where it was', async () => {
    await lab.drive();
    const run = await queue('pace:4', 100);
    await whenStep(run, 10);
    const paused = await lab.training.pause(run.id);
    expect(paused).toMatchObject({ status: 'PAUSED', wish: null });
    expect((await steps(run)).at(-1)).toBe(paused.step);
    await expect(lab.training.pause(run.id)).rejects.toMatchObject({
      code: 'WRONG_STATE',
      message: 'A run that is PAUSED cannot be paused. Possible now: resume, cancel.',
    });
    expect(await lab.training.resume(run.id)).toMatchObject({ status: 'QUEUED' });
    await whenStatus(run, 'COMPLETED');
    const told = await story(run);
    expect(told.filter((event) => event.startsWith('metrics'))).toEqual(
      Array.from({ length: 20 }, (_, i) => `metrics ${(i + 1) * 5}`),
    );
    expect(told.filter((event) => /^[A-Z]+$/.test(event))).toEqual([
      'QUEUED',
      'RUNNING',
      'PAUSED',
      'QUEUED',
      'RUNNING',
      'COMPLETED',
    ]);
  });

  it('is cancelled while it runs, and is done with', async () => {
    await lab.drive();
    const run = await queue('pace:10', 10_000);
    await whenStep(run, 5);
    expect(await lab.training.cancel(run.id)).toMatchObject({ status: 'CANCELLED' });
    for (const verb of ['pause', 'resume', 'cancel'] as const) {
      await expect(lab.training[verb](run.id)).rejects.toThrow('Nothing more can be done with it.');
    }
    expect((await lab.read(await lab.training.follow(run.id, { after: 0 }))).map(line).at(-1)).toBe('CANCELLED');
  });

  it('is paused and cancelled in the queue at once', async () => {
    const run = await queue('plain');
    expect(await lab.training.pause(run.id)).toMatchObject({ status: 'PAUSED' });
    expect(await lab.training.resume(run.id)).toMatchObject({ status: 'QUEUED' });
    expect(await lab.training.cancel(run.id)).toMatchObject({ status: 'CANCELLED' });
    expect(await story(run)).toEqual(['QUEUED', 'PAUSED', 'QUEUED', 'CANCELLED']);
  });

  it('is cancelled even where its child does not listen', async () => {
    await lab.drive({ stopMs: { cancel: 200, pause: 200, shutdown: 200 } });
    const run = await queue('deaf pace:5', 10_000);
    await whenStep(run, 5);
    expect(await lab.training.cancel(run.id)).toMatchObject({ status: 'CANCELLED' });
  });

  it('waits for its turn: one trains, the next one begins after it', async () => {
    const [first, second] = [await queue('pace:5', 40), await queue('plain')];
    await lab.drive();
    await whenStep(first, 20);
    expect(await rowOf(second)).toMatchObject({ status: 'QUEUED' });
    await whenStatus(second, 'COMPLETED');
    expect(await rowOf(first)).toMatchObject({ status: 'COMPLETED' });
  });
});

describe('a run whose child', () => {
  it('dies is trained on from the last checkpoint, and nothing is told twice', async () => {
    await lab.drive();
    const run = await queue('crash-once:17');
    await whenStatus(run, 'COMPLETED');
    expect((await story(run)).filter((event) => !/^[A-Z]+$/.test(event))).toEqual(WHOLE);
    expect(await reasons(run)).toEqual([expect.stringContaining('The trainer process exited with code 3.')]);
  });

  it('is killed trains again within 5 s', async () => {
    const driver = await lab.drive();
    const run = await queue('pace:10', 10_000);
    await whenStep(run, 15);
    const first = await waitFor(() => driver.pid);
    process.kill(first, 'SIGKILL');
    const killed = performance.now();
    await waitFor(() => driver.pid !== undefined && driver.pid !== first);
    expect(performance.now() - killed).toBeLessThan(5_000);
    await lab.training.cancel(run.id);
    expect(await reasons(run)).toEqual([expect.stringContaining('killed by SIGKILL')]);
  });

  it('dies again and again at the same place is given up, and can be tried again', async () => {
    await lab.drive();
    const run = await queue('crash:12');
    const failed = await whenStatus(run, 'FAILED');
    expect(failed.error).toContain('Given up after 5 deaths without a new step.');
    expect(failed.error).toContain('exited with code 3');
    expect(failed.error).toContain('scripted trainer on cpu');
    const told = await story(run);
    expect(told.filter((event) => event === 'RUNNING')).toHaveLength(5);
    expect(told.filter((event) => event.startsWith('metrics'))).toEqual(['metrics 5', 'metrics 10']);
    expect(await lab.training.resume(run.id)).toMatchObject({ status: 'QUEUED', error: null, failures: 0 });
    await lab.training.cancel(run.id);
  });

  it('says that training diverged has failed, with the reason', async () => {
    await lab.drive();
    const run = await queue('diverge:7');
    expect(await whenStatus(run, 'FAILED')).toMatchObject({ error: 'scripted diverged' });
    expect(await story(run)).toEqual(['QUEUED', 'RUNNING', 'metrics 5', 'FAILED']);
  });

  it('finds the disk full is paused, and goes on by itself once there is room', async () => {
    await lab.drive({ pollMs: 50 });
    const run = await queue('disk-full:13');
    await whenStatus(run, 'COMPLETED');
    expect(await reasons(run)).toEqual([
      expect.stringContaining('The disk is full.'),
      'There is room on the disk again.',
    ]);
    expect((await story(run)).filter((event) => /^[A-Z]+$/.test(event))).toEqual([
      ...['QUEUED', 'RUNNING', 'PAUSED', 'QUEUED', 'RUNNING', 'COMPLETED'],
    ]);
  });

  it('finds the disk full waits while its next checkpoint would not fit, or where its user wants it to', async () => {
    const run = await queue('disk-full:13');
    await claimNextRun(lab.store.db, { owner: 'this one', leaseMs: 60_000 });
    // As large as no disk: there is never room for a second one.
    const checkpoint = { id: randomUUID(), runId: run.id, fence: 1, step: 10, sha256: '', dir: null, bytes: 2 ** 52 };
    await insertCheckpoint(lab.store.db, checkpoint);
    const pause = { runId: run.id, action: 'pause', patch: { error: 'full', waitsFor: 'room' } } as const;
    await moveRun(lab.store.db, pause);
    expect(await resumeWhereRoom({ ...lab, db: lab.store.db, log: recordingLog() })).toBe(0);
    expect(await lab.training.pause(run.id)).toMatchObject({ status: 'PAUSED', waitsFor: null });
    await expect(lab.training.pause(run.id)).rejects.toMatchObject({ code: 'WRONG_STATE' });
    expect(await lab.training.resume(run.id)).toMatchObject({ status: 'QUEUED', error: null });
  });

  it('is silent or speaks nonsense is ended, and the run goes on without it', async () => {
    await lab.drive({ heartbeatTimeoutMs: 500 });
    const run = await queue('silent:12');
    await waitFor(async () => (await reasons(run)).length > 0);
    await lab.training.cancel(run.id);
    expect((await reasons(run))[0]).toContain('said nothing for 0.5 s');
    const other = await queue('garbage:12');
    await waitFor(async () => (await reasons(other)).length > 0);
    await lab.training.cancel(other.id);
    expect((await reasons(other))[0]).toContain('not of the protocol');
  });

  it('finds its newest checkpoint damaged goes on from the one before, and says so', async () => {
    const driver = await lab.drive();
    // Long enough that it is not over before it is paused.
    const run = await queue('pace:5', 500);
    await whenStep(run, 40);
    await lab.training.pause(run.id);
    await driver[Symbol.asyncDispose]();
    const newest = (await lab.list(join('runs', run.id, 'checkpoints'))).at(-1) ?? '';
    await rm(join(lab.dataDir, 'runs', run.id, 'checkpoints', newest, 'state.json'));
    await lab.training.resume(run.id);
    await lab.drive();
    await whenStatus(run, 'COMPLETED');
    expect((await reasons(run)).at(-1)).toMatch(
      /^1 of \d checkpoints are damaged; training goes on from the checkpoint/,
    );
  });
});

describe('a server', () => {
  it('that stops puts its run back with a checkpoint, and the next one goes on', async () => {
    const driver = await lab.drive();
    const run = await queue('pace:10', 150);
    await whenStep(run, 15);
    await driver[Symbol.asyncDispose]();
    expect(await rowOf(run)).toMatchObject({ status: 'QUEUED', failures: 0 });
    const before = await steps(run);
    expect(before.at(-1)).toBeGreaterThanOrEqual(15);
    await lab.drive();
    await whenStatus(run, 'COMPLETED');
    await story(run);
  });

  it('that stops does not wait for a child that does not listen', async () => {
    const driver = await lab.drive({ stopMs: { cancel: 100, pause: 100, shutdown: 100 } });
    const run = await queue('deaf pace:5', 10_000);
    await whenStep(run, 5);
    await driver[Symbol.asyncDispose]();
    expect(await rowOf(run)).toMatchObject({ status: 'QUEUED', failures: 0 });
  });

  it('that died leaves a run that is queued again at the next start', async () => {
    const run = await queue('plain');
    await claimNextRun(lab.store.db, { owner: 'a server that is gone', leaseMs: 3_600_000 });
    await lab.drive({ soleOwner: true });
    await whenStatus(run, 'COMPLETED');
    expect((await story(run)).slice(0, 4)).toEqual(['QUEUED', 'RUNNING', 'QUEUED', 'RUNNING']);
  });

  it('among others takes over a run whose lease has run out', async () => {
    const run = await queue('plain');
    await claimNextRun(lab.store.db, { owner: 'a server that is gone', leaseMs: 300 });
    await lab.drive({ soleOwner: false, pollMs: 100 });
    await whenStatus(run, 'COMPLETED');
    expect(await rowOf(run)).toMatchObject({ fence: 2 });
  });

  it('says no more about a run that another one has taken over', async () => {
    const driver = await lab.drive({ soleOwner: false });
    const run = await queue('pace:5', 100_000);
    await whenStep(run, 10);
    // In one transaction, so that the driver cannot be the first to claim.
    await store.db.transaction(async (tx) => {
      await requeueAll(tx);
      await claimNextRun(tx, { owner: 'another', leaseMs: 60_000 });
    });
    await waitFor(() => driver.pid === undefined);
    const told = (await story(run)).length;
    await driver[Symbol.asyncDispose]();
    expect(await story(run)).toHaveLength(told);
    expect(await rowOf(run)).toMatchObject({ status: 'RUNNING', leaseOwner: 'another', fence: 2 });
  });

  it('shares the queue with another: each run is trained once', async () => {
    const runs = [await queue('plain'), await queue('plain'), await queue('plain'), await queue('plain')];
    await lab.drive({ soleOwner: false });
    await lab.drive({ soleOwner: false });
    for (const run of runs) expect(await whenStatus(run, 'COMPLETED')).toMatchObject({ fence: 1 });
    for (const run of runs) expect(await story(run)).toEqual(['QUEUED', 'RUNNING', ...WHOLE, 'COMPLETED']);
  });
});
