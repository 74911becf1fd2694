import { describe, expect, it } from 'vitest';
import { isLatent, type Latent, latentBetween, leadingSeed, plainLatent, variationOf } from '../../src/core/latents.ts';

const squares = (latent: Latent) => latent.reduce((sum, { weight }) => sum + weight ** 2, 0);

describe('a latent', () => {
  it('turns towards another seed as far as the strength says', () => {
    const from = plainLatent(7);
    expect(variationOf(from, 0, 3)).toEqual(from);
    expect(variationOf(from, 1, 3)).toEqual(plainLatent(3));
    // 30 of 90 degrees: cos 30 = 0.866025, sin 30 = 0.5. In the order of the seeds.
    expect(variationOf(from, 1 / 3, 3)).toEqual([
      { weight: 0.5, seed: 3 },
      { weight: 0.866025, seed: 7 },
    ]);
  });

  it('keeps its variance, and its order, through variations of variations', () => {
    let latent = plainLatent(100);
    for (const seed of [5, 900, 100, 5, 41, 42]) {
      latent = variationOf(latent, 0.3, seed);
      expect(isLatent(latent)).toBe(true);
      expect(squares(latent)).toBeCloseTo(1, 4);
    }
    expect(latent.map(({ seed }) => seed)).toEqual([5, 41, 42, 100, 900]);
    expect(leadingSeed(latent)).toBe(100);
  });

  it('goes from one to another on the sphere, with both ends as they are', () => {
    const [from, to] = [plainLatent(1), plainLatent(2)];
    expect(latentBetween(from, to, 0)).toEqual(from);
    expect(latentBetween(from, to, 1)).toEqual(to);
    // A third of 90 degrees: sin 60 = 0.866025, sin 30 = 0.5.
    expect(latentBetween(from, to, 1 / 3)).toEqual([
      { weight: 0.866025, seed: 1 },
      { weight: 0.5, seed: 2 },
    ]);
    // A variation of strength 2/3 lies 60 degrees away: half-way is the one of strength 1/3, but for roundings.
    const [first, second] = latentBetween(from, variationOf(from, 2 / 3, 2), 0.5);
    expect(first?.weight).toBeCloseTo(0.866025, 5);
    expect(second?.weight).toBeCloseTo(0.5, 5);
    expect(latentBetween(from, from, 0.4)).toEqual(from);
  });

  it('is refused where it would be made of too many seeds', () => {
    let latent = plainLatent(0);
    for (let seed = 1; seed < 16; seed++) latent = variationOf(latent, 0.3, seed);
    expect(() => variationOf(latent, 0.3, 99)).toThrow(/made of 17 seeds/);
  });

  it.each([
    [[]],
    [[{ weight: 0.5, seed: 1 }]],
    [
      [
        { weight: 0.6, seed: 2 },
        { weight: 0.8, seed: 1 },
      ],
    ],
    [
      [
        { weight: 1, seed: 1 },
        { weight: 0, seed: 2 },
      ],
    ],
  ])('is not %j', (latent) => expect(isLatent(latent)).toBe(false));
});
