/**
 * The layers that the networks are built of, as plain functions of (weights, name, input).
 * Pictures and feature maps are [batch, height, width, channels].
 */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { tf } from '../tensorflow.ts';
import { batchNormTraining, biasAdd, leakyRelu as slopedRelu } from './fused-ops.ts';
import type { Randomness } from './randomness.ts';
import type { Parameters, WeightSpec } from './weights.ts';

const BATCH_NORM_EPSILON = 1e-5;

/**
 * How a network is run. In training, batch normalisation uses the batch's own statistics and hands them to `observe`
 * (kept tensors, the caller's to dispose of); otherwise it uses the stored ones, so that a picture does not depend on its batch.
 */
export type Pass =
  | {
      readonly training: true;
      readonly observe: (name: string, mean: Tensor1D, variance: Tensor1D) => void;
      /** For networks that add noise in training. */
      readonly random?: Randomness;
      /** Also drop features, as D does in its own step. */
      readonly dropout?: boolean;
    }
  | { readonly training: false };

export const INFERENCE: Pass = { training: false };

export interface Affine {
  readonly std: number;
  readonly bias: boolean;
}

export function conv2dSpec(
  name: string,
  shape: readonly [number, number, number, number],
  { std, bias }: Affine,
): WeightSpec[] {
  const kernel: WeightSpec = { name: `${name}.kernel`, shape, init: { std }, trainable: true };
  return bias
    ? [kernel, { name: `${name}.bias`, shape: [shape[3]], init: { constant: 0 }, trainable: true }]
    : [kernel];
}

export function denseSpec(name: string, shape: readonly [number, number], { std, bias }: Affine): WeightSpec[] {
  const kernel: WeightSpec = { name: `${name}.kernel`, shape, init: { std }, trainable: true };
  return bias
    ? [kernel, { name: `${name}.bias`, shape: [shape[1]], init: { constant: 0 }, trainable: true }]
    : [kernel];
}

/** `affine`: with a learned scale and offset per channel; without where the label sets them. */
export function batchNormSpec(name: string, channels: number, { affine }: { readonly affine: boolean }): WeightSpec[] {
  const shape = [channels];
  return [
    ...(affine
      ? [
          { name: `${name}.scale`, shape, init: { constant: 1 }, trainable: true },
          { name: `${name}.offset`, shape, init: { constant: 0 }, trainable: true },
        ]
      : []),
    { name: `${name}.mean`, shape, init: { constant: 0 }, trainable: false },
    { name: `${name}.variance`, shape, init: { constant: 1 }, trainable: false },
  ];
}

const as4d = (x: Tensor) => x as Tensor4D;

function withBias<T extends Tensor>(weights: Parameters, name: string, x: T): T {
  const bias = `${name}.bias`;
  return weights.has(bias) ? biasAdd(x, weights.get(bias) as Tensor1D) : x;
}

/** 'same' padding: output side = ceil(input side / stride). */
export function conv2d(weights: Parameters, name: string, x: Tensor4D, stride = 1): Tensor4D {
  return withBias(weights, name, tf.conv2d(x, as4d(weights.get(`${name}.kernel`)), stride, 'same'));
}

/** Transposed convolution with 'same' padding: output side = input side x stride. Kernel: [h, w, out, in]. */
export function deconv2d(weights: Parameters, name: string, x: Tensor4D, stride: number): Tensor4D {
  const kernel = as4d(weights.get(`${name}.kernel`));
  const [batch, height, width] = x.shape;
  const shape: [number, number, number, number] = [batch, height * stride, width * stride, kernel.shape[2]];
  return withBias(weights, name, tf.conv2dTranspose(x, kernel, shape, stride, 'same'));
}

export function dense(weights: Parameters, name: string, x: Tensor2D): Tensor2D {
  return withBias(weights, name, tf.matMul(x, weights.get(`${name}.kernel`) as Tensor2D));
}

/**
 * `dense` for G: batch-invariant in painting, where each row is a product of its own. In one product of many rows
 * TensorFlow adds up in another order at the last ones and for a single one, differently on every kind of processor.
 */
export function denseOfEach(weights: Parameters, name: string, x: Tensor2D, pass: Pass): Tensor2D {
  if (pass.training) return dense(weights, name, x);
  const kernel = weights.get(`${name}.kernel`) as Tensor2D;
  const [inputs, outputs] = kernel.shape;
  const rows = tf.reshape(x, [x.shape[0], 1, inputs]) as Tensor3D;
  const products = tf.matMul(rows, tf.reshape(kernel, [1, inputs, outputs]) as Tensor3D);
  return withBias(weights, name, tf.reshape(products, [x.shape[0], outputs]) as Tensor2D);
}

/**
 * `conv2d` with stride 1 for G: batch-invariant in painting, as a transposed convolution with the kernel turned round. Those
 * are computed picture by picture; others, on some processors, as one product for all places of all pictures.
 */
export function conv2dOfEach(weights: Parameters, name: string, x: Tensor4D, pass: Pass): Tensor4D {
  if (pass.training) return conv2d(weights, name, x);
  const kernel = as4d(weights.get(`${name}.kernel`));
  const turned = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]);
  const shape = [...x.shape.slice(0, 3), kernel.shape[3]] as typeof x.shape;
  return withBias(weights, name, tf.conv2dTranspose(x, turned, shape, 1, 'same'));
}

