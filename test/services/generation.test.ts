import { randomUUID } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/core/global-id.ts';
import { leadingConditions } from '../../src/core/mix.ts';
import { recipeIn } from '../../src/core/picture-metadata.ts';
import { encodeRecipe, seedOf } from '../../src/core/recipe.ts';
import { MAX_SEED } from '../../src/core/seeds.ts';
import { Generator } from '../../src/engine/host/generator.ts';
import type { GenerateRequest, Picture } from '../../src/services/generation.ts';
import { imageOriginal } from '../../src/services/originals.ts';
import type { Encoding } from '../../src/services/pictures.ts';
import { imagesByIds } from '../../src/store/images.ts';
import { labelBySlug } from '../../src/store/labels.ts';
import { insertModel } from '../../src/store/models.ts';
import { openTestStore } from '../helpers/database.ts';
import { ASKER, type Lab, openLab, type Pictures } from '../helpers/lab.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { SCRIPTED } from '../helpers/scripted.ts';

let store: Awaited<ReturnType<typeof openTestStore>>;
let lab: Lab;
let engine: Generator;
let pictures: Pictures;
/** Pictures asked of the engine, message by message. */
const painted: number[] = [];

/** The services as they are after a restart: nothing in memory. */
function fresh(): Promise<Pictures> {
  return lab.paintWith({
    ready: true,
    paint: (modelDir, requests) => {
      painted.push(requests.length);
      return engine.paint(modelDir, requests);
    },
  });
}

beforeAll(async () => {
  store = await openTestStore();
  lab = await openLab(store);
  await lab.writeStarter();
  await lab.models.registerStarter();
  engine = Generator.start({ device: 'cpu', heartbeatTimeoutMs: 10_000, log: recordingLog(), program: SCRIPTED });
  pictures = await fresh();
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
});

const generate = (request: GenerateRequest, by = pictures) => by.generation.generate(request, ASKER);
const deliver = (id: string, encoding: Encoding, { delivery, painting } = pictures) =>
  delivery.bytes(imageOriginal(painting, id), encoding, ASKER);
const bytes = (id: string, format: 'png' | 'webp', by = pictures) => deliver(id, { format }, by);
const conditionsOf = (picture: Picture | undefined) => leadingConditions(picture?.recipe.mix ?? []);
const seedIn = (picture: Picture | undefined) => (picture === undefined ? undefined : seedOf(picture.recipe));
const ask = { label: 'Ukiyo-e', n: 1, truncation: 1 };

