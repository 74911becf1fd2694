/**
 * Spectral normalisation (Miyato, Kataoka, Koyama, Yoshida: Spectral normalization for generative adversarial networks,
 * ICLR 2018): a layer's kernel W, seen as a matrix [everything else, output channels], is used as W / sigma, with
 * sigma = v' W u its largest singular value. u is kept from step to step and follows W by one power iteration each.
 */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { tf } from '../tensorflow.ts';
import type { Parameters, WeightSpec, Weights } from './weights.ts';

/** The kept direction of a layer with so many output channels. */
export function directionSpec(layer: string, channels: number): WeightSpec {
  return { name: `${layer}.direction`, shape: [channels, 1], init: { std: 1 }, trainable: false };
}

/** Singular directions of a kernel's matrix: v [everything else, 1], u [channels, 1]. */
export interface Directions {
  readonly u: Tensor2D;
  readonly v: Tensor2D;
}

/** One power iteration from the kept directions. They are constants to what is computed with them. */
export function powerIteration(weights: Parameters, layers: readonly string[]): Map<string, Directions> {
  return new Map(
    layers.map((layer) => {
      const matrix = asMatrix(weights.get(`${layer}.kernel`));
      const v = unit(tf.matMul(matrix, weights.get(`${layer}.direction`) as Tensor2D));
      return [layer, { v, u: unit(tf.matMul(matrix, v, true)) }];
    }),
  );
}

/** The weights with W / sigma in the place of every W that has directions; gradients reach W. */
export function normalised(weights: Parameters, directions: ReadonlyMap<string, Directions>): Parameters {
  const kernels = new Map<string, Tensor>();
  for (const [layer, { u, v }] of directions) {
    const kernel = weights.get(`${layer}.kernel`);
    const sigma = tf.matMul(tf.matMul(v, asMatrix(kernel), true), u); // [1, 1]
    kernels.set(`${layer}.kernel`, tf.div(kernel, tf.reshape(sigma, [])));
  }
  return { get: (name) => kernels.get(name) ?? weights.get(name), has: (name) => weights.has(name) };
}

/** Keeps the directions for the next step. */
export function keepDirections(weights: Weights, directions: ReadonlyMap<string, Directions>): void {
  for (const [layer, { u }] of directions) weights.assign(`${layer}.direction`, u);
}

function asMatrix(kernel: Tensor): Tensor2D {
  return tf.reshape(kernel, [-1, kernel.shape.at(-1) ?? 1]);
}

function unit(vector: Tensor2D): Tensor2D {
  return tf.div(vector, tf.add(tf.norm(vector), 1e-12));
}
