import { randomUUID } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/core/global-id.ts';
import { MAX_SEED } from '../../src/core/seeds.ts';
import { Generator } from '../../src/engine/host/generator.ts';
import { GenerationService } from '../../src/services/generation.ts';
import { labelBySlug } from '../../src/store/labels.ts';
import { insertModel } from '../../src/store/models.ts';
import { openTestStore } from '../helpers/database.ts';
import { type Lab, openLab } from '../helpers/lab.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { SCRIPTED } from '../helpers/scripted.ts';

let store: Awaited<ReturnType<typeof openTestStore>>;
let lab: Lab;
let engine: Generator;
let generation: GenerationService;
/** Pictures asked of the engine, message by message. */
const painted: number[] = [];

/** The service as it is after a restart: nothing in memory. */
function fresh(): GenerationService {
  return new GenerationService({
    db: lab.store.db,
    blobs: lab.blobs,
    models: lab.models,
    engine: {
      ready: true,
      paint: (modelDir, pictures) => {
        painted.push(pictures.length);
        return engine.paint(modelDir, pictures);
      },
    },
  });
}

beforeAll(async () => {
  store = await openTestStore();
  lab = await openLab(store);
  await lab.writeStarter();
  await lab.models.registerStarter();
  engine = Generator.start({ device: 'cpu', heartbeatTimeoutMs: 10_000, log: recordingLog(), program: SCRIPTED });
  generation = fresh();
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
});

const ask = { label: 'Ukiyo-e', n: 1, truncation: 1 };

describe('generate', () => {
  it('paints n different pictures in one message, and each again alone, also after a restart', async () => {
    painted.length = 0;
    const eight = await generation.generate({ ...ask, n: 8, seed: 5 });
    expect(painted).toEqual([8]);
    expect(eight.map(({ seed }) => seed)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
    expect(new Set(eight.map(({ sha256 }) => sha256)).size).toBe(8);
    expect(eight[0]).toMatchObject({ width: 32, height: 32, conditions: { style: 'ukiyo-e' }, keptAt: null });
    const [third] = await fresh().generate({ label: 'ukiyo e', n: 1, seed: 7, truncation: 1 });
    expect(third).toEqual(eight[2]);
    expect(await fresh().byRecipe(eight[2]?.id ?? '')).toEqual(eight[2]);
  });

  it('names the model that knows a label which the default one does not', async () => {
    const card = lab.models.cardOf(await lab.models.resolve(undefined));
    const labels = { artist: [], style: [{ slug: 'my-style', name: 'My Style', count: 9 }], genre: [] };
    const { id } = await insertModel(store.db, {
      id: randomUUID(),
      name: 'My own',
      sha256: card.sha256,
      dir: 'elsewhere',
      resolution: 32,
      card: { ...card, labels },
    });
    await expect(generation.generate({ ...ask, label: 'my style' })).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      message: expect.stringMatching(new RegExp(`"My own" does.*model: "${encodeGlobalId('Model', id)}"`)),
      path: ['label'],
    });
    await expect(generation.generate({ ...ask, label: 'nobody knows' })).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      message: expect.not.stringContaining('My own'),
    });
  });

  it('draws a seed where none is given, and tells it', async () => {
    const [first] = await generation.generate(ask);
    const [second] = await generation.generate(ask);
    expect(first?.seed).not.toBe(second?.seed);
    expect(await generation.generate({ ...ask, seed: first?.seed })).toEqual([first]);
  });

  it('lets the seeds of one request run on from the largest to 0', async () => {
    const two = await generation.generate({ ...ask, n: 2, seed: MAX_SEED });
    expect(two.map(({ seed }) => seed)).toEqual([MAX_SEED, 0]);
  });

  it('asks the engine for nothing that it knows', async () => {
    await generation.generate({ ...ask, seed: 100, n: 4 });
    painted.length = 0;
    await generation.generate({ ...ask, seed: 100, n: 4 });
    expect(painted).toEqual([]);
    await generation.generate({ ...ask, seed: 102, n: 4 });
    expect(painted).toEqual([2]);
  });

  it.each(['Ukiyo-e', 'ukiyo-e', 'UKIYO E', 'ukiyo_e'])('understands the label %s', async (label) => {
    const [picture] = await generation.generate({ ...ask, label });
    expect(picture?.conditions).toEqual({ style: 'ukiyo-e' });
  });

  it('understands the id of a label, global or not', async () => {
    const row = await labelBySlug(lab.store.db, 'artist', 'claude-monet');
    for (const label of [row?.id ?? '', encodeGlobalId('Artist', row?.id ?? '')]) {
      const [picture] = await generation.generate({ ...ask, label });
      expect(picture?.conditions).toEqual({ artist: 'claude-monet' });
    }
  });

  it('combines kinds, and paints without any', async () => {
    const { label: _, ...unlabelled } = ask;
    const [both] = await generation.generate({
      ...unlabelled,
      conditions: { artist: 'Monet, Claude'.split(', ').reverse().join(' '), style: 'ukiyo-e' },
    });
    expect(both?.conditions).toEqual({ artist: 'claude-monet', style: 'ukiyo-e' });
    const [none] = await generation.generate({ ...unlabelled, conditions: {} });
    expect(none?.conditions).toEqual({});
  });

  it('tells what it does not know, with suggestions', async () => {
    await expect(generation.generate({ ...ask, label: 'Ukiyoe prints' })).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      path: ['label'],
      suggestions: ['Ukiyo-e'],
    });
    const { label: _, ...unlabelled } = ask;
    await expect(generation.generate({ ...unlabelled, conditions: { genre: 'portrait' } })).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      message: 'This model knows no genres, only artists and styles.',
      path: ['conditions', 'genre'],
    });
    await expect(generation.generate({ ...unlabelled, conditions: { artist: 'Claude Manet' } })).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      suggestions: ['Claude Monet'],
    });
  });

  it.each([
    [{ n: 0 }, 'n'],
    [{ n: 65 }, 'n'],
    [{ n: 1.5 }, 'n'],
    [{ seed: -1 }, 'seed'],
    [{ seed: 2 ** 53 }, 'seed'],
    [{ seed: 0.5 }, 'seed'],
    [{ truncation: 1.01 }, 'truncation'],
    [{ truncation: Number.NaN }, 'truncation'],
    [{ conditions: { style: 'ukiyo-e' } }, 'label'],
  ])('refuses %j', async (mistake, field) => {
    await expect(generation.generate({ ...ask, ...mistake })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path: [field],
    });
  });

  it('refuses a model that is not there', async () => {
    await expect(generation.generate({ ...ask, model: 'none' })).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
  });
});

