/**
 * Trains a collection's classifier: the same numbers each time, for all chance comes from (seed, purpose, step). Works are
 * drawn so that rare labels are seen, cut and mirrored at random; the held-out ones are only used to test it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Scalar, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { integers } from '../../core/seeds.ts';
import type { PackIndex } from '../../datasets/pack.ts';
import type { PackReader } from '../../datasets/pack-reader.ts';
import { middles, randomPlaces, readCrops } from '../data/crops.ts';
import { Sampler, type SamplerConfig } from '../data/sampler.ts';
import { augment, type Draws, draw } from '../gan/augment.ts';
import { labelTensor, oneHotOf } from '../gan/conditions.ts';
import { Moments } from '../gan/moments.ts';
import { applyGradients, rateOf, slotSpecs } from '../gan/optimisers.ts';
import { Randomness } from '../gan/randomness.ts';
import { Weights } from '../gan/weights.ts';
import { Program } from '../graph/program.ts';
import type { Tensors } from '../graph/recording.ts';
import { compiles, tf } from '../tensorflow.ts';
import { Classifier, classifierSpecs, classify } from './classifier.ts';
import { heldOutWorks, type JudgedKind, judgedLabelsOf } from './judged-labels.ts';

export const BATCH = 32;
const LEARNING_RATE = 2e-3;
const ADAM = { optimizer: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
const CHANGES = ['translation', 'cutout'] as const;
const RANGE = [-1, 1] as const;
const BYTES = [0, 255] as const;

export interface ClassifierTraining {
  readonly pack: PackReader;
  readonly kinds: readonly JudgedKind[];
  readonly side: number;
  readonly seed: number;
  readonly steps: number;
  readonly onStep?: ((step: number) => void) | undefined;
  /** Ends the training between two steps, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface TrainedClassifier {
  readonly weights: Weights;
  /** Per kind its accuracy on the held-out works, mean over labels. */
  readonly heldOut: readonly number[];
}

interface Inputs extends Tensors {
  readonly pictures: Tensor4D;
  /** [B, kinds], int32. */
  readonly labels: Tensor2D;
  readonly rate: Scalar;
  readonly noise: Tensor1D;
  readonly translation: Tensor2D;
  readonly cutout: Tensor2D;
}

/** @throws the signal's reason */
export async function trainClassifier(given: ClassifierTraining): Promise<TrainedClassifier> {
  const { pack, kinds, side, seed, steps, onStep, signal } = given;
  const held = heldOutWorks(pack.index, kinds, seed);
  const labels = judgedLabelsOf(pack.index, kinds);
  const weights = Weights.fromSeed(classifierSpecs(kinds), seed);
  using slots = Weights.fromSeed(slotSpecs('adam', weights.specs), seed);
  const sampler = new Sampler(trainingIndex(pack.index, { kinds, labels, held }), samplerConfig(kinds), seed);
  const variables = new Map([...weights.variables, ...slots.variables]);
  let program: Program | undefined;
  try {
    for (let step = 1; step <= steps; step++) {
      tf.tidy(() => {
        const inputs = inputsAt(given, sampler, step);
        const body = () => ({ loss: learn({ kinds, weights, slots, inputs }) });
        if (!compiles) return void body();
        program ??= Program.compile(variables, { step: { inputs, body } });
        program.run('step', inputs);
      });
      onStep?.(step);
      // Messages are heard between two steps.
      await nextTurn();
      signal?.throwIfAborted();
    }
    for (const [name, value] of program?.read([...weights.variables.keys()]) ?? []) {
      weights.assign(name, value);
      value.dispose();
    }
  } finally {
    program?.[Symbol.dispose]();
  }
  return { weights, heldOut: test({ pack, kinds, side }, weights, { works: [...held], labels }) };
}

function inputsAt({ pack, side, seed, steps }: ClassifierTraining, sampler: Sampler, step: number): Inputs {
  const { works, labels } = sampler.at(step);
  const places = (count: number, room: number) => randomPlaces({ seed, step, crops: true, flips: true }, count, room);
  const request = { seed, counter: step, batch: BATCH, side };
  // It falls to nothing at the end, which quiets the last weights.
  const rate = LEARNING_RATE * (1 - (step - 1) / steps);
  return {
    pictures: tf.tensor4d(readCrops(pack, works, { side, range: RANGE, places }), [BATCH, side, side, 3]),
    labels: labelTensor(labels),
    rate: tf.scalar(rateOf(ADAM, rate, step)),
    noise: tf.tensor1d(integers(seed, 'noise', step, 2, 2 ** 31), 'int32'),
    translation: draw('translation', request),
    cutout: draw('cutout', request),
  };
}

