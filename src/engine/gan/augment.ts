/**
 * Differentiable augmentation (Zhao, Liu, Lin, Zhu, Han: Differentiable augmentation for data-efficient GAN training,
 * NeurIPS 2020): D sees real and generated pictures only through the same kinds of random changes, and the gradient
 * passes through them into G. The random numbers come in as tensors, drawn as a pure function of (seed, counter).
 */
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { integers, uniform } from '../../core/seeds.ts';
import { tf } from '../tensorflow.ts';

export type Augmentation = TrainConfig['augment'][number];
/** Random numbers of one use, per kind; of a kind that is not used there are none. */
export type Draws = { readonly [kind in Augmentation]?: Tensor2D };

export interface DrawRequest {
  readonly seed: number;
  /** A number of its own for every use: (step, which pass of the step). */
  readonly counter: number;
  readonly batch: number;
  /** Of the pictures, in pixels. */
  readonly side: number;
}

/** Which numbers of a draw belong to which change. */
const CHANGES: readonly Augmentation[] = ['color', 'translation', 'cutout'];

/** color: [B, 3] in [0, 1); translation: shifts [B, 2] in pixels; cutout: centres [B, 2] in pixels. */
export function draw(kind: Augmentation, { seed, counter, batch, side }: DrawRequest): Tensor2D {
  const at = counter * 8 + CHANGES.indexOf(kind);
  if (kind === 'color') return tf.tensor2d(uniform(seed, 'augment', at, batch * 3), [batch, 3]);
  const reach = kind === 'translation' ? side >> 3 : 0;
  const below = kind === 'translation' ? 2 * reach + 1 : side;
  const numbers = integers(seed, 'augment', at, batch * 2, below).map((number) => number - reach);
  return tf.tensor2d(numbers, [batch, 2], 'int32');
}

/** Pictures [B, R, R, 3] -> the same shape, changed in the ways that `draws` has numbers for. */
export function augment(pictures: Tensor4D, draws: Draws): Tensor4D {
  let x = pictures;
  if (draws.color) x = color(x, draws.color);
  if (draws.translation) x = translate(x, draws.translation);
  if (draws.cutout) x = cutout(x, draws.cutout);
  return x;
}

/** Brightness by -0.5..0.5, saturation by 0..2, contrast by 0.5..1.5. */
function color(pictures: Tensor4D, random: Tensor2D): Tensor4D {
  const [brightness, saturation, contrast] = [0, 1, 2].map((column) => perPicture(random, column));
  if (!brightness || !saturation || !contrast) throw new Error('Colour changes need three numbers a picture');
  const brighter: Tensor4D = tf.add(pictures, tf.sub(brightness, 0.5));
  const grey = tf.mean<Tensor4D>(brighter, 3, true);
  const saturated: Tensor4D = tf.add(tf.mul(tf.sub(brighter, grey), tf.mul(saturation, 2)), grey);
  const middle = tf.mean<Tensor4D>(saturated, [1, 2, 3], true);
  return tf.add(tf.mul(tf.sub(saturated, middle), tf.add(contrast, 0.5)), middle);
}

/** A shift by up to an eighth of the side in each direction; what comes in is 0. */
function translate(pictures: Tensor4D, shifts: Tensor2D): Tensor4D {
  const [batch, side] = pictures.shape;
  // A shift is a product with a matrix that has ones beside its diagonal: it differentiates, and each picture has its own.
  const moved = tf.matMul(shiftMatrices(shifts, 0, side), tf.reshape(pictures, [batch, side, side * 3]) as Tensor3D);
  const turned = turn(tf.reshape(moved, [batch, side, side, 3]));
  const both = tf.matMul(shiftMatrices(shifts, 1, side), tf.reshape(turned, [batch, side, side * 3]) as Tensor3D);
  return turn(tf.reshape(both, [batch, side, side, 3]));
}

const turn = (x: Tensor4D): Tensor4D => tf.transpose(x, [0, 2, 1, 3]);

/** [B, side, side]: 1 where row - column is the shift. */
function shiftMatrices(shifts: Tensor2D, axis: number, side: number): Tensor3D {
  const places = Int32Array.from({ length: side * side }, (_, i) => Math.floor(i / side) - (i % side));
  const difference = tf.tensor3d(places, [1, side, side], 'int32');
  return tf.cast(tf.equal(difference, tf.reshape(column(shifts, axis), [-1, 1, 1])), 'float32');
}

/** A square of half the side, anywhere, is set to 0. */
function cutout(pictures: Tensor4D, centres: Tensor2D): Tensor4D {
  const [batch, side] = pictures.shape;
  const rows = tf.reshape(inside(centres, 0, side), [batch, side, 1, 1]);
  const columns = tf.reshape(inside(centres, 1, side), [batch, 1, side, 1]);
  return tf.mul(pictures, tf.sub(1, tf.mul(rows, columns)));
}

/** [B, side]: 1 for the places from a quarter of the side before the centre to a quarter after it. */
function inside(centres: Tensor2D, axis: number, side: number): Tensor2D {
  const places = tf.tensor2d(
    Int32Array.from({ length: side }, (_, i) => i),
    [1, side],
    'int32',
  );
  const fromCentre = tf.sub(places, column(centres, axis));
  const half = side >> 2;
  const within = tf.logicalAnd(tf.greaterEqual(fromCentre, -half), tf.less(fromCentre, half));
  return tf.cast(within, 'float32') as Tensor2D;
}

/** One column, [B, 1]. */
function column(numbers: Tensor2D, index: number): Tensor2D {
  return tf.slice(numbers, [0, index], [numbers.shape[0], 1]);
}

const perPicture = (numbers: Tensor2D, index: number): Tensor4D => tf.reshape(column(numbers, index), [-1, 1, 1, 1]);
