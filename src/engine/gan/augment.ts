/**
 * Differentiable augmentation (Zhao, Liu, Lin, Zhu, Han: Differentiable augmentation for data-efficient GAN training,
 * NeurIPS 2020): D sees real and generated pictures only through the same kinds of random changes, and the gradient
 * passes through them into G. Every change is a pure function of (seed, step, call).
 */
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { integers, uniform } from '../../core/seeds.ts';
import { tf } from '../tensorflow.ts';

export interface Draw {
  readonly seed: number;
  /** A number of its own for every use: (step, which pass of the step). */
  readonly counter: number;
}

/** Pictures [B, R, R, 3] in `range` -> the same shape. */
export function augment(pictures: Tensor4D, kinds: TrainConfig['augment'], draw: Draw): Tensor4D {
  let x = pictures;
  if (kinds.includes('color')) x = color(x, draw);
  if (kinds.includes('translation')) x = translate(x, draw);
  if (kinds.includes('cutout')) x = cutout(x, draw);
  return x;
}

/** Which numbers of a draw belong to which change. */
const counterOf = (draw: Draw, change: number) => draw.counter * 8 + change;

/** Brightness by -0.5..0.5, saturation by 0..2, contrast by 0.5..1.5. */
function color(pictures: Tensor4D, draw: Draw): Tensor4D {
  const [batch] = pictures.shape;
  const random = uniform(draw.seed, 'augment', counterOf(draw, 0), batch * 3);
  const column = (offset: number, scale: number, shift: number) =>
    tf.tensor4d(
      Float32Array.from({ length: batch }, (_, i) => (random[i * 3 + offset] ?? 0) * scale + shift),
      [batch, 1, 1, 1],
    );
  const brighter: Tensor4D = tf.add(pictures, column(0, 1, -0.5));
  const grey = tf.mean<Tensor4D>(brighter, 3, true);
  const saturated: Tensor4D = tf.add(tf.mul(tf.sub(brighter, grey), column(1, 2, 0)), grey);
  const middle = tf.mean<Tensor4D>(saturated, [1, 2, 3], true);
  return tf.add(tf.mul(tf.sub(saturated, middle), column(2, 1, 0.5)), middle);
}

/** A shift by up to an eighth of the side in each direction; what comes in is 0. */
function translate(pictures: Tensor4D, draw: Draw): Tensor4D {
  const [batch, side] = pictures.shape;
  const reach = side >> 3;
  const shifts = integers(draw.seed, 'augment', counterOf(draw, 1), batch * 2, 2 * reach + 1);
  // A shift is a product with a matrix that has ones beside its diagonal: it differentiates, and each picture has its own.
  const rows = shiftMatrices(batch, side, (i) => (shifts[i * 2] ?? 0) - reach);
  const columns = shiftMatrices(batch, side, (i) => (shifts[i * 2 + 1] ?? 0) - reach);
  const moved = tf.matMul(rows, tf.reshape(pictures, [batch, side, side * 3]) as Tensor3D);
  const turned = tf.reshape(tf.transpose(tf.reshape(moved, [batch, side, side, 3]), [0, 2, 1, 3]), [
    batch,
    side,
    side * 3,
  ]);
  const both = tf.matMul(columns, turned as Tensor3D);
  return tf.transpose(tf.reshape(both, [batch, side, side, 3]), [0, 2, 1, 3]);
}

function shiftMatrices(batch: number, side: number, shiftOf: (index: number) => number): Tensor3D {
  const values = new Float32Array(batch * side * side);
  for (let i = 0; i < batch; i++) {
    const shift = shiftOf(i);
    for (let to = Math.max(0, shift); to < Math.min(side, side + shift); to++)
      values[(i * side + to) * side + to - shift] = 1;
  }
  return tf.tensor3d(values, [batch, side, side]);
}

/** A square of half the side, anywhere, is set to 0. */
function cutout(pictures: Tensor4D, draw: Draw): Tensor4D {
  const [batch, side] = pictures.shape;
  const half = side >> 2;
  const centres = integers(draw.seed, 'augment', counterOf(draw, 2), batch * 2, side);
  const mask = new Float32Array(batch * side * side).fill(1);
  for (let i = 0; i < batch; i++) {
    const top = (centres[i * 2] ?? 0) - half;
    const left = (centres[i * 2 + 1] ?? 0) - half;
    for (let row = Math.max(0, top); row < Math.min(side, top + 2 * half); row++) {
      const start = (i * side + row) * side;
      mask.fill(0, start + Math.max(0, left), start + Math.min(side, left + 2 * half));
    }
  }
  return tf.mul(pictures, tf.tensor4d(mask, [batch, side, side, 1]));
}
