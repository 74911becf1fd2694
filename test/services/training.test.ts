import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/core/global-id.ts';
import { countRows } from '../../src/store/page.ts';
import { claimNextRun, runList } from '../../src/store/runs.ts';
import { openTestStore } from '../helpers/database.ts';
import { type Lab, openLab } from '../helpers/lab.ts';

let store: Awaited<ReturnType<typeof openTestStore>>;
let lab: Lab;
beforeAll(async () => {
  store = await openTestStore();
  lab = await openLab(store);
});
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
});

const good = { dataset: 'works', preset: 'studio', steps: 10, resolution: 32 };

describe('start', () => {
  it('queues a run with its complete configuration, and tells it', async () => {
    const run = await lab.training.start({
      ...good,
      batchSize: 4,
      seed: 9,
      name: ' mine ',
      config: { metricsEvery: 1 },
    });
    expect(run).toMatchObject({ name: 'mine', status: 'QUEUED', seed: 9, totalSteps: 10, lastSeq: 1, resolution: 32 });
    expect(run.config).toMatchObject({
      preset: 'studio',
      batchSize: 4,
      metricsEvery: 1,
      labelKinds: ['artist', 'style'],
    });
    const events = (await lab.training.follow(run.id, { after: null }))[Symbol.asyncIterator]();
    const first = await events.next();
    expect(first.value).toMatchObject({ seq: 1, body: { type: 'state', status: 'QUEUED', reason: null } });
    await events.return?.();
    await lab.training.cancel(encodeGlobalId('TrainingRun', run.id));
  });

  it('finds a dataset by slug, name and id, draws a seed and finds a name', async () => {
    const seeds = new Set<number>();
    for (const dataset of ['works', 'Works', lab.dataset.id, encodeGlobalId('Dataset', lab.dataset.id)]) {
      const run = await lab.training.start({ ...good, dataset });
      expect(run).toMatchObject({ datasetId: lab.dataset.id, name: 'Works, 32 px' });
      seeds.add(run.seed);
      await lab.training.cancel(run.id);
    }
    expect(seeds.size).toBe(4);
  });

  it.each([
    [{ steps: 0 }, 'INVALID_INPUT', 'steps'],
    [{ steps: 10_000_001 }, 'INVALID_INPUT', 'steps'],
    [{ steps: 2.5 }, 'INVALID_INPUT', 'steps'],
    [{ seed: -1 }, 'INVALID_INPUT', 'seed'],
    [{ seed: 2 ** 53 }, 'INVALID_INPUT', 'seed'],
    [{ name: 'x'.repeat(121) }, 'INVALID_INPUT', 'name'],
    [{ resolution: 48.5 }, 'INVALID_INPUT', 'resolution'],
    [{ resolution: 256 }, 'INVALID_INPUT', 'resolution'],
    [{ batchSize: 0 }, 'INVALID_INPUT', 'batchSize'],
    [{ preset: 'none' }, 'UNKNOWN_PRESET', 'preset'],
    [{ dataset: 'wroks' }, 'UNKNOWN_DATASET', 'dataset'],
    [{ dataset: 'unready' }, 'DATASET_NOT_READY', 'dataset'],
    [{ config: { width: -1 } }, 'INVALID_INPUT', 'config'],
    [{ config: { preset: 'icip2017' } }, 'INVALID_INPUT', 'config'],
    [{ config: { labelKinds: ['genre'] } }, 'NO_LABELS', 'config'],
    [{ dataset: 'unlabelled' }, 'NO_LABELS', 'dataset'],
  ])('refuses %j and writes nothing', async (mistake, code, field) => {
    const before = await countRows(lab.store.db, runList());
    const error: unknown = await lab.training.start({ ...good, ...mistake }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code });
    expect(error).toHaveProperty(['path', '0'], 'input');
    expect(error).toHaveProperty(['path', '1'], field);
    expect(await countRows(lab.store.db, runList())).toBe(before);
  });

  it('suggests the dataset that was meant', async () => {
    await expect(lab.training.start({ ...good, dataset: 'wroks' })).rejects.toMatchObject({ suggestions: ['works'] });
  });

  it('says which kinds a dataset has where the preset asks for another', async () => {
    await expect(
      lab.training.start({ ...good, preset: 'icip2017', resolution: 64, config: { labelKinds: ['genre'] } }),
    ).rejects.toThrow('labelKinds: ["artist", "style"]');
  });
});

describe('the verbs', () => {
  it('know no run by another id', async () => {
    for (const verb of ['pause', 'resume', 'cancel'] as const) {
      await expect(lab.training[verb]('none')).rejects.toMatchObject({ code: 'NOT_FOUND', path: ['input', 'run'] });
    }
    await expect(lab.training.follow('none', { after: 0 })).rejects.toMatchObject({ code: 'NOT_FOUND', path: ['run'] });
  });

  it('answer with the run as it is where nobody trains it in time', async () => {
    const run = await lab.training.start(good);
    await claimNextRun(lab.store.db, { owner: 'a slow server', leaseMs: 60_000 });
    expect(await lab.quickTraining.pause(run.id)).toMatchObject({ status: 'RUNNING', wish: 'pause' });
  });

  it.each([-1, 0.5, Number.NaN])('refuse to follow from %s', async (after) => {
    await expect(lab.training.follow('any', { after })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path: ['after'],
    });
  });
});

describe('follow', () => {
  const follow = async (id: string, after = 0) => (await lab.training.follow(id, { after }))[Symbol.asyncIterator]();

  it('reads once for all who follow from the same place, and leaves nothing behind', async () => {
    const others = lab.feed.followers;
    const run = await lab.training.start(good);
    const all = await Promise.all(Array.from({ length: 50 }, () => follow(run.id)));
    await Promise.all(all.map((events) => events.next()));
    expect(lab.feed.followers).toBe(others + 50);
    const waiting = all.map((events) => events.next());
    const before = lab.store.statements();
    await lab.training.cancel(run.id);
    for (const next of await Promise.all(waiting)) expect(next.value).toMatchObject({ seq: 2 });
    expect(lab.store.statements() - before).toBeLessThan(25);
    expect((await Promise.all(all.map((events) => events.next()))).every(({ done }) => done)).toBe(true);
    expect(lab.feed.followers).toBe(others);
  });

  it('ends when the client has gone', async () => {
    const run = await lab.training.start(good);
    const events = await follow(run.id, 1);
    const waiting = events.next();
    await events.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await lab.training.cancel(run.id);
  });
});
