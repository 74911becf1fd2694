/**
 * One training step of ArtGAN: D once, then G once on the same latents and labels, then the moving average.
 * Takes plain arrays, gives numbers; everything random is drawn from (seed, purpose, step) by who calls or by augment.ts.
 */
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { tf } from '../tensorflow.ts';
import { type Architecture, conditionColumns, discriminate, generate } from './architecture.ts';
import { augment } from './augment.ts';
import type { Pass } from './layers.ts';
import { labelLoss, squaredError } from './losses.ts';
import { applyGradients, slotSpecs } from './optimisers.ts';
import { Weights } from './weights.ts';

/** Per head a class index for each picture; -1: the work has no label of this kind, or none is asked for. */
export type Labels = readonly Int32Array[];

export interface Batch {
  /** B x R x R x 3 in the network's pixel range. */
  readonly pictures: Float32Array;
  readonly labels: Labels;
  /** B x latentSize. */
  readonly latents: Float32Array;
  /** What the generated pictures are asked for. */
  readonly asked: Labels;
}

export interface Losses {
  readonly dLoss: number;
  readonly gLoss: number;
  readonly l2Loss: number | null;
}

export interface Accuracies {
  /** Share of the known labels of real pictures that D names. */
  readonly realAccuracy: number | null;
  /** Share of the labels asked for that D names for generated pictures. */
  readonly fakeAccuracy: number | null;
}

/** How fast the stored statistics of batch normalisation follow those of the batches. */
const STATISTICS_DECAY = 0.9;

/** y [B, columns]: one-hot per kind; "unspecified" has a column of its own where the network has one, else zeros. */
export function conditions(net: Pick<Architecture, 'heads' | 'unspecified'>, labels: Labels): Tensor2D {
  const batch = labels[0]?.length ?? 0;
  const columns = conditionColumns(net);
  const values = new Float32Array(batch * columns);
  let start = 0;
  net.heads.forEach(({ classes }, head) => {
    for (let i = 0; i < batch; i++) {
      const label = labels[head]?.[i] ?? -1;
      if (label >= 0) values[i * columns + start + label] = 1;
      else if (net.unspecified) values[i * columns + start + classes] = 1;
    }
    start += classes + (net.unspecified ? 1 : 0);
  });
  return tf.tensor2d(values, [batch, columns]);
}

/** Targets per head [B, K + 1] (see losses.ts): the label, or any label where it is -1; `fake`: FAKE for all. */
export function targets(net: Pick<Architecture, 'heads'>, labels: Labels, fake = false): Tensor2D[] {
  const batch = labels[0]?.length ?? 0;
  return net.heads.map(({ classes }, head) => {
    const values = new Float32Array(batch * (classes + 1));
    for (let i = 0; i < batch; i++) {
      const row = i * (classes + 1);
      const label = labels[head]?.[i] ?? -1;
      if (fake) values[row + classes] = 1;
      else if (label >= 0) values[row + label] = 1;
      else values.fill(1, row, row + classes);
    }
    return tf.tensor2d(values, [batch, classes + 1]);
  });
}

export class Trainer implements Disposable {
  readonly net: Architecture;
  /** Weights of G and D, and running statistics. */
  readonly weights: Weights;
  /** The optimisers' slots. */
  readonly slots: Weights;
  /** Moving average of G: what paints the pictures. */
  readonly average: Weights;
  readonly #config: TrainConfig;
  readonly #seed: number;

  constructor(net: Architecture, config: TrainConfig, seed: number) {
    this.net = net;
    this.#config = config;
    this.#seed = seed;
    this.weights = Weights.fromSeed(net.specs, seed);
    this.slots = Weights.fromSeed(slotSpecs(config.optimizer, net.specs), seed);
    const generator = net.specs.filter(({ name }) => name.startsWith('generator.'));
    this.average = new Weights(generator, ({ name }) => this.weights.get(name).dataSync<'float32'>());
  }

  /** Runs step `step` (from 1) of `totalSteps`. `measure`: also D's accuracies, which cost a read of its answers. */
  step(step: number, batch: Batch, options: { totalSteps: number; measure: boolean }): Losses & Accuracies {
    const { latentSize, resolution: side, learningRateDropAt, learningRateDropFactor } = this.#config;
    const drop = step > options.totalSteps * learningRateDropAt ? learningRateDropFactor : 1;
    return scoped(() => {
      const y = conditions(this.net, batch.asked);
      const z: Tensor2D = tf.tensor2d(batch.latents, [batch.latents.length / latentSize, latentSize]);
      const real = tf.tensor4d(batch.pictures, [batch.pictures.length / (side * side * 3), side, side, 3]);
      const d = this.#stepDiscriminator({ step, real, z, y, batch, drop, measure: options.measure });
      const g = this.#stepGenerator({ step, real, z, y, batch, drop });
      this.#follow(step);
      return { ...d, ...g };
    });
  }

