import { describe, expect, it } from 'vitest';
import { downsample } from '../../src/core/downsample.ts';

const itself = (n: number) => n;

describe('downsample', () => {
  it('leaves a series alone that is short enough', () => {
    expect(downsample([3, 1, 2], 3, itself)).toEqual([3, 1, 2]);
    expect(downsample([], 3, itself)).toEqual([]);
  });

  it('never gives more than asked for, and always both ends', () => {
    const series = Array.from({ length: 1_000 }, (_, i) => Math.cos(i * 7) * i);
    for (let most = 2; most < 120; most++) {
      const few = downsample(series, most, itself);
      expect(few.length).toBeLessThanOrEqual(most);
      expect([few[0], few.at(-1)]).toEqual([series[0], series.at(-1)]);
    }
    expect(downsample(series, 1, itself)).toEqual([series[0]]);
  });

  it('keeps the order and the extremes of every stretch', () => {
    const series = Array.from({ length: 500 }, (_, i) => (i === 123 ? 1e6 : i === 321 ? -1e6 : i % 10));
    const few = downsample(
      series.map((value, at) => ({ value, at })),
      12,
      ({ value }) => value,
    );
    expect(few.map(({ at }) => at)).toEqual(few.map(({ at }) => at).toSorted((a, b) => a - b));
    expect(few.map(({ value }) => value)).toEqual(expect.arrayContaining([1e6, -1e6]));
  });

  it('keeps the ends alone where there is no room for extremes', () => {
    const series = [5, 9, 1, 7, 3];
    expect([0, 1, 2, 3].map((most) => downsample(series, most, itself))).toEqual([[], [5], [5, 3], [5, 3]]);
    expect(downsample(series, 4, itself)).toEqual([5, 9, 1, 3]);
  });

  it('passes over NaN where it looks for extremes, wherever it is, and keeps it at the ends', () => {
    const nan = Number.NaN;
    expect(downsample([nan, nan, 1, 8, 2, nan, 3, nan], 4, itself)).toEqual([nan, 1, 8, nan]);
    expect(
      downsample(
        Array.from({ length: 50 }, () => nan),
        10,
        itself,
      ).length,
    ).toBeLessThanOrEqual(10);
    const infinite = [0, 1, Number.POSITIVE_INFINITY, 2, Number.NEGATIVE_INFINITY, 3, 0];
    expect(downsample(infinite, 4, itself)).toEqual([0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]);
  });
});
