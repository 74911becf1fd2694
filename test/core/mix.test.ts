import { describe, expect, it } from 'vitest';
import { isMix, leadingConditions, mixBetween, mixOf, plainMix } from '../../src/core/mix.ts';

const style = (slug: string, weight: number) => ({ weight, conditions: { style: slug } });

describe('a mix', () => {
  it('brings its weights to a sum of one, and equal combinations together', () => {
    const mix = mixOf([style('ukiyo-e', 3), style('baroque', 4), style('ukiyo-e', 1)]);
    expect(mix).toEqual([style('baroque', 0.5), style('ukiyo-e', 0.5)]);
    expect(isMix(mix)).toBe(true);
    expect(mixOf([style('a', 1), style('b', 1), style('c', 1)]).map(({ weight }) => weight)).toEqual([
      0.333333, 0.333333, 0.333333,
    ]);
  });

  it('leaves out what weighs nothing, and is refused where nothing is left', () => {
    expect(mixOf([style('a', 1), style('b', 0)])).toEqual(plainMix({ style: 'a' }));
    expect(() => mixOf([])).toThrow(/1 to 16 parts/);
    expect(() => mixOf(Array.from({ length: 17 }, (_, i) => style(`s${i}`, 1)))).toThrow(/1 to 16 parts/);
  });

  it('lies between two others', () => {
    const [from, to] = [plainMix({ style: 'a' }), plainMix({ artist: 'b' })];
    expect(mixBetween(from, to, 0)).toEqual(from);
    expect(mixBetween(from, to, 1)).toEqual(to);
    expect(mixBetween(from, to, 0.25)).toEqual([
      { weight: 0.25, conditions: { artist: 'b' } },
      { weight: 0.75, conditions: { style: 'a' } },
    ]);
  });

  it('is listed under the label of each kind that weighs most', () => {
    const mix = mixOf([
      { weight: 2, conditions: { style: 'a', artist: 'x' } },
      { weight: 2, conditions: { style: 'b', artist: 'y' } },
      { weight: 1, conditions: { style: 'b' } },
    ]);
    expect(leadingConditions(mix)).toEqual({ style: 'b', artist: 'x' });
    expect(leadingConditions(plainMix({}))).toEqual({});
  });

  it.each([[[]], [[style('a', 0.5)]], [[style('b', 0.5), style('a', 0.5)]], [[style('a', 0.5), style('a', 0.5)]]])(
    'is not %j',
    (mix) => expect(isMix(mix)).toBe(false),
  );
});