interface Learning {
  readonly kinds: readonly JudgedKind[];
  readonly weights: Weights;
  readonly slots: Weights;
  readonly inputs: Inputs;
}

function learn({ kinds, weights, slots, inputs }: Learning): Scalar {
  const moments = new Moments();
  const draws: Draws = Object.fromEntries(CHANGES.map((kind) => [kind, inputs[kind]]));
  const trainable = weights.trainable('');
  const loss = () => {
    const pass = { ...moments.pass, random: new Randomness(inputs.noise) };
    const { logits } = classify(weights, kinds, { pictures: augment(inputs.pictures, draws), pass });
    return tf.addN(logits.map((head, kind) => crossEntropy(head, inputs.labels, kind)));
  };
  const { value, grads } = tf.variableGrads(loss, [...trainable.values()]);
  applyGradients(trainable, grads, { config: ADAM, rate: inputs.rate, slots });
  moments.store(weights);
  return value;
}

/** Of the pictures that have a label of this head: labels [B, kinds], -1 where there is none. */
function crossEntropy(logits: Tensor2D, labels: Tensor2D, head: number): Scalar {
  const [batch, classes] = logits.shape;
  const wanted = oneHotOf(labels, head, classes);
  const known = tf.sum(wanted, 1);
  const chosen = tf.sum(tf.mul(logits, wanted), 1);
  const all = tf.mul(tf.logSumExp(logits, 1), known);
  return tf.div(tf.sum(tf.sub(all, chosen)), batch);
}

interface Learned {
  readonly kinds: readonly JudgedKind[];
  readonly labels: readonly Int32Array[];
  readonly held: ReadonlySet<number>;
}

/** The collection as the classifier may see it: judged labels only, and none on works that are held out. */
function trainingIndex(index: PackIndex, { kinds, labels, held }: Learned): PackIndex {
  const own: PackIndex['labels'] = { artist: [], style: [], genre: [] };
  const works: PackIndex['works'] = { artist: [], style: [], genre: [] };
  for (const kind of ['artist', 'style', 'genre'] as const) works[kind] = new Array(index.count).fill(-1);
  kinds.forEach(({ kind, labels: judged }, i) => {
    works[kind] = Array.from(labels[i] ?? [], (place, work) => (held.has(work) ? -1 : place));
    own[kind] = judged.flatMap(({ label }) => index.labels[kind][label] ?? []);
  });
  return { ...index, labels: own, works };
}

/** Works as they are drawn for the classifier, by the sampler of the GANs. */
function samplerConfig(kinds: readonly JudgedKind[]): SamplerConfig {
  const labelKinds = kinds.map(({ kind }) => kind);
  return { labelKinds, batchSize: BATCH, labelBalance: 0.5, labelDropout: 0, labelMixing: 0, diversityWeight: 0 };
}

interface Tested {
  readonly works: readonly number[];
  readonly labels: readonly Int32Array[];
}

function test(
  { pack, kinds, side }: Pick<ClassifierTraining, 'pack' | 'kinds' | 'side'>,
  weights: Weights,
  { works, labels }: Tested,
): number[] {
  using classifier = new Classifier(kinds, side, weights);
  const pictures = readCrops(pack, works, { side, range: BYTES, places: middles });
  const { answers } = classifier.read(Uint8Array.from(pictures));
  return kinds.map((_, kind) => {
    const wanted = works.map((work) => labels[kind]?.[work] ?? -1);
    return meanOf(accuracyByLabel(wanted, answers[kind] ?? []));
  });
}

/** Share of right answers, by the label that is wanted; -1: none is. */
export function accuracyByLabel(wanted: ArrayLike<number>, answers: ArrayLike<number>): Map<number, number> {
  const counts = new Map<number, { right: number; all: number }>();
  for (let i = 0; i < wanted.length; i++) {
    const label = wanted[i] ?? -1;
    if (label < 0) continue;
    const count = counts.get(label) ?? { right: 0, all: 0 };
    counts.set(label, count);
    count.all++;
    if (answers[i] === label) count.right++;
  }
  return new Map([...counts].map(([label, { right, all }]) => [label, right / all]));
}

/** NaN where there is none. */
export function meanOf(shares: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const share of shares.values()) sum += share;
  return sum / shares.size;
}
