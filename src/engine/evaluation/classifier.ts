/**
 * A small classifier of a collection's labels, independent of any GAN: what reads generated pictures, and whose features
 * they are compared in. Four strided convolutions with batch normalisation, the mean over the map, a head per kind.
 */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { batchNormSpec, conv2d, conv2dSpec, dense, denseSpec, INFERENCE, normLeaky, type Pass } from '../gan/layers.ts';
import type { Parameters, WeightSpec, Weights } from '../gan/weights.ts';
import { Program } from '../graph/program.ts';
import { compiles, tf } from '../tensorflow.ts';
import type { JudgedKind } from './judged-labels.ts';

const CHANNELS = [32, 64, 128, 192] as const;
/** Numbers that describe a picture. */
export const FEATURES = CHANNELS[3];
/** Share of the features that are dropped in training. */
const DROPOUT = 0.3;
const AT_ONCE = 64;

export function classifierSpecs(kinds: readonly JudgedKind[]): WeightSpec[] {
  const layers = CHANNELS.flatMap((to, i) => {
    const from = CHANNELS[i - 1] ?? 3;
    return [
      ...conv2dSpec(`conv${i}`, [4, 4, from, to], { std: Math.sqrt(2 / (16 * from)), bias: false }),
      ...batchNormSpec(`conv${i}`, to, { affine: true }),
    ];
  });
  const heads = kinds.flatMap(({ kind, labels }) =>
    denseSpec(kind, [FEATURES, labels.length], { std: 1 / Math.sqrt(FEATURES), bias: true }),
  );
  return [...layers, ...heads];
}

/** Pictures [B, S, S, 3] in -1..1 -> features [B, FEATURES] and per kind logits [B, labels]. */
export function classify(
  weights: Parameters,
  kinds: readonly JudgedKind[],
  { pictures, pass }: { readonly pictures: Tensor4D; readonly pass: Pass },
): { features: Tensor2D; logits: Tensor2D[] } {
  let x = pictures;
  CHANNELS.forEach((_, i) => {
    x = normLeaky(weights, `conv${i}`, conv2d(weights, `conv${i}`, x, 2), pass);
  });
  const features = tf.mean<Tensor2D>(x, [1, 2]);
  const seen = pass.training && pass.random ? pass.random.dropout(features, DROPOUT) : features;
  return { features, logits: kinds.map(({ kind }) => dense(weights, kind, seen)) };
}

/** What the classifier says of pictures. */
export interface Reading {
  readonly count: number;
  /** count x FEATURES. */
  readonly features: Float32Array;
  /** Per kind the place of the likeliest label among the judged ones. */
  readonly answers: readonly Int32Array[];
}

/** A trained classifier. */
export class Classifier implements Disposable {
  readonly kinds: readonly JudgedKind[];
  /** Of the pictures that it reads, in pixels. */
  readonly side: number;
  readonly #weights: Weights;
  #program: Program | undefined;

  /** The weights stay the caller's. */
  constructor(kinds: readonly JudgedKind[], side: number, weights: Weights) {
    this.kinds = kinds;
    this.side = side;
    this.#weights = weights;
  }

  /** RGB bytes, picture after picture. */
  read(pictures: Uint8Array): Reading {
    const bytes = this.side ** 2 * 3;
    const count = pictures.length / bytes;
    const features = new Float32Array(count * FEATURES);
    const answers = this.kinds.map(() => new Int32Array(count));
    for (let start = 0; start < count; start += AT_ONCE) {
      const few = Math.min(AT_ONCE, count - start);
      // A graph is for one number of pictures: the last ones are filled up.
      const batch = new Float32Array(AT_ONCE * bytes);
      batch.set(pictures.subarray(start * bytes, (start + few) * bytes));
      const read = this.#batch(batch);
      features.set(read.features.subarray(0, few * FEATURES), start * FEATURES);
      read.answers.forEach((column, kind) => {
        answers[kind]?.set(column.subarray(0, few), start);
      });
    }
    return { count, features, answers };
  }

  [Symbol.dispose](): void {
    this.#program?.[Symbol.dispose]();
  }

  #batch(bytes: Float32Array): { features: Float32Array; answers: Int32Array[] } {
    return tf.tidy(() => {
      const pictures = tf.tensor4d(bytes, [AT_ONCE, this.side, this.side, 3]);
      const body = () => this.#say(pictures);
      if (compiles)
        this.#program ??= Program.compile(this.#weights.variables, { read: { inputs: { pictures }, body } });
      const { features, answers } = this.#program?.run('read', { pictures }) ?? body();
      if (features === undefined || answers === undefined) throw new Error('The classifier said nothing');
      const rows = answers.dataSync<'int32'>();
      const columns = this.kinds.map((_, kind) => Int32Array.from(rows.subarray(kind * AT_ONCE, (kind + 1) * AT_ONCE)));
      return { features: Float32Array.from(features.dataSync<'float32'>()), answers: columns };
    });
  }

  /** answers: [kinds, B]. */
  #say(pictures: Tensor4D) {
    const scaled: Tensor4D = tf.sub(tf.div(pictures, 127.5), 1);
    const { features, logits } = classify(this.#weights, this.kinds, { pictures: scaled, pass: INFERENCE });
    return { features, answers: tf.stack(logits.map((head) => tf.argMax(head, 1))) };
  }
}
