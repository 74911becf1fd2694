/** The real engine child, with real TensorFlow, over real IPC. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainLatent } from '../../src/core/latents.ts';
import { type Mix, mixOf, plainMix } from '../../src/core/mix.ts';
import { CARD_FILE, modelCard } from '../../src/core/model-card.ts';
import { PRESETS } from '../../src/core/presets.ts';
import type { FinishedPack } from '../../src/datasets/pack.ts';
import { sha256, writeFolder } from '../../src/engine/child/durable.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/engine/child/safetensors.ts';
import { Generator } from '../../src/engine/host/generator.ts';
import { TrainerChild } from '../../src/engine/host/trainer.ts';
import type { FromTrainer, TrainJob } from '../../src/engine/protocol.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { tinyPack } from '../helpers/tiny-pack.ts';

let folder: string;
let pack: FinishedPack;
const host = { device: 'cpu', heartbeatTimeoutMs: 30_000, log: recordingLog() } as const;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'artgan-child-'));
  pack = await tinyPack(join(folder, 'datasets'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function job(name: string, changes: Partial<TrainJob> = {}): TrainJob {
  const checkpointsDir = join(folder, name, 'checkpoints');
  mkdirSync(checkpointsDir, { recursive: true });
  return {
    name,
    config: {
      ...PRESETS.studio.config,
      preset: 'studio',
      resolution: 32,
      labelKinds: ['style'],
      width: 2,
      latentSize: 4,
      batchSize: 4,
      metricsEvery: 2,
      sampleEvery: 4,
      checkpointEvery: 3,
    },
    seed: 11,
    totalSteps: 8,
    pack: pack.path,
    packSha256: pack.sha256,
    checkpointsDir,
    resumeFrom: [],
    classifiersDir: join(folder, 'classifiers'),
    measuredStep: 0,
    modelDir: join(folder, name, 'model'),
    ...changes,
  };
}

async function run(
  what: TrainJob,
  onEvent: (event: FromTrainer, child: TrainerChild) => void = () => {},
): Promise<FromTrainer[]> {
  const child = TrainerChild.start(what, host);
  const events: FromTrainer[] = [];
  for await (const event of child) {
    events.push(event);
    onEvent(event, child);
  }
  return events;
}
const checkpointsOf = (events: readonly FromTrainer[]) => events.filter((event) => event.type === 'checkpoint');
const briefly = (events: readonly FromTrainer[]) =>
  events.flatMap((event) => ('step' in event && event.type !== 'ended' ? [`${event.type} ${event.step}`] : []));

/** A checkpoint like the one in `dir` that was whole when it was written, but holds a NaN. */
function withNaN(dir: string): string {
  const { tensors, metadata } = decodeSafetensors(readFileSync(join(dir, 'state.safetensors')));
  tensors.get('weights/generator.rgb.bias')?.values.fill(Number.NaN);
  const state = encodeSafetensors(tensors, metadata);
  const manifest = { format: 1, step: Number(metadata['step']), sha256: sha256(state), bytes: state.length };
  const broken = `${dir}-nan`;
  writeFolder(
    broken,
    new Map([
      ['state.safetensors', state],
      ['manifest.json', Buffer.from(`${JSON.stringify(manifest)}\n`)],
    ]),
  );
  return broken;
}