describe('generate', () => {
  it('paints n different pictures in one message, and each again alone, also after a restart', async () => {
    painted.length = 0;
    const eight = await generate({ ...ask, n: 8, seed: 5 });
    expect(painted).toEqual([8]);
    expect(eight.map(seedIn)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
    expect(new Set(eight.map(({ sha256 }) => sha256)).size).toBe(8);
    expect(eight[0]).toMatchObject({ width: 32, height: 32 });
    expect(conditionsOf(eight[0])).toEqual({ style: 'ukiyo-e' });
    const [third] = await generate({ label: 'ukiyo e', n: 1, seed: 7, truncation: 1 }, await fresh());
    expect(third).toEqual(eight[2]);
    expect(await (await fresh()).generation.byRecipe(eight[2]?.id ?? '', ASKER)).toEqual(eight[2]);
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
    await expect(generate({ ...ask, label: 'my style' })).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      message: expect.stringMatching(new RegExp(`"My own" does.*model: "${encodeGlobalId('Model', id)}"`)),
      path: ['label'],
    });
    await expect(generate({ ...ask, label: 'nobody knows' })).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      message: expect.not.stringContaining('My own'),
    });
  });

  it('draws a seed where none is given, and tells it', async () => {
    const [first] = await generate(ask);
    const [second] = await generate(ask);
    expect(seedIn(first)).not.toBe(seedIn(second));
    expect(await generate({ ...ask, seed: seedIn(first) })).toEqual([first]);
  });

  it('lets the seeds of one request run on from the largest to 0', async () => {
    const two = await generate({ ...ask, n: 2, seed: MAX_SEED });
    expect(two.map(seedIn)).toEqual([MAX_SEED, 0]);
  });

  it('asks the engine for nothing that it knows', async () => {
    await generate({ ...ask, seed: 100, n: 4 });
    painted.length = 0;
    await generate({ ...ask, seed: 100, n: 4 });
    expect(painted).toEqual([]);
    await generate({ ...ask, seed: 102, n: 4 });
    expect(painted).toEqual([2]);
  });

  it.each(['Ukiyo-e', 'ukiyo-e', 'UKIYO E', 'ukiyo_e'])('understands the label %s', async (label) => {
    const [picture] = await generate({ ...ask, label });
    expect(conditionsOf(picture)).toEqual({ style: 'ukiyo-e' });
  });

  it('understands the id of a label, global or not', async () => {
    const row = await labelBySlug(lab.store.db, 'artist', 'claude-monet');
    for (const label of [row?.id ?? '', encodeGlobalId('Artist', row?.id ?? '')]) {
      const [picture] = await generate({ ...ask, label });
      expect(conditionsOf(picture)).toEqual({ artist: 'claude-monet' });
    }
  });

  it('combines kinds, and paints without any', async () => {
    const { label: _, ...unlabelled } = ask;
    const [both] = await generate({
      ...unlabelled,
      conditions: { artist: 'Monet, Claude'.split(', ').reverse().join(' '), style: 'ukiyo-e' },
    });
    expect(conditionsOf(both)).toEqual({ artist: 'claude-monet', style: 'ukiyo-e' });
    const [none] = await generate({ ...unlabelled, conditions: {} });
    expect(conditionsOf(none)).toEqual({});
  });

  it('tells what it does not know, with suggestions', async () => {
    await expect(generate({ ...ask, label: 'Ukiyoe prints' })).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      path: ['label'],
      suggestions: ['Ukiyo-e'],
    });
    const { label: _, ...unlabelled } = ask;
    await expect(generate({ ...unlabelled, conditions: { genre: 'portrait' } })).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      message: 'This model knows no genres, only artists and styles.',
      path: ['conditions', 'genre'],
    });
    await expect(generate({ ...unlabelled, conditions: { artist: 'Claude Manet' } })).rejects.toMatchObject({
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
    await expect(generate({ ...ask, ...mistake })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path: [field],
    });
  });

  it('refuses a model that is not there', async () => {
    await expect(generate({ ...ask, model: 'none' })).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
  });
});

describe('mixes', () => {
  const half = [
    { label: 'Ukiyo-e', weight: 2 },
    { conditions: { artist: 'claude monet' }, weight: 2 },
  ];

  it('ask for several combinations by their weights, in any order', async () => {
    const { label: _, ...unlabelled } = ask;
    const [picture] = await generate({ ...unlabelled, mix: half, seed: 5 });
    expect(picture?.recipe.mix).toEqual([
      { weight: 0.5, conditions: { artist: 'claude-monet' } },
      { weight: 0.5, conditions: { style: 'ukiyo-e' } },
    ]);
    expect(await generate({ ...unlabelled, mix: half.toReversed(), seed: 5 })).toEqual([picture]);
    const [plain] = await generate({ ...unlabelled, mix: [{ label: 'Ukiyo-e', weight: 0.1 }], seed: 5 });
    expect(await generate({ ...ask, seed: 5 })).toEqual([plain]);
  });

  it.each([
    [{ label: 'Ukiyo-e', mix: half }, 'INVALID_INPUT', ['mix']],
    [{ mix: [] }, 'INVALID_INPUT', ['mix']],
    [{ mix: [{ label: 'Ukiyo-e', weight: 0 }] }, 'INVALID_INPUT', ['mix']],
    [{ mix: [{ label: 'Ukiyo-e', weight: -1 }] }, 'INVALID_INPUT', ['mix', '0', 'weight']],
    [{ mix: [{ label: 'Ukiyo-e', weight: Number.NaN }] }, 'INVALID_INPUT', ['mix', '0', 'weight']],
    [{ mix: [...half, { label: 'nobody', weight: 1 }] }, 'UNKNOWN_LABEL', ['mix', '2', 'label']],
  ])('are refused as %j', async (request, code, path) => {
    await expect(generate({ n: 1, truncation: 1, ...request })).rejects.toMatchObject({ code, path });
  });
});

