/** Fewer points of a series, without losing its ends or its extremes. */

/**
 * At most `most` of the points: the first, the last, and from each of equal stretches between them the lowest and the
 * highest by `measure`. Order is kept. What measures NaN is no extreme.
 */
export function downsample<T>(points: readonly T[], most: number, measure: (point: T) => number): T[] {
  if (points.length <= most) return [...points];
  const kept = new Set<number>([0, points.length - 1].slice(0, Math.max(0, most)));
  const measures = points.map(measure);
  const stretches = Math.floor((most - 2) / 2);
  for (let i = 0; i < stretches; i++) {
    const from = 1 + Math.floor((i * (points.length - 2)) / stretches);
    const to = 1 + Math.floor(((i + 1) * (points.length - 2)) / stretches);
    const { low, high } = extremes(measures, from, to);
    kept.add(low).add(high);
  }
  return points.filter((_, i) => kept.has(i));
}

/** Places within [from, to); both `from` where there is nothing but NaN. */
function extremes(measures: readonly number[], from: number, to: number): { low: number; high: number } {
  let [low, high] = [from, from];
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = from; i < to; i++) {
    const value = measures[i] ?? Number.NaN;
    if (value < lowest) [low, lowest] = [i, value];
    if (value > highest) [high, highest] = [i, value];
  }
  return { low, high };
}
