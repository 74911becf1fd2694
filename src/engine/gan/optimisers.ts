/**
 * Optimisers with named slots, so that a checkpoint can hold and restore every number of them.
 * The step is given, never counted: a resumed run continues exactly.
 */
import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { tf } from '../tensorflow.ts';
import type { WeightSpec, Weights } from './weights.ts';

/** The slots that `optimizer` keeps for the trainable weights among `specs`: `<slot>/<weight>`, all zero at first. */
export function slotSpecs(optimizer: TrainConfig['optimizer'], specs: readonly WeightSpec[]): WeightSpec[] {
  const kinds = optimizer === 'adam' ? ['adam.m', 'adam.v'] : ['rmsprop.ms'];
  return kinds.flatMap((kind) =>
    specs
      .filter(({ trainable }) => trainable)
      .map(({ name, shape }) => ({ name: `${kind}/${name}`, shape, init: { constant: 0 }, trainable: false })),
  );
}

export interface Update {
  readonly config: Pick<TrainConfig, 'optimizer' | 'beta1' | 'beta2' | 'epsilon'>;
  readonly learningRate: number;
  /** 1 for the first update. */
  readonly step: number;
  readonly slots: Weights;
}

/** Moves `weights` against `gradients` (both by name). */
export function applyGradients(
  weights: ReadonlyMap<string, Variable>,
  gradients: Readonly<Record<string, Tensor>>,
  update: Update,
): void {
  const rule = update.config.optimizer === 'adam' ? adam : rmsprop;
  for (const [name, weight] of weights) {
    const gradient = gradients[weight.name];
    if (gradient === undefined) throw new Error(`No gradient reached ${name}`);
    tf.tidy(() => rule(name, weight, { gradient, update }));
  }
}

interface Move {
  readonly gradient: Tensor;
  readonly update: Update;
}

/** Kingma, Ba 2015: m, v are moving averages of g and g^2; w -= lr m' / (sqrt(v') + epsilon), bias-corrected. */
function adam(name: string, weight: Variable, { gradient, update: { config, learningRate, step, slots } }: Move): void {
  const { beta1, beta2, epsilon } = config;
  const m = tf.add(tf.mul(slots.get(`adam.m/${name}`), beta1), tf.mul(gradient, 1 - beta1));
  const v = tf.add(tf.mul(slots.get(`adam.v/${name}`), beta2), tf.mul(tf.square(gradient), 1 - beta2));
  slots.assign(`adam.m/${name}`, m);
  slots.assign(`adam.v/${name}`, v);
  const rate = (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
  weight.assign(tf.sub(weight, tf.div(tf.mul(m, rate), tf.add(tf.sqrt(v), epsilon))));
}

/** Hinton's RMSProp without momentum: ms is a moving average of g^2; w -= lr g / sqrt(ms + epsilon). */
function rmsprop(name: string, weight: Variable, { gradient, update: { config, learningRate, slots } }: Move): void {
  const rho = config.beta2;
  const ms = tf.add(tf.mul(slots.get(`rmsprop.ms/${name}`), rho), tf.mul(tf.square(gradient), 1 - rho));
  slots.assign(`rmsprop.ms/${name}`, ms);
  weight.assign(tf.sub(weight, tf.div(tf.mul(gradient, learningRate), tf.sqrt(tf.add(ms, config.epsilon)))));
}
