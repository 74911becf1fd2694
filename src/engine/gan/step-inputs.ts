/**
 * All that changes from step to step, as tensors of fixed shapes: a batch, the random numbers of the augmentations and
 * the rates. What is not in here is the same in every step, and a recorded step holds it as a constant.
 */
import type { Scalar, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { integers } from '../../core/seeds.ts';
import type { Tensors } from '../graph/recording.ts';
import { tf } from '../tensorflow.ts';
import { type Draws, draw } from './augment.ts';
import { type Labels, labelTensor } from './conditions.ts';
import { rateOf } from './optimisers.ts';

export interface Batch {
  /** B x R x R x 3 in the network's pixel range. */
  readonly pictures: Float32Array;
  /** -1: the work has no label of this kind. */
  readonly labels: Labels;
  /** B x latentSize. */
  readonly latents: Float32Array;
  /** What the generated pictures are asked for; -1: nothing of this kind. */
  readonly asked: Labels;
}

export interface StepTime {
  readonly seed: number;
  /** From 1. */
  readonly step: number;
  readonly totalSteps: number;
}

/** Passes of a step that see pictures through augmentations of their own. */
const PASSES = ['real', 'fake', 'again'] as const;
type AugmentedPass = (typeof PASSES)[number];

export interface StepInputs {
  /** [B, R, R, 3] */
  readonly pictures: Tensor4D;
  /** [B, heads], int32 */
  readonly labels: Tensor2D;
  /** [B, latentSize] */
  readonly latents: Tensor2D;
  /** [B, heads], int32 */
  readonly asked: Tensor2D;
  readonly discriminatorRate: Scalar;
  readonly generatorRate: Scalar;
  readonly averageDecay: Scalar;
  /** Seed of the noise that networks add, [2], int32. */
  readonly noise: Tensor1D;
  readonly draws: Readonly<Record<AugmentedPass, Draws>>;
}

export function stepInputs(batch: Batch, config: TrainConfig, time: StepTime): StepInputs {
  const { latentSize, resolution: side, augment, learningRateDropAt, learningRateDropFactor } = config;
  const size = batch.latents.length / latentSize;
  const drop = time.step > time.totalSteps * learningRateDropAt ? learningRateDropFactor : 1;
  const drawsOf = (pass: number): Draws => {
    const request = { seed: time.seed, counter: time.step * 4 + pass, batch: size, side };
    return Object.fromEntries(augment.map((kind) => [kind, draw(kind, request)]));
  };
  return {
    pictures: tf.tensor4d(batch.pictures, [size, side, side, 3]),
    labels: labelTensor(batch.labels),
    latents: tf.tensor2d(batch.latents, [size, latentSize]),
    asked: labelTensor(batch.asked),
    discriminatorRate: tf.scalar(rateOf(config, config.discriminatorLearningRate * drop, time.step)),
    generatorRate: tf.scalar(rateOf(config, config.generatorLearningRate * drop, time.step)),
    // Faster at first, so that it forgets the random start (as in TensorFlow's moving average).
    averageDecay: tf.scalar(Math.min(config.emaDecay, time.step / (time.step + 10))),
    noise: tf.tensor1d(integers(time.seed, 'noise', time.step, 2, 2 ** 31), 'int32'),
    draws: { real: drawsOf(0), fake: drawsOf(1), again: drawsOf(2) },
  };
}

/** As one list, for a recorded step. */
export function flatten({ draws, ...tensors }: StepInputs): Tensors {
  const entries = PASSES.flatMap((pass) =>
    Object.entries(draws[pass]).map(([kind, numbers]) => [`${pass}.${kind}`, numbers] as const),
  );
  return { ...tensors, ...Object.fromEntries(entries) };
}
