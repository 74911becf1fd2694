/** The main job: start a run, watch it live to its end, watch it again from anywhere, and ask its model for pictures. */
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operation, startTestApi, type TestApi, tinyRun } from '../helpers/api.ts';

let api: TestApi;
let run: string;
// biome-ignore lint/suspicious/noExplicitAny: events as they came
let live: any[];

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours();
  const input = {
    dataset: 'Colours',
    steps: 60,
    resolution: 32,
    batchSize: 16,
    seed: 5,
    config: { width: 4, metricsEvery: 5, sampleEvery: 20, checkpointEvery: 30 },
  };
  const { startTraining } = await api.run('start-training', { input });
  expect(startTraining.userErrors).toEqual([]);
  run = startTraining.run.id;
  live = await api.events(run);
});

afterAll(() => api?.[Symbol.asyncDispose]());

const seqs = (events: readonly { seq: number }[]) => events.map(({ seq }) => seq);
const ofType = (name: string) => live.filter(({ __typename }) => __typename === name);

describe('a run that is watched', () => {
  it('tells every event of its log once, in order, and then the stream completes', () => {
    expect(seqs(live)).toEqual(live.map((_, i) => i + 1));
    expect(ofType('TrainingStateChanged').map(({ status }) => status)).toEqual(['QUEUED', 'RUNNING', 'COMPLETED']);
    expect(live.at(-1).status).toBe('COMPLETED');
    expect(ofType('TrainingMetrics').at(-1)).toMatchObject({ step: 60, dLoss: expect.any(Number) });
    expect(live.at(-1).run).toEqual({ status: 'COMPLETED', step: 60, totalSteps: 60, progress: 1 });
  });

  it('gives sample grids whose URL serves a picture', async () => {
    const grids = ofType('TrainingSample');
    expect(grids.length).toBeGreaterThan(0);
    const { url, columns, rows, labels } = grids[0];
    expect(labels).toHaveLength(columns);
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toBe('image/png');
    const { width, height } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
    expect(width).toBeGreaterThanOrEqual(columns * 32);
    expect(height).toBeGreaterThanOrEqual(rows * 32);
  });

  it('is replayed from any place', async () => {
    for (const after of [0, 4, live.length - 1, live.length]) {
      expect(seqs(await api.events(run, after))).toEqual(seqs(live).slice(after));
    }
  });

  it('answers with its metrics, samples, checkpoints and model', async () => {
    const { trainingRun } = await api.run('training-run', { id: run });
    expect(trainingRun).toMatchObject({
      status: 'COMPLETED',
      queuePosition: null,
      availableActions: [],
      preset: 'studio',
      batchSize: 16,
      seed: 5,
      progress: 1,
      dataset: { slug: 'colours' },
      error: null,
    });
    expect(trainingRun.config).toMatchObject({ width: 4, sampleEvery: 20, batchSize: 16 });
    expect(trainingRun.metrics).toHaveLength(ofType('TrainingMetrics').length);
    expect(trainingRun.samples.nodes.map(({ url }: { url: string }) => url)).toEqual(
      ofType('TrainingSample').map(({ url }) => url),
    );
    expect(trainingRun.checkpoints.at(-1)?.step ?? trainingRun.checkpoints[0].step).toBeGreaterThan(0);
    const { models } = await api.run('models');
    expect(models.nodes).toMatchObject([{ id: trainingRun.model.id, isDefault: true, run: { id: run } }]);
  });

  it('leaves a model that paints', async () => {
    const { generate } = await api.run('generate', { label: 'warm', n: 3, seed: 1 });
    expect(generate).toHaveLength(3);
    expect(new Set(generate.map(({ sha256 }: { sha256: string }) => sha256)).size).toBe(3);
    const { body, headers } = await fetch(generate[0].url);
    expect(headers.get('etag')).toBe(`"${generate[0].sha256}"`);
    await body?.cancel();
  });
});

describe('a run that waits or runs', () => {
  it('can be paused, resumed and cancelled, and the queue tells its place', async () => {
    const start = async (steps: number) =>
      (await api.run('start-training', { input: { ...tinyRun, steps } })).startTraining.run.id;
    const first = await start(100_000);
    const running = api.client.iterate({ query: operation('training-progress'), variables: { run: first } });
    for await (const { data } of running) {
      if ((data as { trainingProgress: { __typename: string } }).trainingProgress.__typename === 'TrainingMetrics')
        break;
    }
    const second = await start(2);
    const place = await api.run('training-run', { id: second });
    expect(place.trainingRun).toMatchObject({
      status: 'QUEUED',
      queuePosition: 1,
      availableActions: expect.any(Array),
    });
    const paused = await api.run('pause-training', { run: first });
    expect(paused.pauseTraining).toMatchObject({ run: { status: 'PAUSED' }, userErrors: [] });
    expect((await api.events(second)).at(-1)).toMatchObject({ status: 'COMPLETED' });
    const again = await api.run('pause-training', { run: first });
    expect(again.pauseTraining).toMatchObject({ run: null, userErrors: [{ code: 'WRONG_STATE' }] });
    const resumed = await api.run('resume-training', { run: first });
    expect(resumed.resumeTraining.run.status).toBe('QUEUED');
    const cancelled = await api.run('cancel-training', { run: first });
    expect(cancelled.cancelTraining).toMatchObject({ run: { status: 'CANCELLED', availableActions: [] } });
    const events = await api.events(first);
    expect(seqs(events)).toEqual(events.map((_, i) => i + 1));
    expect(events.at(-1).status).toBe('CANCELLED');
  });
});
