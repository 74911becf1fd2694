/**
 * Optimisers with named slots, so that a checkpoint can hold and restore every number of them. The step is given, never
 * counted: a resumed run continues exactly. In a recorded graph each is one operation of TensorFlow.
 */
import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { FLOAT } from '../graph/graph-def.ts';
import { inPlace } from '../graph/recorder.ts';
import { tf } from '../tensorflow.ts';
import type { WeightSpec, Weights } from './weights.ts';

type OptimiserConfig = Pick<TrainConfig, 'optimizer' | 'beta1' | 'beta2' | 'epsilon'>;

/** The slots that `optimizer` keeps for the trainable weights among `specs`: `<slot>/<weight>`, all zero at first. */
export function slotSpecs(optimizer: TrainConfig['optimizer'], specs: readonly WeightSpec[]): WeightSpec[] {
  const kinds = optimizer === 'adam' ? ['adam.m', 'adam.v'] : ['rmsprop.ms'];
  return kinds.flatMap((kind) =>
    specs
      .filter(({ trainable }) => trainable)
      .map(({ name, shape }) => ({ name: `${kind}/${name}`, shape, init: { constant: 0 }, trainable: false })),
  );
}

/** The factor of update `step`, from 1: the learning rate, with Adam's correction of the bias of its moving averages. */
export function rateOf({ optimizer, beta1, beta2 }: OptimiserConfig, learningRate: number, step: number): number {
  if (optimizer === 'rmsprop') return learningRate;
  return (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
}

export interface Update {
  readonly config: OptimiserConfig;
  /** From `rateOf`. */
  readonly rate: Scalar;
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
    rule(name, weight, { gradient, update });
  }
}

interface Move {
  readonly gradient: Tensor;
  readonly update: Update;
}

/** Kingma, Ba 2015: m, v are moving averages of g and g^2; w -= rate m / (sqrt(v) + epsilon). */
function adam(name: string, weight: Variable, { gradient, update: { config, rate, slots } }: Move): void {
  const { beta1, beta2, epsilon } = config;
  const [m, v] = [slots.get(`adam.m/${name}`), slots.get(`adam.v/${name}`)];
  // The rate is corrected already: with powers of 0 the operation leaves it as it is.
  const none = tf.scalar(0);
  inPlace({
    op: 'ResourceApplyAdam',
    attributes: { T: FLOAT },
    inputs: [weight, m, v, none, none, rate, tf.scalar(beta1), tf.scalar(beta2), tf.scalar(epsilon), gradient],
    eagerly: () =>
      tf.tidy(() => {
        m.assign(tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1)));
        v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
        weight.assign(tf.sub(weight, tf.div(tf.mul(m, rate), tf.add(tf.sqrt(v), epsilon))));
      }),
  });
}

/** Hinton's RMSProp without momentum: ms is a moving average of g^2; w -= rate g / sqrt(ms + epsilon). */
function rmsprop(name: string, weight: Variable, { gradient, update: { config, rate, slots } }: Move): void {
  const { beta2: rho, epsilon } = config;
  const ms = slots.get(`rmsprop.ms/${name}`);
  inPlace({
    op: 'ResourceApplyRMSProp',
    attributes: { T: FLOAT },
    // Its momentum has a place of its own, which holds nothing that a momentum of 0 would use again.
    inputs: [weight, ms, { scratch: weight }, rate, tf.scalar(rho), tf.scalar(0), tf.scalar(epsilon), gradient],
    eagerly: () =>
      tf.tidy(() => {
        ms.assign(tf.add(tf.mul(ms, rho), tf.mul(tf.square(gradient), 1 - rho)));
        weight.assign(tf.sub(weight, tf.div(tf.mul(gradient, rate), tf.sqrt(tf.add(ms, epsilon)))));
      }),
  });
}