describe('variations', () => {
  it('have the same labels and a latent near that of the picture', async () => {
    const [of] = await generate({ ...ask, seed: 7, truncation: 0.8 });
    const request = { of: of?.id ?? '', strength: 1 / 3, n: 2, seed: 3 };
    const two = await pictures.generation.variations(request, ASKER);
    expect(two.map(({ recipe }) => recipe.mix)).toEqual([of?.recipe.mix, of?.recipe.mix]);
    // 30 degrees: cos 30 = 0.866025, sin 30 = 0.5.
    expect(two.map(({ recipe }) => recipe.source)).toEqual(
      [3, 4].map((seed) => ({
        kind: 'latent',
        truncation: 0.8,
        latent: [
          { weight: 0.5, seed },
          { weight: 0.866025, seed: 7 },
        ],
      })),
    );
    expect(await (await fresh()).generation.byRecipe(two[1]?.id ?? '', ASKER)).toEqual(two[1]);
    expect(await pictures.generation.variations({ ...request, strength: 0, n: 1 }, ASKER)).toEqual([of]);
  });

  it.each([
    [{ strength: 1.5 }, 'INVALID_INPUT', ['strength']],
    [{ n: 65 }, 'INVALID_INPUT', ['n']],
    [{ seed: -1 }, 'INVALID_INPUT', ['seed']],
    [{ of: 'nonsense' }, 'NOT_FOUND', ['of']],
  ])('are refused with %j', async (mistake, code, path) => {
    const [of] = await generate({ ...ask, seed: 7 });
    const request = { of: of?.id ?? '', strength: 0.5, n: 1, ...mistake };
    await expect(pictures.generation.variations(request, ASKER)).rejects.toMatchObject({ code, path });
  });
});

describe('a grid', () => {
  const request = { gridBy: { rows: 'artists', columns: 'seeds' }, truncation: 1, seed: 4 } as const;

  it('has a picture for each row and column, the ones that they would be alone', async () => {
    const grid = await pictures.generation.grid({ ...request, conditions: { style: 'ukiyo e' } }, ASKER);
    expect([grid.rows.length, grid.columns.length, grid.pictures.length]).toEqual([1, 6, 6]);
    const conditions = { artist: 'claude monet', style: 'ukiyo-e' };
    expect(grid.pictures).toEqual(await generate({ conditions, truncation: 1, n: 6, seed: 4 }));
    const byLabel = { rows: 'artists', columns: 'styles' } as const;
    const small = await pictures.generation.grid({ ...request, gridBy: byLabel, rows: ['Claude Monet'] }, ASKER);
    expect(small.columns).toEqual([{ kind: 'style', slug: 'ukiyo-e' }]);
    expect(small.pictures).toEqual(await generate({ conditions, truncation: 1, n: 1, seed: 4 }));
  });

  it.each([
    [{ gridBy: { rows: 'artists', columns: 'artists' } }, 'INVALID_INPUT', ['gridBy']],
    [{ gridBy: { rows: 'genres', columns: 'artists' } }, 'UNKNOWN_LABEL', ['gridBy', 'rows']],
    [{ rows: ['Claude Manet'] }, 'UNKNOWN_LABEL', ['rows', '0']],
    [{ rows: [] }, 'INVALID_INPUT', ['rows']],
    [{ columns: ['1'] }, 'INVALID_INPUT', ['columns']],
    [{ rows: Array.from({ length: 20 }, () => 'claude-monet') }, 'INVALID_INPUT', ['rows']],
  ] as const)('is refused with %j', async (mistake, code, path) => {
    const wrong = { ...request, ...mistake };
    await expect(pictures.generation.grid(wrong, ASKER)).rejects.toMatchObject({ code, path });
  });
});

