/**
 * One training step of ArtGAN as a function of tensors: D once, then G once on the same latents and labels, then the
 * moving average. It reads no values, and all chance in it comes from its inputs, so that it can be recorded.
 */
import type { Scalar, Tensor1D, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { tf } from '../tensorflow.ts';
import { type Architecture, generate, judge } from './architecture.ts';
import { augment } from './augment.ts';
import { accuracy, conditions, fakeTargets, targets } from './conditions.ts';
import type { Pass } from './layers.ts';
import { diversityLoss, labelLoss, squaredError } from './losses.ts';
import { Moments } from './moments.ts';
import { applyGradients } from './optimisers.ts';
import { Randomness } from './randomness.ts';
import { type Directions, keepDirections, normalised, powerIteration } from './spectral.ts';
import type { StepInputs } from './step-inputs.ts';
import type { Parameters, Weights } from './weights.ts';

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
  /** Passes whose batch statistics nobody stores. */
  readonly silent: Pass & { readonly training: true };
}

export function trainingStep(
  { net, config, ...state }: TrainingState & { readonly net: Architecture; readonly config: TrainConfig },
  inputs: StepInputs,
): StepOutputs {
  const y = conditions(net, inputs.asked);
  const directions = powerIteration(state.weights, net.spectral);
  const silent = { training: true, observe: forget, random: new Randomness(inputs.noise) } as const;
  const work: Work = { net, config, ...state, inputs, y, directions, silent };
  const d = stepDiscriminator(work);
  const g = stepGenerator(work);
  keepDirections(state.weights, directions);
  follow(work);
  return { ...d, ...g };
}

function stepDiscriminator(work: Work): Pick<StepOutputs, 'dLoss' | 'l2Loss' | 'realAccuracy' | 'fakeAccuracy'> {
  const { net, config, weights, inputs, y, directions, silent } = work;
  const { pictures, labels, asked, latents: z, draws } = inputs;
  // G's statistics are taken in its own step; here it only paints.
  const fakes = generate(net, weights, { ask: { z, y }, pass: silent });
  const running = new Moments();
  const kept: Kept = {};
  const loss = () => {
    const d = normalised(weights, directions);
    const ofReal = { ...silent, ...running.pass, dropout: true };
    const seen = augment(pictures, draws.real);
    const real = judge(net, d, seen, ofReal);
    const fake = judge(net, d, augment(fakes, draws.fake), { ...silent, dropout: true });
    kept.real = real.logits.map((logits) => tf.keep(logits));
    kept.fake = fake.logits.map((logits) => tf.keep(logits));
    const labelled = tf.add<Scalar>(
      labelLoss(net.objective, real.logits, targets(net, labels)),
      labelLoss(net.objective, fake.logits, fakeTargets(net, asked.shape[0])),
    );
    if (net.repaint === undefined || config.reconstructionWeight === 0) return labelled;
    kept.l2 = tf.keep(squaredError(net.repaint(d, real.code, ofReal), seen));
    return tf.add<Scalar>(labelled, tf.mul(kept.l2, config.reconstructionWeight));
  };
  const dLoss = descend(work, { part: 'discriminator.', loss, rate: inputs.discriminatorRate });
  running.store(weights);
  const { real = [], fake = [], l2 } = kept;
  const accuracies = { realAccuracy: accuracy(real, labels), fakeAccuracy: accuracy(fake, asked) };
  const l2Loss = released(l2);
  tf.dispose([real, fake]);
  return { dLoss, ...accuracies, ...(l2Loss && { l2Loss }) };
}

function stepGenerator(work: Work): Pick<StepOutputs, 'gLoss' | 'l2Loss'> {
  const { net, weights, inputs, y, directions, config, silent } = work;
  const { pictures, asked, latents: z, draws } = inputs;
  const { diversityWeight, reconstructionWeight } = config;
  const running = new Moments();
  const d = normalised(weights, directions);
  const repaintReal = net.repaint === undefined && reconstructionWeight > 0 ? realRepainter(work, d) : undefined;
  const kept: Kept = {};
  const loss = () => {
    const fakes = generate(net, weights, { ask: { z, y }, pass: { ...silent, ...running.pass } });
    const seen = augment(fakes, draws.again);
    const { code, logits } = judge(net, d, seen, silent);
    const terms = [labelLoss(net.objective, logits, targets(net, asked))];
    if (diversityWeight > 0) terms.push(tf.mul(diversityLoss(fakes, pictures), diversityWeight));
    if (repaintReal) {
      kept.l2 = tf.keep(squaredError(repaintReal(), pictures));
      terms.push(tf.mul(kept.l2, reconstructionWeight));
    } else if (net.repaint && reconstructionWeight > 0) {
      terms.push(tf.mul(squaredError(net.repaint(d, code, silent), seen), reconstructionWeight));
    }
    return terms.length === 1 ? (terms[0] as Scalar) : tf.addN(terms);
  };
  const gLoss = descend(work, { part: 'generator.', loss, rate: inputs.generatorRate });
  running.store(weights);
  const l2Loss = released(kept.l2);
  return { gLoss, ...(l2Loss && { l2Loss }) };
}

/** Dec(Enc(x)) of the real pictures, asked for the labels that they have: the L2 path of the ICIP paper. */
function realRepainter({ net, weights, inputs, silent }: Work, d: Parameters): () => Tensor4D {
  const { pictures, labels, latents } = inputs;
  const ask = { z: tf.zerosLike(latents), y: conditions(net, labels) };
  return () => net.decode(weights, net.encode(d, pictures, silent), { ask, pass: silent });
}

/** What a loss function leaves behind for its caller. */
interface Kept {
  real?: Tensor2D[];
  fake?: Tensor2D[];
  l2?: Scalar;
}

/** A kept scalar as one that is freed with all others. */
function released(kept: Scalar | undefined): Scalar | undefined {
  const scalar = kept && tf.clone(kept);
  kept?.dispose();
  return scalar;
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

function forget(_name: string, mean: Tensor1D, variance: Tensor1D): void {
  mean.dispose();
  variance.dispose();
}
