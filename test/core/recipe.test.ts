import { describe, expect, it } from 'vitest';
import { decodeRecipe, encodeRecipe, seedAt } from '../../src/core/recipe.ts';
import { MAX_SEED } from '../../src/core/seeds.ts';

const recipe = { modelId: 'm1', conditions: { style: 'ukiyo-e' }, seed: MAX_SEED, truncation: 0.7 };

describe('a recipe', () => {
  it('comes back from its id', () => expect(decodeRecipe(encodeRecipe(recipe))).toEqual(recipe));

  it.each([
    '',
    'abc',
    encodeRecipe(recipe).slice(0, -2),
    `${encodeRecipe(recipe)}A`,
    Buffer.from('[1,2]').toString('base64url'),
  ])('is not read out of %j', (id) => expect(decodeRecipe(id)).toBeUndefined());

  it('is not read out of a seed or a truncation that no picture can have', () => {
    const forged = (seed: unknown, truncation: unknown) =>
      Buffer.from(JSON.stringify([1, 'm1', null, null, null, seed, truncation])).toString('base64url');
    for (const id of [forged(-1, 1), forged(2 ** 53, 1), forged(1, 2), forged('1', 1), forged(1.5, 1)])
      expect(decodeRecipe(id)).toBeUndefined();
  });

  it('numbers the seeds of one request from the first, around the end of the integers', () => {
    expect([0, 1, 2].map((i) => seedAt(MAX_SEED - 1, i))).toEqual([MAX_SEED - 1, MAX_SEED, 0]);
    expect(seedAt(5, 3)).toBe(8);
  });
});