describe('the trainer child', () => {
  it('tells everything in order, and leaves checkpoints and a model that paints', async () => {
    const what = job('whole');
    const events = await run(what);
    expect(briefly(events)).toEqual([
      'started 0',
      'metrics 2',
      'checkpoint 3',
      'metrics 4',
      'sample 4',
      'metrics 6',
      'checkpoint 6',
      'metrics 8',
      'sample 8',
      'checkpoint 8',
    ]);
    expect(events.at(-1)).toEqual({ type: 'ended', step: 8, reason: 'finished', message: null });
    const sample = events.find((event) => event.type === 'sample');
    expect(sample).toMatchObject({ columns: 2, rows: 4, labels: ['Blue', 'Red'], width: 64, height: 128 });

    const card = modelCard.parse(JSON.parse(readFileSync(join(what.modelDir, CARD_FILE), 'utf8')));
    expect(card.labels.style.map(({ slug }) => slug)).toEqual(['blue', 'red']);
    expect(card.provenance).toMatchObject({
      seed: 11,
      step: 8,
      datasetSha256: pack.sha256,
      checkpointSha256: checkpointsOf(events).at(-1)?.sha256,
    });

    await using generator = Generator.start(host);
    const ask = { mix: plainMix({ style: 'red' }), latent: plainLatent(5), truncation: 1 };
    const one = await generator.paint(what.modelDir, [ask]);
    const others = [{ ...ask, latent: plainLatent(6) }, ask, { ...ask, mix: plainMix({}) }];
    const three = await generator.paint(what.modelDir, others);
    const size = 32 * 32 * 3;
    expect([one.width, one.height, one.pixels.length, three.pixels.length]).toEqual([32, 32, size, 3 * size]);
    expect(Buffer.compare(three.pixels.subarray(size, 2 * size), one.pixels)).toBe(0);
    const unknown = (mix: Mix) => expect(generator.paint(what.modelDir, [{ ...ask, mix }])).rejects;
    await unknown(plainMix({ style: 'green' })).toThrow('green');
    await unknown(plainMix({ artist: 'red' })).toThrow('artist');

    // What comes at once is painted together: each is answered with its own, and a mistake is told to the one that made it.
    const [first, mistaken, last] = await Promise.allSettled([
      generator.paint(what.modelDir, [ask]),
      generator.paint(what.modelDir, [{ ...ask, mix: plainMix({ style: 'green' }) }]),
      generator.paint(what.modelDir, others),
    ]);
    expect(first).toMatchObject({ status: 'fulfilled', value: { pixels: one.pixels } });
    expect(mistaken).toMatchObject({ status: 'rejected', reason: { code: 'UNKNOWN_LABEL' } });
    expect(last).toMatchObject({ status: 'fulfilled', value: { pixels: three.pixels } });

    // Half red and half blue lies between the two; a picture goes through the discriminator beside painted ones.
    const half = mixOf([ask.mix, plainMix({ style: 'blue' })].flat());
    const between = [ask, { ...ask, mix: half }, { ...ask, mix: plainMix({ style: 'blue' }) }];
    const mixed = await generator.paint(what.modelDir, between);
    expect(Buffer.compare(mixed.pixels.subarray(0, size), one.pixels)).toBe(0);
    expect(
      new Set([0, 1, 2].map((i) => Buffer.from(mixed.pixels.subarray(i * size, (i + 1) * size)).toString('hex'))).size,
    ).toBe(3);
    const upload = { mix: plainMix({}), pixels: Uint8Array.from({ length: size }, (_, i) => i % 251) };
    const [alone, among] = [
      await generator.paint(what.modelDir, [upload]),
      await generator.paint(what.modelDir, [ask, upload, ask]),
    ];
    expect(Buffer.compare(among.pixels.subarray(0, size), one.pixels)).toBe(0);
    expect(Buffer.compare(among.pixels.subarray(size, 2 * size), alone.pixels)).toBe(0);
    const said = await generator.classify(what.modelDir, upload.pixels);
    expect(said.map(({ kind, labels }) => [kind, labels.length])).toEqual([['style', 2]]);
    const total = (said[0]?.labels ?? []).reduce((sum, value) => sum + value, said[0]?.fake ?? 0);
    expect(total).toBeCloseTo(1, 5);
  });

  it('measures its generator on its schedule, with a checkpoint, and once more what was interrupted', async () => {
    const works = await tinyPack(join(folder, 'forty'), 40);
    const config = { ...job('measured').config, evaluateEvery: 4, checkpointEvery: 100 };
    const what = job('measured', { config, pack: works.path, packSha256: works.sha256 });
    const events = await run(what);
    const ofMeasures = events.filter((event) => event.type === 'measures');
    expect(ofMeasures.map(({ step }) => step)).toEqual([4, 8]);
    expect(checkpointsOf(events).map(({ step }) => step)).toEqual([4, 8]);
    expect(ofMeasures[0]).toMatchObject({ pictures: 40, fidelity: [{ kind: 'style', chance: 0.5 }] });
    expect(ofMeasures[0]?.reconstruction).toBeGreaterThan(0);
    // Saved at step 4, but not measured: as when it was paused in the middle.
    const [first] = checkpointsOf(events);
    const again = await run({ ...what, resumeFrom: [first?.dir ?? ''] });
    expect(again.filter((event) => event.type === 'measures')).toEqual(ofMeasures);
    const known = await run({ ...what, resumeFrom: [first?.dir ?? ''], measuredStep: 4 });
    expect(known.filter((event) => event.type === 'measures')).toEqual(ofMeasures.slice(1));
  });

  it('goes on without measures where the collection has too few labels, and says so', async () => {
    const config = { ...job('few').config, evaluateEvery: 4 };
    const told: string[] = [];
    const log = { ...host.log, warn: (_fields: object, message: string) => void told.push(message) };
    const child = TrainerChild.start(job('few', { config }), { ...host, log });
    const events: FromTrainer[] = [];
    for await (const event of child) events.push(event);
    expect(events.at(-1)).toMatchObject({ reason: 'finished' });
    expect(told).toEqual([expect.stringContaining('at least two labels')]);
  });

  it('ends with the same weights when it was paused and went on', async () => {
    const alone = checkpointsOf(await run(job('alone'))).at(-1);
    const first = await run(job('paused'), (event, child) => {
      if (event.type === 'metrics' && event.step === 4) child.stop('pause');
    });
    expect(first.at(-1)).toMatchObject({ reason: 'pause' });
    const saved = checkpointsOf(first).map(({ dir }) => dir);
    const second = await run(job('paused', { resumeFrom: saved.toReversed() }));
    expect(second[1]).toMatchObject({ type: 'started', step: checkpointsOf(first).at(-1)?.step, damaged: [] });
    expect(checkpointsOf(second).at(-1)?.sha256).toBe(alone?.sha256);
  });

  it('passes over a damaged checkpoint, says so, and goes on from the one before', async () => {
    const saved = checkpointsOf(await run(job('damaged'))).map(({ dir }) => dir);
    const newest = join(saved.at(-1) ?? '', 'state.safetensors');
    writeFileSync(newest, readFileSync(newest).subarray(1));
    const again = await run(job('damaged', { resumeFrom: saved.toReversed() }));
    expect(again[1]).toMatchObject({ type: 'started', step: 6, damaged: [expect.stringContaining('SHA-256')] });
    expect(again.at(-1)).toMatchObject({ reason: 'finished' });
  });

  it('writes no checkpoint when it is cancelled', async () => {
    const events = await run(job('cancelled', { totalSteps: 1_000_000 }), (event, child) => {
      if (event.type === 'started') child.stop('cancel');
    });
    expect(events.at(-1)).toMatchObject({ type: 'ended', reason: 'cancel' });
    expect(checkpointsOf(events).length).toBeLessThanOrEqual(1);
  });

  it('ends as diverged where a loss is no number any more', async () => {
    const [first] = checkpointsOf(await run(job('diverged')));
    const broken = withNaN(first?.dir ?? '');
    const events = await run(job('diverged', { resumeFrom: [broken] }));
    expect(events.at(-1)).toMatchObject({
      type: 'ended',
      step: 4,
      reason: 'diverged',
      message: expect.stringContaining('learning rates'),
    });
  });

  it('refuses a pack whose bytes are not the ones that were imported', async () => {
    const events = await run(job('wrong-pack', { packSha256: '0'.repeat(64) }));
    expect(events.at(-1)).toMatchObject({
      type: 'ended',
      reason: 'failed',
      message: expect.stringContaining('SHA-256'),
    });
  });
});
