import { describe, expect, it } from 'vitest';
import { plainLatent, variationOf } from '../../src/core/latents.ts';
import { mixOf, plainMix } from '../../src/core/mix.ts';
import { decodeRecipe, encodeRecipe, recipeOf, seedAt, seedOf, truncationOf } from '../../src/core/recipe.ts';
import { MAX_SEED } from '../../src/core/seeds.ts';

const plain = recipeOf({
  modelId: 'm1',
  mix: plainMix({ style: 'ukiyo-e' }),
  latent: plainLatent(MAX_SEED),
  truncation: 0.7,
});
const mixed = recipeOf({
  modelId: 'm1',
  mix: mixOf([
    { weight: 1, conditions: { style: 'ukiyo-e' } },
    { weight: 2, conditions: { artist: 'rembrandt', genre: 'portrait' } },
  ]),
  latent: variationOf(variationOf(plainLatent(5), 0.2, 9), 0.1, 3),
  truncation: 1,
});
const repainted = {
  version: 2,
  modelId: 'm1',
  mix: plainMix({}),
  source: { kind: 'upload', sha256: 'ab'.repeat(32) },
} as const;
const idOf = (fields: unknown) => Buffer.from(JSON.stringify(fields)).toString('base64url');

describe('a recipe', () => {
  it.each([plain, mixed, repainted])('comes back from its id: %j', (recipe) =>
    expect(decodeRecipe(encodeRecipe(recipe))).toEqual(recipe),
  );

  it('is written as this project has always written it', () => {
    expect(encodeRecipe(plain)).toBe(idOf([2, 'm1', [[1, null, 'ukiyo-e', null]], [0.7, [[1, MAX_SEED]]]]));
    expect(encodeRecipe(repainted)).toBe(idOf([2, 'm1', [[1, null, null, null]], 'ab'.repeat(32)]));
  });

  it('of version 1 is still read, and keeps its id', () => {
    const id = idOf([1, 'm1', null, 'ukiyo-e', null, 12, 0.5]);
    const recipe = decodeRecipe(id);
    expect(recipe).toEqual({
      ...plain,
      version: 1,
      source: { kind: 'latent', latent: plainLatent(12), truncation: 0.5 },
    });
    expect(recipe && encodeRecipe(recipe)).toBe(id);
  });

  it('says what it is listed under', () => {
    expect([plain, mixed, repainted].map(seedOf)).toEqual([MAX_SEED, 5, 0]);
    expect([plain, mixed, repainted].map(truncationOf)).toEqual([0.7, 1, 1]);
  });

  it.each([
    '',
    'abc',
    encodeRecipe(plain).slice(0, -2),
    `${encodeRecipe(plain)}A`,
    idOf([1, 2]),
    idOf([3, 'm1', [[1, null, null, null]], [1, [[1, 1]]]]),
  ])('is not read out of %j', (id) => expect(decodeRecipe(id)).toBeUndefined());

  it('is not read out of what no picture can have', () => {
    const one = [[1, null, 'a', null]];
    for (const fields of [
      ...[-1, 2 ** 53, '1', 1.5].map((seed) => [1, 'm1', null, null, null, seed, 1]),
      [1, 'm1', null, null, null, 1, 2],
      [2, 'm1', one, [2, [[1, 1]]]],
      [2, 'm1', one, [1, []]],
      [2, 'm1', one, [1, [[0.5, 1]]]],
      [2, 'm1', one, [1, [[2, 1]]]],
      [2, 'm1', [], [1, [[1, 1]]]],
      [2, 'm1', [[0.5, null, 'a', null]], [1, [[1, 1]]]],
      [2, 'm1', [...one, ...one], [1, [[1, 1]]]],
      [2, 'm1', one, 'AB'.repeat(32)],
      [2, 'm\0', one, [1, [[1, 1]]]],
    ])
      expect(decodeRecipe(idOf(fields)), JSON.stringify(fields)).toBeUndefined();
  });

  it('numbers the seeds of one request from the first, around the end of the integers', () => {
    expect([0, 1, 2].map((i) => seedAt(MAX_SEED - 1, i))).toEqual([MAX_SEED - 1, MAX_SEED, 0]);
    expect(seedAt(5, 3)).toBe(8);
  });
});
