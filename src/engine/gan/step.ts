/**
 * One training step of ArtGAN as a function of tensors: D once, then G once on the same latents and labels, then the
 * moving average. It reads no values and draws no numbers, so that it can be recorded.
 */
import type { Scalar, Tensor1D, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { tf } from '../tensorflow.ts';
import { type Architecture, discriminate, generate } from './architecture.ts';
import { augment } from './augment.ts';
import { accuracy, conditions, fakeTargets, targets } from './conditions.ts';
import type { Pass } from './layers.ts';
import { diversityLoss, labelLoss, squaredError } from './losses.ts';
import { applyGradients } from './optimisers.ts';
import { type Directions, keepDirections, normalised, powerIteration } from './spectral.ts';
import type { StepInputs } from './step-inputs.ts';
import type { Weights } from './weights.ts';

/** Everything that training changes. */
export interface TrainingState {
  /** Weights of G and D, running statistics, kept directions. */
  readonly weights: Weights;
  /** The optimisers' slots. */
  readonly slots: Weights;
  /** Moving average of G: what paints the pictures. */
  readonly average: Weights;
}

export interface StepOutputs {
  readonly dLoss: Scalar;
  readonly gLoss: Scalar;
  /** Left out where the preset has no reconstruction. */
  readonly l2Loss?: Scalar;
  /** Share of the known labels of real pictures that D names; NaN where none is known. */
  readonly realAccuracy: Scalar;
  /** Share of the labels asked for that D names for generated pictures. */
  readonly fakeAccuracy: Scalar;
}

interface Work extends TrainingState {
  readonly net: Architecture;
  readonly config: TrainConfig;
  readonly inputs: StepInputs;
  /** Conditions of the pictures that are asked for, [B, columns]. */
  readonly y: Tensor2D;
  readonly directions: ReadonlyMap<string, Directions>;
}

/** How fast the stored statistics of batch normalisation follow those of the batches. */
const STATISTICS_DECAY = 0.9;

export function trainingStep(
  { net, config, ...state }: TrainingState & { readonly net: Architecture; readonly config: TrainConfig },
  inputs: StepInputs,
): StepOutputs {
  const y = conditions(net, inputs.asked);
  const directions = powerIteration(state.weights, net.spectral);
  const work: Work = { net, config, ...state, inputs, y, directions };
  const d = stepDiscriminator(work);
  const g = stepGenerator(work);
  keepDirections(state.weights, directions);
  follow(work);
  return { ...d, ...g };
}

function stepDiscriminator(work: Work): Pick<StepOutputs, 'dLoss' | 'realAccuracy' | 'fakeAccuracy'> {
  const { net, weights, inputs, y, directions } = work;
  const { pictures, labels, asked, latents: z, draws } = inputs;
  // G's statistics are taken in its own step; here it only paints.
  const fakes = generate(net, weights, { ask: { z, y }, pass: silent });
  const running = new Moments();
  const seen: { real: Tensor2D[]; fake: Tensor2D[] } = { real: [], fake: [] };
  const loss = () => {
    const d = normalised(weights, directions);
    seen.real = discriminate(net, d, augment(pictures, draws.real), running.pass).map((logits) => tf.keep(logits));
    seen.fake = discriminate(net, d, augment(fakes, draws.fake), silent).map((logits) => tf.keep(logits));
    return tf.add<Scalar>(
      labelLoss(net.objective, seen.real, targets(net, labels)),
      labelLoss(net.objective, seen.fake, fakeTargets(net, asked.shape[0])),
    );
  };
  const dLoss = descend(work, { part: 'discriminator.', loss, rate: inputs.discriminatorRate });
  running.store(weights);
  const accuracies = {
    realAccuracy: accuracy(seen.real, labels),
    fakeAccuracy: accuracy(seen.fake, asked),
  };
  tf.dispose([seen.real, seen.fake]);
  return { dLoss, ...accuracies };
}

function stepGenerator(work: Work): Pick<StepOutputs, 'gLoss' | 'l2Loss'> {
  const { net, weights, inputs, y, directions, config } = work;
  const { pictures, labels, asked, latents: z, draws } = inputs;
  const running = new Moments();
  const d = normalised(weights, directions);
  const known = conditions(net, labels);
  let l2: Scalar | undefined;
  const loss = () => {
    const fakes = generate(net, weights, { ask: { z, y }, pass: running.pass });
    const answer = discriminate(net, d, augment(fakes, draws.again), silent);
    let total = labelLoss(net.objective, answer, targets(net, asked));
    if (config.diversityWeight > 0)
      total = tf.add(total, tf.mul(diversityLoss(fakes, pictures), config.diversityWeight));
    if (config.reconstructionWeight === 0) return total;
    const repainted = repaint(pictures);
    l2 = tf.keep(squaredError(repainted, pictures));
    return tf.add<Scalar>(total, tf.mul(l2, config.reconstructionWeight));
  };
  /** Dec(Enc(x)), asked for the labels that the works have. */
  const repaint = (x: Tensor4D) =>
    net.decode(weights, net.encode(d, x, silent), { ask: { z: tf.zerosLike(z), y: known }, pass: silent });
  const gLoss = descend(work, { part: 'generator.', loss, rate: inputs.generatorRate });
  running.store(weights);
  if (l2 === undefined) return { gLoss };
  const l2Loss = tf.clone(l2);
  l2.dispose();
  return { gLoss, l2Loss };
}

interface Descent {
  /** First part of the names of the weights that move; all others are constants. */
  readonly part: string;
  readonly loss: () => Scalar;
  readonly rate: Scalar;
}

/** One optimiser step on the weights of one network. -> the loss before it */
function descend({ weights, slots, config }: Work, { part, loss, rate }: Descent): Scalar {
  const trainable = weights.trainable(part);
  const { value, grads } = tf.variableGrads(loss, [...trainable.values()]);
  applyGradients(trainable, grads, { config, rate, slots });
  tf.dispose(grads);
  return value;
}

function follow({ average, weights, inputs: { averageDecay: decay } }: Work): void {
  for (const { name } of average.specs) {
    const current: Variable = weights.get(name);
    tf.tidy(() => average.assign(name, tf.add(tf.mul(average.get(name), decay), tf.mul(current, tf.sub(1, decay)))));
  }
}

/** Batch statistics that nobody stores. */
const silent: Pass = {
  training: true,
  observe: (_name, mean, variance) => {
    mean.dispose();
    variance.dispose();
  },
};

/** Collects the batch statistics of one pass, then moves the stored ones towards them. */
class Moments {
  readonly #seen: { name: string; mean: Tensor1D; variance: Tensor1D }[] = [];
  readonly pass: Pass = {
    training: true,
    observe: (name, mean, variance) => void this.#seen.push({ name, mean, variance }),
  };

  store(weights: Weights): void {
    const move = (name: string, value: Tensor1D) => {
      weights.assign(name, tf.add(tf.mul(weights.get(name), STATISTICS_DECAY), tf.mul(value, 1 - STATISTICS_DECAY)));
      value.dispose();
    };
    for (const { name, mean, variance } of this.#seen) {
      move(`${name}.mean`, mean);
      move(`${name}.variance`, variance);
    }
  }
}