  #stepDiscriminator(input: StepInput & { measure: boolean }): Pick<Losses, 'dLoss'> & Accuracies {
    const { step, real, z, y, batch, drop } = input;
    const { net, weights } = this;
    // G's statistics are taken in its own step; here it only paints.
    const fakes = generate(net, weights, { ask: { z, y }, pass: silent });
    const running = new Moments();
    const seen: { real: Tensor2D[]; fake: Tensor2D[] } = { real: [], fake: [] };
    const loss = () => {
      seen.real = discriminate(net, weights, this.#augmented(real, step, 0), running.pass).map((logits) =>
        tf.keep(logits),
      );
      seen.fake = discriminate(net, weights, this.#augmented(fakes, step, 1), silent).map((logits) => tf.keep(logits));
      return tf.add<Scalar>(
        labelLoss(net.objective, seen.real, targets(net, batch.labels)),
        labelLoss(net.objective, seen.fake, targets(net, batch.asked, true)),
      );
    };
    const dLoss = this.#descend('discriminator.', loss, { step, rate: this.#config.discriminatorLearningRate * drop });
    running.store(weights);
    const accuracies = {
      realAccuracy: input.measure ? accuracy(seen.real, batch.labels) : null,
      fakeAccuracy: input.measure ? accuracy(seen.fake, batch.asked) : null,
    };
    tf.dispose([seen.real, seen.fake]);
    return { dLoss, ...accuracies };
  }

  #stepGenerator({ step, real, z, y, batch, drop }: StepInput): Omit<Losses, 'dLoss'> {
    const { net, weights } = this;
    const { reconstructionWeight } = this.#config;
    const running = new Moments();
    let l2: Tensor | undefined;
    const loss = () => {
      const fakes = generate(net, weights, { ask: { z, y }, pass: running.pass });
      const answer = discriminate(net, weights, this.#augmented(fakes, step, 2), silent);
      const adversarial = labelLoss(net.objective, answer, targets(net, batch.asked));
      if (reconstructionWeight === 0) return adversarial;
      const code = net.encode(weights, real, silent);
      const repainted = net.decode(weights, code, {
        ask: { z: tf.zerosLike(z), y: conditions(net, batch.labels) },
        pass: silent,
      });
      const error = squaredError(repainted, real);
      l2 = tf.keep(error.clone());
      return tf.add<Scalar>(adversarial, tf.mul(error, reconstructionWeight));
    };
    const gLoss = this.#descend('generator.', loss, { step, rate: this.#config.generatorLearningRate * drop });
    running.store(weights);
    const l2Loss = l2 === undefined ? null : (l2.dataSync()[0] ?? Number.NaN);
    l2?.dispose();
    return { gLoss, l2Loss };
  }

  /** One optimiser step on the weights of one network; the other's are constants to it. */
  #descend(part: string, loss: () => Scalar, { step, rate }: { step: number; rate: number }): number {
    const trainable = this.weights.trainable(part);
    const { value, grads } = tf.variableGrads(loss, [...trainable.values()]);
    applyGradients(trainable, grads, { config: this.#config, learningRate: rate, step, slots: this.slots });
    const number = value.dataSync()[0] ?? Number.NaN;
    tf.dispose([value, grads]);
    return number;
  }

  #augmented(pictures: Tensor4D, step: number, use: number): Tensor4D {
    return augment(pictures, this.#config.augment, { seed: this.#seed, counter: step * 4 + use });
  }

  /** The moving average follows G; faster at first, so that it forgets the random start (as in TensorFlow's EMA). */
  #follow(step: number): void {
    const decay = Math.min(this.#config.emaDecay, step / (step + 10));
    for (const { name } of this.average.specs) {
      const current: Variable = this.weights.get(name);
      if (this.#config.emaDecay === 0) this.average.assign(name, current);
      else
        tf.tidy(() =>
          this.average.assign(name, tf.add(tf.mul(this.average.get(name), decay), tf.mul(current, 1 - decay))),
        );
    }
  }

  [Symbol.dispose](): void {
    for (const weights of [this.weights, this.slots, this.average]) weights[Symbol.dispose]();
  }
}

interface StepInput {
  readonly step: number;
  readonly real: Tensor4D;
  readonly z: Tensor2D;
  readonly y: Tensor2D;
  readonly batch: Batch;
  readonly drop: number;
}

/** Frees every tensor that `work` made and did not keep; what it returns are plain values. */
function scoped<T>(work: () => T): T {
  tf.engine().startScope();
  try {
    return work();
  } finally {
    tf.engine().endScope();
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

/** Over all heads, the share of the known labels that have the highest of the K + 1 outputs; null where none is known. */
function accuracy(answers: readonly Tensor2D[], labels: Labels): number | null {
  let known = 0;
  let right = 0;
  answers.forEach((logits, head) => {
    const named = tf.argMax(logits, 1).dataSync();
    labels[head]?.forEach((label, i) => {
      if (label < 0) return;
      known++;
      if (named[i] === label) right++;
    });
  });
  return known === 0 ? null : right / known;
}
