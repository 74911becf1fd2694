import { describe, expect, it } from 'vitest';
import { integers, MAX_SEED, normal, philox, uniform } from '../../src/core/seeds.ts';

describe('philox', () => {
  it('gives the published numbers for an all-zero counter and key (Random123, kat_vectors)', () => {
    const out = new Uint32Array(4);
    philox(out, [0, 0], [0, 0, 0]);
    expect([...out]).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  });
});

describe('draws', () => {
  it('are the same for the same seed, purpose and counter, and a longer draw begins like a shorter one', () => {
    expect(normal(7, 'trainLatent', 3, 10)).toEqual(normal(7, 'trainLatent', 3, 10));
    expect([...uniform(7, 'flip', 3, 100).subarray(0, 10)]).toEqual([...uniform(7, 'flip', 3, 10)]);
  });

  it('differ where the seed, the purpose or the counter differ, also beyond 32 bits', () => {
    const draws = [
      uniform(1, 'flip', 1, 4),
      uniform(2, 'flip', 1, 4),
      uniform(1, 'crop', 1, 4),
      uniform(1, 'flip', 2, 4),
      uniform(1 + 2 ** 32, 'flip', 1, 4),
      uniform(1, 'flip', 1 + 2 ** 32, 4),
      uniform(MAX_SEED, 'flip', 1, 4),
    ];
    expect(new Set(draws.map(String)).size).toBe(draws.length);
  });

  it('have the mean and the spread that their names promise', () => {
    const values = normal(5, 'weights', 0, 100_000);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(0, 1);
    expect(variance).toBeCloseTo(1, 1);
    const dice = integers(5, 'shuffle', 0, 60_000, 6);
    for (let side = 0; side < 6; side++)
      expect(dice.filter((value) => value === side).length / 60_000).toBeCloseTo(1 / 6, 2);
  });
});
