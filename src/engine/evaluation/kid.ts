/**
 * The kernel inception distance (Binkowski, Sutherland, Arbel, Gretton: Demystifying MMD GANs, ICLR 2018): the squared
 * maximum mean discrepancy between two sets of features under the kernel k(x, y) = (x y / d + 1)^3, unbiased, so that it is
 * 0 in the mean for two sets of one distribution and may be a little below.
 */
import { orderByChance } from '../../core/seeds.ts';

export interface Features {
  readonly count: number;
  /** count x d */
  readonly values: Float32Array;
}

export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const HALVES = 100;
/** Draws before it are for other things (see measure.ts). */
const FIRST_DRAW = 1_000;
/** Of a normal distribution, for 95 %. */
const WIDTH = 1.96;

/**
 * With a 95 % interval by half-sampling: the estimates on random halves spread around the whole one as that does around
 * the truth.
 */
export function kid(a: Features, b: Features, seed: number): Estimate {
  const kernels = { aa: kernel(a, a), bb: kernel(b, b), ab: kernel(a, b) };
  const sizes = { a: a.count, b: b.count };
  const value = discrepancy(kernels, sizes, { a: all(a.count), b: all(b.count) });
  let squares = 0;
  for (let draw = 0; draw < HALVES; draw++) {
    const half = { a: randomHalf(a.count, seed, 2 * draw), b: randomHalf(b.count, seed, 2 * draw + 1) };
    squares += (discrepancy(kernels, sizes, half) - value) ** 2;
  }
  const reach = WIDTH * Math.sqrt(squares / HALVES);
  return { value, low: value - reach, high: value + reach };
}

/**
 * Features around the reference's mean, in units of its deviation, one unit for all dimensions: so that the distance does
 * not depend on how large the numbers of a classifier are, and a dimension that hardly moves does not count as others do.
 */
export function scaled(features: Features, reference: Features): Features {
  const size = reference.values.length / reference.count;
  const mean = new Float64Array(size);
  reference.values.forEach((value, i) => {
    mean[i % size] = (mean[i % size] ?? 0) + value / reference.count;
  });
  const variance = reference.values.reduce((sum, value, i) => sum + (value - (mean[i % size] ?? 0)) ** 2, 0);
  const unit = Math.sqrt(Math.max(variance / reference.values.length, 1e-12));
  return { count: features.count, values: features.values.map((value, i) => (value - (mean[i % size] ?? 0)) / unit) };
}

interface Kernels {
  readonly aa: Float64Array;
  readonly bb: Float64Array;
  readonly ab: Float64Array;
}

interface Pair<T> {
  readonly a: T;
  readonly b: T;
}

function kernel(a: Features, b: Features): Float64Array {
  const size = a.values.length / a.count;
  const out = new Float64Array(a.count * b.count);
  for (let i = 0; i < a.count; i++) {
    const x = a.values.subarray(i * size, (i + 1) * size);
    for (let j = 0; j < b.count; j++) {
      let product = 0;
      for (let k = 0; k < size; k++) product += (x[k] ?? 0) * (b.values[j * size + k] ?? 0);
      out[i * b.count + j] = (product / size + 1) ** 3;
    }
  }
  return out;
}

/** Over the chosen points: the mean of k within a and within b, without those of a point with itself, less twice between. */
function discrepancy({ aa, bb, ab }: Kernels, sizes: Pair<number>, chosen: Pair<Int32Array>): number {
  const within = (values: Float64Array, size: number, points: Int32Array) => {
    let sum = 0;
    for (const i of points) for (const j of points) if (i !== j) sum += values[i * size + j] ?? 0;
    return sum / (points.length * (points.length - 1));
  };
  let between = 0;
  for (const i of chosen.a) for (const j of chosen.b) between += ab[i * sizes.b + j] ?? 0;
  between /= chosen.a.length * chosen.b.length;
  return within(aa, sizes.a, chosen.a) + within(bb, sizes.b, chosen.b) - 2 * between;
}

const all = (count: number) => Int32Array.from({ length: count }, (_, i) => i);

function randomHalf(count: number, seed: number, draw: number): Int32Array {
  const order = orderByChance(seed, 'evaluation', FIRST_DRAW + draw, count);
  return all(count)
    .sort(order)
    .subarray(0, Math.max(2, count >> 1));
}
