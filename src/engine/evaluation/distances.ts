/** Squared Euclidean distances between two sets of points, and what is read off them. */
import type { Tensor1D } from '@tensorflow/tfjs-core';
import { tf } from '../tensorflow.ts';

/** Points as rows: count x (length / count) numbers. */
export interface Points {
  readonly count: number;
  readonly values: Float32Array;
}

/** a.count x b.count, by |a|^2 + |b|^2 - 2ab; never below 0. */
export function squaredDistances(a: Points, b: Points): Float32Array {
  return tf.tidy(() => {
    const [x, y] = [a, b].map(({ count, values }) => tf.tensor2d(values, [count, values.length / count]));
    if (x === undefined || y === undefined) throw new Error('Two sets are needed');
    const norms = (t: typeof x) => tf.sum<Tensor1D>(tf.square(t), 1);
    const sums = tf.add(tf.reshape(norms(x), [a.count, 1]), tf.reshape(norms(y), [1, b.count]));
    return tf.relu(tf.sub(sums, tf.mul(tf.matMul(x, y, false, true), 2))).dataSync<'float32'>();
  });
}

/** The mean distance between two different ones of the points. */
export function meanDistance(points: Points): number {
  const { count } = points;
  const squared = squaredDistances(points, points);
  let sum = 0;
  for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) sum += Math.sqrt(squared[i * count + j] ?? 0);
  return (2 * sum) / (count * (count - 1));
}

/** Below this share of the distance to the second nearest work, a picture is a copy of the nearest. */
const COPY = 1 / 3;

export interface Nearest {
  /** Per picture the nearest work. */
  readonly works: Int32Array;
  /** Share of the pictures that are copies. */
  readonly memorised: number;
}

/**
 * For each picture the nearest work, and whether it is a copy of it: less than a third as far from it as from any other
 * one (Yoon, Choi, Kwon, Ryu: Diffusion probabilistic models generalize when they fail to memorize, 2023).
 */
export function nearestWorks(pictures: Points, works: Points): Nearest {
  const squared = squaredDistances(pictures, works);
  const nearest = new Int32Array(pictures.count);
  let copies = 0;
  for (let i = 0; i < pictures.count; i++) {
    let [best, first, second] = [0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let j = 0; j < works.count; j++) {
      const distance = squared[i * works.count + j] ?? 0;
      if (distance < first) [best, first, second] = [j, distance, first];
      else if (distance < second) second = distance;
    }
    nearest[i] = best;
    if (first < COPY ** 2 * second) copies++;
  }
  return { works: nearest, memorised: copies / pictures.count };
}