describe('bytes', () => {
  it('gives the PNG that the picture promised, and other formats and widths', async () => {
    const [picture] = await generation.generate({ ...ask, seed: 200 });
    const id = picture?.id ?? '';
    const png = await generation.bytes(id, { format: 'png' });
    expect(png).toMatchObject({ type: 'image/png', sha256: picture?.sha256 });
    const webp = await fresh().bytes(id, { format: 'webp', width: 64 });
    expect(webp.type).toBe('image/webp');
    expect(await sharp(webp.body).metadata()).toMatchObject({ format: 'webp', width: 64, height: 64 });
  });

  it('knows no picture by another text', async () => {
    const [picture] = await generation.generate(ask);
    for (const id of ['', 'nonsense', `${picture?.id}A`, encodeGlobalId('GeneratedImage', 'x')]) {
      await expect(generation.bytes(id, { format: 'png' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
  });
});

describe('keep', () => {
  it('puts pictures into the gallery once, with their labels, and then needs no engine for them', async () => {
    const [first, second] = await generation.generate({ ...ask, n: 2, seed: 300 });
    const ids = [second?.id ?? '', encodeGlobalId('GeneratedImage', first?.id ?? '')];
    const kept = await generation.keep(ids);
    expect(kept.map(({ id }) => id)).toEqual([second?.id, first?.id]);
    expect(kept[0]).toMatchObject({ seed: 301, sha256: second?.sha256, width: 32, artistId: null });
    expect(kept[0]?.styleId).toBe((await labelBySlug(lab.store.db, 'style', 'ukiyo-e'))?.id);
    expect(await generation.keep(ids)).toEqual(kept);
    painted.length = 0;
    const later = fresh();
    expect((await later.byRecipe(first?.id ?? '')).keptAt).toEqual(kept[1]?.keptAt);
    expect((await later.bytes(first?.id ?? '', { format: 'png' })).sha256).toBe(first?.sha256);
    expect(painted).toEqual([]);
  });

  it('names the id that is no picture, and keeps nothing', async () => {
    const [picture] = await generation.generate({ ...ask, seed: 400 });
    await expect(generation.keep([picture?.id ?? '', 'nonsense'])).rejects.toMatchObject({
      code: 'NOT_FOUND',
      path: ['input', 'images', '1'],
    });
    expect((await fresh().byRecipe(picture?.id ?? '')).keptAt).toBeNull();
  });
});