describe('reconstruct', () => {
  it('says that a model without a discriminator cannot do it', async () => {
    const request = { upload: 'ab'.repeat(32) };
    await expect(pictures.generation.reconstruct(request, ASKER)).rejects.toMatchObject({ code: 'NO_DISCRIMINATOR' });
  });
});

describe('bytes', () => {
  it('gives the PNG that the picture promised, and other formats and widths', async () => {
    const [picture] = await generate({ ...ask, seed: 200 });
    const id = picture?.id ?? '';
    expect(await bytes(id, 'png')).toMatchObject({ sha256: picture?.sha256 });
    const webp = await deliver(id, { format: 'webp', width: 64 }, await fresh());
    expect(await sharp(webp.body).metadata()).toMatchObject({ format: 'webp', width: 64, height: 64 });
  });

  it('carries the recipe in every format, and none in pictures of version 1', async () => {
    const [picture] = await generate({ ...ask, seed: 201 });
    for (const format of ['png', 'webp', 'jpeg', 'avif'] as const) {
      const { body } = await deliver(picture?.id ?? '', { format, width: 48 });
      const found = recipeIn((await sharp(body).metadata()).xmp?.toString() ?? '');
      const { modelId, ...recipe } = picture?.recipe ?? expect.fail('there is no picture');
      const { sha256 } = await lab.models.resolve(modelId);
      expect(found).toEqual({ kind: 'recipe', recipe: { ...recipe, modelId: sha256 } });
    }
    const old = picture && encodeRecipe({ ...picture.recipe, version: 1 });
    const file = await bytes(old ?? '', 'png');
    expect((await sharp(file.body).metadata()).xmp).toBeUndefined();
    const [before, now] = await Promise.all(
      [file, await bytes(picture?.id ?? '', 'png')].map(({ body }) => sharp(body).raw().toBuffer()),
    );
    expect(now).toEqual(before);
  });

  it('knows no picture by another text', async () => {
    const [picture] = await generate(ask);
    for (const id of ['', 'nonsense', `${picture?.id}A`, encodeGlobalId('GeneratedImage', 'x')]) {
      await expect(bytes(id, 'png')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
  });
});

describe('keep', () => {
  it('puts pictures into the gallery once, with their labels, and then needs no engine for them', async () => {
    const [first, second] = await generate({ ...ask, n: 2, seed: 300 });
    const ids = [second?.id ?? '', encodeGlobalId('GeneratedImage', first?.id ?? '')];
    const kept = await pictures.gallery.keep({ images: ids }, ASKER);
    expect(kept.map(({ id }) => id)).toEqual([second?.id, first?.id]);
    expect(kept[0]).toMatchObject({ seed: 301, sha256: second?.sha256, width: 32, artistId: null });
    expect(kept[0]?.styleId).toBe((await labelBySlug(lab.store.db, 'style', 'ukiyo-e'))?.id);
    expect(await pictures.gallery.keep({ images: ids }, ASKER)).toEqual(kept);
    painted.length = 0;
    const later = await fresh();
    expect((await later.generation.byRecipe(first?.id ?? '', ASKER)).sha256).toBe(first?.sha256);
    expect((await bytes(first?.id ?? '', 'png', later)).sha256).toBe(first?.sha256);
    expect(painted).toEqual([]);
  });

  it('names the id that is no picture, and keeps nothing', async () => {
    const [picture] = await generate({ ...ask, seed: 400 });
    await expect(pictures.gallery.keep({ images: [picture?.id ?? '', 'nonsense'] }, ASKER)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      path: ['input', 'images', '1'],
    });
    expect(await imagesByIds(store.db, [picture?.id ?? ''])).toEqual([]);
  });
});
