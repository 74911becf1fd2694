/**
 * Latents and labels -> pixels. A picture is a pure function of (weights, conditions, latent): stored normalisation
 * statistics are used, so that it is the same alone or in a batch.
 */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { normal } from '../../core/seeds.ts';
import { type Architecture, generate } from '../gan/architecture.ts';
import { conditions, type Labels, labelTensor } from '../gan/conditions.ts';
import { INFERENCE } from '../gan/layers.ts';
import type { Weights } from '../gan/weights.ts';
import { Program } from '../graph/program.ts';
import { compiles, tf } from '../tensorflow.ts';

/** Pictures that go through the networks at once: bounds memory at 256 pixels. */
const AT_ONCE = 32;

export interface Painting {
  /** Per picture: latentSize numbers. */
  readonly latents: Float32Array;
  readonly labels: Labels;
}

export interface PainterOptions {
  readonly latentSize: number;
  /** As of the trainer. */
  readonly compiled?: boolean;
}

export class Painter implements Disposable {
  readonly #net: Architecture;
  #weights: Weights;
  readonly #latentSize: number;
  readonly #compiled: boolean;
  /** By the number of pictures: a graph is for one. */
  readonly #programs = new Map<number, Program>();

  /** Paints with these weights, which stay the caller's. */
  constructor(net: Architecture, weights: Weights, { latentSize, compiled = compiles }: PainterOptions) {
    this.#net = net;
    this.#weights = weights;
    this.#latentSize = latentSize;
    this.#compiled = compiled;
  }

  /** -> RGB bytes, picture after picture: n x R x R x 3. */
  paint({ latents, labels }: Painting): Uint8Array {
    const size = this.#latentSize;
    const count = latents.length / size;
    const parts: Uint8Array[] = [];
    for (let start = 0; start < count; ) {
      const end = start + batchOf(count - start);
      const columns = labels.map((column) => column.subarray(start, end));
      parts.push(this.#batch({ latents: latents.subarray(start * size, end * size), labels: columns }));
      start = end;
    }
    return Uint8Array.from(Buffer.concat(parts));
  }

  /** Paints with the values that these weights have now. */
  refresh(weights: Weights): void {
    this.#weights = weights;
    for (const program of this.#programs.values()) program.write(this.#weights.variables);
  }

  [Symbol.dispose](): void {
    for (const program of this.#programs.values()) program[Symbol.dispose]();
    this.#programs.clear();
  }

  #batch({ latents, labels }: Painting): Uint8Array {
    const count = latents.length / this.#latentSize;
    const pixels = tf.tidy(() => {
      const z = tf.tensor2d(latents, [count, this.#latentSize]);
      const asked = labelTensor(labels);
      return this.#compiled ? this.#programFor(z, asked).run('paint', { z, asked })['pixels'] : this.#draw(z, asked);
    });
    if (pixels === undefined) throw new Error('The program painted nothing');
    const bytes = Uint8Array.from(pixels.dataSync());
    pixels.dispose();
    return bytes;
  }

  #programFor(z: Tensor2D, asked: Tensor2D): Program {
    const count = z.shape[0];
    const known = this.#programs.get(count);
    if (known !== undefined) return known;
    const body = () => ({ pixels: this.#draw(z, asked) });
    const program = Program.compile(this.#weights.variables, { paint: { inputs: { z, asked }, body } });
    this.#programs.set(count, program);
    return program;
  }

  #draw(z: Tensor2D, asked: Tensor2D): Tensor4D {
    const ask = { z, y: conditions(this.#net, asked) };
    return toBytes(generate(this.#net, this.#weights, { ask, pass: INFERENCE }), this.#net.pixelRange);
  }
}

/** The largest power of two that is not more than what is left: few graphs, and no picture painted for nothing. */
function batchOf(left: number): number {
  return Math.min(AT_ONCE, 2 ** Math.floor(Math.log2(left)));
}

/** The latent of a picture: N(0, 1) from its seed, drawn towards the mean by the truncation. */
export function latentOf(seed: number, truncation: number, size: number): Float32Array {
  return normal(seed, 'pictureLatent', 0, size).map((value) => value * truncation);
}

function toBytes(pictures: Tensor4D, [low, high]: readonly [number, number]): Tensor4D {
  const scaled: Tensor4D = tf.mul(tf.sub(pictures, low), 255 / (high - low));
  return tf.cast(tf.clipByValue(tf.round(scaled), 0, 255), 'int32');
}
