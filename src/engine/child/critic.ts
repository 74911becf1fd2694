/**
 * What a model's discriminator is asked: to repaint a picture, Dec(Enc(x)), the paper's own way from a picture to a
 * picture; and to classify it, a probability per label and for FAKE. Spectrally normalised kernels are worked out once.
 */
import type { Rank, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Architecture, Ask } from '../gan/architecture.ts';
import { conditionColumns } from '../gan/conditions.ts';
import { INFERENCE } from '../gan/layers.ts';
import { normalised, powerIteration } from '../gan/spectral.ts';
import type { Parameters, Weights } from '../gan/weights.ts';
import { Program } from '../graph/program.ts';
import { compiles, tf } from '../tensorflow.ts';
import { bytesOf, packedBytes, wholeNumbers } from './pixels.ts';

const WHITE = 255;

export interface CriticParts {
  readonly net: Architecture;
  readonly generator: Weights;
  readonly discriminator: Weights;
  readonly resolution: number;
  readonly latentSize: number;
  /** As of the trainer. */
  readonly compiled?: boolean;
}

export interface Repainting {
  /** Bytes, picture after picture: n x R x R x 3. */
  readonly pixels: Uint8Array;
  /** Per picture: a row of conditions. */
  readonly y: Float32Array;
}

export class Critic implements Disposable {
  readonly #parts: CriticParts;
  readonly #weights: Parameters;
  readonly #compiled: boolean;
  #repainting: Program | undefined;
  #classifying: Program | undefined;

  /** The weights stay the caller's. */
  constructor(parts: CriticParts) {
    this.#parts = parts;
    this.#compiled = parts.compiled ?? compiles;
    const { generator, discriminator } = parts;
    this.#weights = {
      get: (name) => (discriminator.has(name) ? discriminator : generator).get(name),
      has: (name) => discriminator.has(name) || generator.has(name),
    };
  }

  /** -> bytes, picture after picture: n x R x R x 3. Each by itself: Enc's convolutions are not batch-invariant. */
  repaint({ pixels, y }: Repainting): Uint8Array {
    const { net, resolution } = this.#parts;
    const bytes = resolution * resolution * 3;
    const columns = conditionColumns(net.heads, net.unspecified);
    const parts = Array.from({ length: pixels.length / bytes }, (_, i) =>
      this.#repaintOne(pixels.subarray(i * bytes, (i + 1) * bytes), y.subarray(i * columns, (i + 1) * columns)),
    );
    return new Uint8Array(Buffer.concat(parts));
  }

  /**
   * Of one picture, R x R x 3 bytes: per head K + 1 probabilities, the last for FAKE. It is looked at beside its mirror
   * image, for D judges pictures in pairs; what is said is the mean of both.
   */
  classify(pixels: Uint8Array): Float32Array[] {
    const { resolution: side } = this.#parts;
    const answers = tf.tidy(() => {
      const picture = tf.tensor4d(Float32Array.from(pixels), [1, side, side, 3]);
      const pair: Tensor4D = tf.concat([picture, tf.reverse(picture, 2)], 0);
      if (!this.#compiled) return this.#probabilities(pair);
      this.#classifying ??= Program.compile(
        new Map(),
        { classify: { inputs: { pictures: pair }, body: () => named(this.#probabilities(pair)) } },
        { frozen: this.#frozen },
      );
      const given = this.#classifying.run('classify', { pictures: pair });
      return this.#parts.net.heads.map((_head, i) => given[`head${i}`] ?? missing());
    });
    const values = answers.map((answer) => Float32Array.from(answer.dataSync()));
    tf.dispose(answers);
    return values;
  }

  [Symbol.dispose](): void {
    this.#repainting?.[Symbol.dispose]();
    this.#classifying?.[Symbol.dispose]();
  }

  get #frozen(): Tensor[] {
    const { generator, discriminator } = this.#parts;
    return [...generator.variables.values(), ...discriminator.variables.values()];
  }

  #repaintOne(pixels: Uint8Array, y: Float32Array): Uint8Array {
    const { resolution: side, latentSize } = this.#parts;
    const painted = tf.tidy(() => {
      const inputs = {
        pictures: tf.tensor4d(Float32Array.from(pixels), [1, side, side, 3]),
        z: tf.zeros<Rank.R2>([1, latentSize]),
        y: tf.tensor2d(y, [1, y.length]),
      };
      if (!this.#compiled) return this.#again(inputs);
      this.#repainting ??= Program.compile(
        new Map(),
        { repaint: { inputs, body: () => ({ pixels: this.#again(inputs) }) } },
        { frozen: this.#frozen },
      );
      return this.#repainting.run('repaint', inputs)['pixels'] ?? missing();
    });
    return bytesOf(painted);
  }

  /** By G's Dec; in tip2019 by the decoder that D has of its own. */
  #again({ pictures, z, y }: { readonly pictures: Tensor4D } & Ask): Tensor {
    const { net } = this.#parts;
    const d = this.#normalised();
    const code = net.encode(d, this.#inRange(pictures), INFERENCE);
    const again =
      net.repaint?.(d, code, INFERENCE) ?? net.decode(this.#weights, code, { ask: { z, y }, pass: INFERENCE });
    return packedBytes(wholeNumbers(again, net.pixelRange));
  }

  /** Per head [K + 1]. */
  #probabilities(pictures: Tensor4D): Tensor[] {
    const { net } = this.#parts;
    const d = this.#normalised();
    const logits = net.classify(d, net.encode(d, this.#inRange(pictures), INFERENCE), INFERENCE);
    const read = (head: Tensor2D) => (net.objective === 'sigmoid' ? tf.sigmoid(head) : tf.softmax(head));
    return logits.map((head) => tf.mean(read(head), 0));
  }

  #normalised(): Parameters {
    return normalised(this.#weights, powerIteration(this.#weights, this.#parts.net.spectral));
  }

  /** Bytes -> values of the networks. */
  #inRange(pictures: Tensor4D): Tensor4D {
    const [low, high] = this.#parts.net.pixelRange;
    return tf.add(tf.mul(pictures, (high - low) / WHITE), low);
  }
}

const named = (heads: readonly Tensor[]) => Object.fromEntries(heads.map((head, i) => [`head${i}`, head]));

function missing(): never {
  throw new Error('The program has answered nothing');
}
