/**
 * Latents and labels -> pixels. A picture is a pure function of (weights, conditions, latent): stored normalisation
 * statistics are used, so that it is the same alone or in a batch.
 */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { normal } from '../../core/seeds.ts';
import { type Architecture, generate } from '../gan/architecture.ts';
import { conditions, type Labels, labelTensor } from '../gan/conditions.ts';
import { INFERENCE } from '../gan/layers.ts';
import type { Parameters, Weights } from '../gan/weights.ts';
import { Program } from '../graph/program.ts';
import type { BatchFunction } from '../graph/recording.ts';
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
  /** The weights will not change: the graph holds them as constants, and what follows from them alone. */
  readonly frozen?: boolean;
  /** As of the trainer. */
  readonly compiled?: boolean;
}

export class Painter implements Disposable {
  readonly #net: Architecture;
  #weights: Weights;
  readonly #latentSize: number;
  readonly #frozen: boolean;
  readonly #compiled: boolean;
  #program: Program | undefined;

  /** Paints with these weights, which stay the caller's. */
  constructor(
    net: Architecture,
    weights: Weights,
    { latentSize, frozen = false, compiled = compiles }: PainterOptions,
  ) {
    this.#net = net;
    this.#weights = weights;
    this.#latentSize = latentSize;
    this.#frozen = frozen;
    this.#compiled = compiled;
  }

  /** -> RGB bytes, picture after picture: n x R x R x 3. */
  paint({ latents, labels }: Painting): Uint8Array {
    const size = this.#latentSize;
    const count = latents.length / size;
    const parts: Uint8Array[] = [];
    for (let start = 0; start < count; start += AT_ONCE) {
      const end = Math.min(start + AT_ONCE, count);
      const columns = labels.map((column) => column.subarray(start, end));
      parts.push(this.#batch({ latents: latents.subarray(start * size, end * size), labels: columns }));
    }
    return Uint8Array.from(Buffer.concat(parts));
  }

  /** Paints with the values that these weights have now. */
  refresh(weights: Weights): void {
    if (this.#frozen) throw new Error('A painter with frozen weights paints with them for ever');
    this.#weights = weights;
    this.#program?.write(this.#weights.variables);
  }

  [Symbol.dispose](): void {
    this.#program?.[Symbol.dispose]();
  }

  #batch(painting: Painting): Uint8Array {
    const count = painting.latents.length / this.#latentSize;
    const { latents, labels } = filled(painting, this.#latentSize);
    const pixels = tf.tidy(() => {
      const inputs = {
        z: tf.tensor2d(latents, [latents.length / this.#latentSize, this.#latentSize]),
        asked: labelTensor(labels),
      };
      if (!this.#compiled) return draw(this.#net, this.#weights, inputs);
      this.#program ??= this.#compile();
      return this.#program.run('paint', inputs)['pixels'];
    });
    if (pixels === undefined) throw new Error('The program painted nothing');
    const bytes = Uint8Array.from(pixels.dataSync().subarray(0, (pixels.size / (pixels.shape[0] ?? 1)) * count));
    pixels.dispose();
    return bytes;
  }

  #compile(): Program {
    const weights = this.#weights;
    const painting = paintingFunction(this.#net, weights, this.#latentSize);
    return this.#frozen
      ? Program.compileForAnyBatch(new Map(), 'paint', painting, { frozen: [...weights.variables.values()] })
      : Program.compileForAnyBatch(weights.variables, 'paint', painting);
  }
}

/**
 * With pictures that nobody asked for, up to a multiple of four: TensorFlow's matrix products add up in another order for
 * odd numbers of rows, and a picture must not depend on how many others are painted with it.
 */
function filled({ latents, labels }: Painting, latentSize: number): Painting {
  const count = latents.length / latentSize;
  const rows = count <= 2 ? count : Math.ceil(count / 4) * 4;
  if (rows === count) return { latents, labels };
  const all = new Float32Array(rows * latentSize);
  all.set(latents);
  return {
    latents: all,
    labels: labels.map((column) => Int32Array.from({ length: rows }, (_, i) => column[i] ?? -1)),
  };
}

/** Latents z [n, latentSize] and labels asked [n, heads] -> pixels [n, R, R, 3], whole numbers 0..255. */
export function paintingFunction(net: Architecture, weights: Parameters, latentSize: number): BatchFunction {
  return {
    inputs: (rows) => ({
      z: tf.zeros([rows, latentSize]),
      asked: labelTensor(net.heads.map(() => new Int32Array(rows).fill(-1))),
    }),
    body: ({ z, asked }) => ({ pixels: draw(net, weights, { z: z as Tensor2D, asked: asked as Tensor2D }) }),
  };
}

function draw(net: Architecture, weights: Parameters, { z, asked }: { z: Tensor2D; asked: Tensor2D }): Tensor4D {
  const ask = { z, y: conditions(net, asked) };
  return toBytes(generate(net, weights, { ask, pass: INFERENCE }), net.pixelRange);
}

/** The latent of a picture: N(0, 1) from its seed, drawn towards the mean by the truncation. */
export function latentOf(seed: number, truncation: number, size: number): Float32Array {
  return normal(seed, 'pictureLatent', 0, size).map((value) => value * truncation);
}

function toBytes(pictures: Tensor4D, [low, high]: readonly [number, number]): Tensor4D {
  const scaled: Tensor4D = tf.mul(tf.sub(pictures, low), 255 / (high - low));
  return tf.cast(tf.clipByValue(tf.round(scaled), 0, 255), 'int32');
}
