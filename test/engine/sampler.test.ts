import { describe, expect, it } from 'vitest';
import { PRESETS, type TrainConfig } from '../../src/core/presets.ts';
import type { PackIndex } from '../../src/datasets/pack.ts';
import { Sampler, workWeights } from '../../src/engine/data/sampler.ts';

/** Style 0: works 0..5, style 1: work 6; artists 0 and 1 in turn; work 7 has no label. */
const label = (slug: string, count: number) => ({ slug, name: slug, count });
const index: PackIndex = {
  version: 1,
  count: 8,
  levels: [],
  stride: 0,
  labels: { artist: [label('a', 4), label('b', 3)], style: [label('s', 6), label('t', 1)], genre: [] },
  works: {
    artist: [0, 1, 0, 1, 0, 1, 0, -1],
    style: [0, 0, 0, 0, 0, 0, 1, -1],
    genre: new Array(8).fill(-1),
  },
};
const config: TrainConfig = {
  ...PRESETS.studio.config,
  preset: 'studio',
  resolution: 32,
  labelKinds: ['artist', 'style'],
  batchSize: 64,
};
const steps = [1, 2, 3, 4, 5];
const pairsOf = (values: Int32Array) =>
  Array.from({ length: values.length / 2 }, (_, pair) => [values[2 * pair] ?? -9, values[2 * pair + 1] ?? -9] as const);

describe('works of a step', () => {
  it('come in pairs that share every label where none is withheld', () => {
    const sampler = new Sampler(index, { ...config, labelDropout: 0 }, 1);
    for (const [one, other] of steps.flatMap((step) => pairsOf(sampler.at(step).works))) {
      expect(index.works.style[other]).toBe(index.works.style[one]);
      expect(index.works.artist[other]).toBe(index.works.artist[one]);
      // Only the single work of its style may be its own partner.
      if (one !== 6) expect(other).not.toBe(one);
    }
  });

  it('come in pairs of any works where all labels are withheld', () => {
    const sampler = new Sampler(index, { ...config, labelDropout: 1 }, 1);
    const pairs = steps.flatMap((step) => pairsOf(sampler.at(step).works));
    expect(pairs.some(([one, other]) => index.works.style[other] !== index.works.style[one])).toBe(true);
    expect(pairs.every(([one, other]) => one !== 7 && other !== 7)).toBe(true);
  });

  it('are drawn each by itself where the preset does not reward variety', () => {
    const sampler = new Sampler(index, { ...config, labelDropout: 0, diversityWeight: 0 }, 1);
    const pairs = steps.flatMap((step) => pairsOf(sampler.at(step).works));
    expect(pairs.some(([one, other]) => index.works.artist[other] !== index.works.artist[one])).toBe(true);
  });

  it('are told with their labels, and are a function of seed and step', () => {
    const sampler = new Sampler(index, config, 1);
    const { works, labels } = sampler.at(3);
    expect(labels).toEqual([
      works.map((work) => index.works.artist[work] ?? -1),
      works.map((w) => index.works.style[w] ?? -1),
    ]);
    expect(new Sampler(index, config, 1).at(3)).toEqual(sampler.at(3));
    expect(new Sampler(index, config, 2).at(3)).not.toEqual(sampler.at(3));
    expect(sampler.at(4)).not.toEqual(sampler.at(3));
  });
});

describe('labels asked for', () => {
  it('are the same for both of a pair, each kind withheld from its share', () => {
    const sampler = new Sampler(index, { ...config, labelDropout: 0.25 }, 1);
    const asked = steps.map((step) => sampler.at(step).asked);
    for (const column of asked.flat()) for (const [one, other] of pairsOf(column)) expect(other).toBe(one);
    const all = asked.flat().flatMap((column) => [...column]);
    expect(all.filter((value) => value === -1).length / all.length).toBeCloseTo(0.25, 1);
  });

  it('come in pairs and are withheld, too, where they are drawn evenly', () => {
    const even = { ...config, labelKinds: ['style' as const], labelBalance: 0, labelDropout: 0.25 };
    const columns = steps.flatMap((step) => new Sampler(index, even, 1).at(step).asked);
    for (const column of columns) for (const [one, other] of pairsOf(column)) expect(other).toBe(one);
    const all = columns.flatMap((column) => [...column]);
    expect(new Set(all)).toEqual(new Set([-1, 0, 1]));
  });

  it('are drawn evenly as in the paper where nothing is balanced', () => {
    const even = { ...config, labelKinds: ['style' as const], labelBalance: 0, labelDropout: 0, diversityWeight: 0 };
    const sampler = new Sampler(index, even, 1);
    const all = steps.flatMap((step) => [...(sampler.at(step).asked[0] ?? [])]);
    expect(all.filter((value) => value === 1).length / all.length).toBeCloseTo(0.5, 1);
  });
});

describe('the weight of a work', () => {
  it('evens labels out, and is none without a label', () => {
    const weights = workWeights(index, { labelKinds: ['style'], labelBalance: 1 });
    expect(weights.get(6)).toBeCloseTo(1, 9);
    expect(weights.get(0)).toBeCloseTo(1 / 6, 9);
    expect(weights.has(7)).toBe(false);
  });

  it('of a collection without labels is refused', () => {
    expect(() => new Sampler(index, { ...config, labelKinds: ['genre'] }, 1)).toThrow('No work');
  });
});