/**
 * Nearest-neighbour upsampling x 2 and then a 3 x 3 convolution, in one: a transposed convolution with stride 2 whose
 * 4 x 4 kernel is the 3 x 3 one summed over 2 x 2 windows. Exact, with 4 instead of 9 products a pixel and channel pair.
 * Kernel: [3, 3, out, in], as a transposed convolution has it.
 */
export function upsampledConv2d(weights: Parameters, name: string, x: Tensor4D): Tensor4D {
  const small = weights.get(`${name}.kernel`);
  const [, , outputs = 0, inputs = 0] = small.shape;
  const windows = tf.tensor2d(WINDOWS, [16, 9]);
  const flat = tf.matMul(windows, tf.reshape(small, [9, outputs * inputs]) as Tensor2D);
  const kernel = tf.reshape(flat, [4, 4, outputs, inputs]) as Tensor4D;
  const [batch, height, width] = x.shape;
  return tf.conv2dTranspose(x, kernel, [batch, height * 2, width * 2, outputs], 2, 'same');
}

/** [16, 9]: which places of a 3 x 3 kernel make up each place of the 4 x 4 one. */
const WINDOWS = Float32Array.from({ length: 16 * 9 }, (_, i) => {
  const [large, small] = [Math.floor(i / 9), i % 9];
  const down = Math.floor(large / 4) - Math.floor(small / 3);
  const right = (large % 4) - (small % 3);
  return (down === 0 || down === 1) && (right === 0 || right === 1) ? 1 : 0;
});

/** Slope 0.2 below zero, as in the paper. */
export const leakyRelu = <T extends Tensor>(x: T): T => slopedRelu(x, 0.2);

/** Batch normalisation over all axes but the last (Ioffe, Szegedy 2015). */
export function batchNorm(weights: Parameters, name: string, x: Tensor4D, pass: Pass): Tensor4D {
  const scale = `${name}.scale`;
  const affine = weights.has(scale)
    ? { scale: weights.get(scale), offset: weights.get(`${name}.offset`) }
    : { scale: tf.ones([x.shape[3]]), offset: tf.zeros([x.shape[3]]) };
  const [scaleBy, shiftBy] = [affine.scale as Tensor1D, affine.offset as Tensor1D];
  if (pass.training) {
    const { y, mean, variance } = batchNormTraining({
      x,
      scale: scaleBy,
      offset: shiftBy,
      epsilon: BATCH_NORM_EPSILON,
    });
    pass.observe(name, mean, variance);
    return y;
  }
  const [mean, variance] = [weights.get(`${name}.mean`) as Tensor1D, weights.get(`${name}.variance`) as Tensor1D];
  return tf.batchNorm4d(x, mean, variance, shiftBy, scaleBy, BATCH_NORM_EPSILON);
}

/** Batch normalisation, then leaky ReLU. */
export function normLeaky(weights: Parameters, name: string, x: Tensor4D, pass: Pass): Tensor4D {
  return leakyRelu(batchNorm(weights, name, x, pass));
}

/** Per picture and channel, [B, C]. */
export interface Modulation {
  readonly gain: Tensor2D;
  readonly shift: Tensor2D;
}

/**
 * Batch normalisation without weights of its own, then a scale and a shift per picture and channel:
 * norm(x) * (1 + gain) + shift. With stored statistics both are one product and one sum.
 */
export function modulatedNorm(
  weights: Parameters,
  name: string,
  x: Tensor4D,
  { gain, shift, pass }: Modulation & { readonly pass: Pass },
): Tensor4D {
  const [batch, , , channels] = x.shape;
  const perPicture = (t: Tensor2D): Tensor4D => tf.reshape(t, [batch, 1, 1, channels]);
  if (pass.training)
    return tf.add(tf.mul(batchNorm(weights, name, x, pass), tf.add(perPicture(gain), 1)), perPicture(shift));
  const inverse = tf.rsqrt(tf.add(weights.get(`${name}.variance`), BATCH_NORM_EPSILON));
  const scale: Tensor2D = tf.mul(tf.add(gain, 1), inverse);
  const offset: Tensor2D = tf.sub(shift, tf.mul(scale, weights.get(`${name}.mean`)));
  return tf.add(tf.mul(x, perPicture(scale)), perPicture(offset));
}

/**
 * How much the pictures of each pair (places 2p and 2p + 1) differ, as one more channel: the standard deviation over the
 * pair, mean over the map (after Karras et al., Progressive growing of GANs, 2018, who take groups at random).
 * [B,H,W,C] -> [B,H,W,C+1].
 */
export function withPairDeviation(x: Tensor4D): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const group = batch % 2 === 0 ? 2 : 1;
  const groups = batch / group;
  const { variance } = tf.moments(tf.reshape(x, [groups, group, height, width, channels]), 1);
  const deviation = tf.mean(tf.sqrt(tf.add(variance, 1e-8)), [1, 2, 3]); // [groups]
  // A product with ones: tile has no gradient for five dimensions.
  const plane = tf.mul(tf.reshape(deviation, [groups, 1, 1, 1, 1]), tf.ones([groups, group, height, width, 1]));
  return tf.concat([x, tf.reshape(plane, [batch, height, width, 1]) as Tensor4D], 3);
}
