/**
 * Latents and conditions -> pixels. A picture is a pure function of (weights, conditions, latent): stored normalisation
 * statistics are used, so that it is the same alone or in a batch.
 */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Latent } from '../../core/latents.ts';
import { normal } from '../../core/seeds.ts';
import { type Architecture, type Ask, generate } from '../gan/architecture.ts';
import { conditionColumns, conditions, labelTensor } from '../gan/conditions.ts';
import { INFERENCE } from '../gan/layers.ts';
import type { Parameters, Weights } from '../gan/weights.ts';
import { Program } from '../graph/program.ts';
import type { BatchFunction } from '../graph/recording.ts';
import { compiles, device, tf } from '../tensorflow.ts';
import { bytesOf, packedBytes, wholeNumbers } from './pixels.ts';

/** Pictures that go through the networks at once. More bring a CPU nothing, and cost a GPU memory at 256 pixels. */
export const PAINTED_AT_ONCE = device().startsWith('GPU') ? 32 : 16;

export interface Painting {
  /** Per picture: latentSize numbers. */
  readonly latents: Float32Array;
  /** Per picture: a row of conditions, as gan/conditions.ts makes them of labels or of mixes. */
  readonly y: Float32Array;
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
  paint({ latents, y }: Painting): Uint8Array {
    const size = this.#latentSize;
    const columns = this.#columns;
    const count = latents.length / size;
    const parts: Uint8Array[] = [];
    for (let start = 0; start < count; start += PAINTED_AT_ONCE) {
      const end = Math.min(start + PAINTED_AT_ONCE, count);
      parts.push(
        this.#batch(end - start, {
          latents: latents.subarray(start * size, end * size),
          y: y.subarray(start * columns, end * columns),
        }),
      );
    }
    const [first] = parts;
    return parts.length === 1 && first !== undefined ? first : new Uint8Array(Buffer.concat(parts));
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

  get #columns(): number {
    return conditionColumns(this.#net.heads, this.#net.unspecified);
  }

  #batch(count: number, { latents, y }: Painting): Uint8Array {
    const rows = rowsFor(count);
    const pixels = tf.tidy(() => {
      const inputs = { z: tensorOf(latents, rows, this.#latentSize), y: tensorOf(y, rows, this.#columns) };
      if (!this.#compiled) return packedBytes(draw(this.#net, this.#weights, inputs));
      this.#program ??= this.#compile();
      return this.#program.run('paint', inputs)['pixels'];
    });
    if (pixels === undefined) throw new Error('The program painted nothing');
    const bytes = bytesOf(pixels);
    return bytes.subarray(0, (bytes.length / rows) * count);
  }

  #compile(): Program {
    const weights = this.#weights;
    const painting: BatchFunction = {
      inputs: (rows) => ({ z: tf.zeros([rows, this.#latentSize]), y: tf.zeros([rows, this.#columns]) }),
      body: ({ z, y }) => ({
        pixels: packedBytes(draw(this.#net, weights, { z: z as Tensor2D, y: y as Tensor2D })),
      }),
    };
    return this.#frozen
      ? Program.compileForAnyBatch(new Map(), 'paint', painting, { frozen: [...weights.variables.values()] })
      : Program.compileForAnyBatch(weights.variables, 'paint', painting);
  }
}

/**
 * Rows for so many pictures: with some that nobody asked for, up to a multiple of four. TensorFlow's transposed
 * convolutions add up in another order for three pictures, and one must not depend on how many others are painted with it.
 */
export function rowsFor(pictures: number): number {
  return pictures <= 2 ? pictures : Math.ceil(pictures / 4) * 4;
}

/** [rows, columns]: the given numbers, then zeros. */
function tensorOf(numbers: Float32Array, rows: number, columns: number): Tensor2D {
  if (numbers.length === rows * columns) return tf.tensor2d(numbers, [rows, columns]);
  const all = new Float32Array(rows * columns);
  all.set(numbers);
  return tf.tensor2d(all, [rows, columns]);
}

/** For others to run: latents z [n, latentSize] and labels asked [n, heads] -> pixels [n, R, R, 3], whole numbers 0..255. */
export function paintingFunction(net: Architecture, weights: Parameters, latentSize: number): BatchFunction {
  return {
    inputs: (rows) => ({
      z: tf.zeros([rows, latentSize]),
      asked: labelTensor(net.heads.map(() => new Int32Array(rows).fill(-1))),
    }),
    body: ({ z, asked }) => {
      const y = conditions(net, asked as Tensor2D);
      return { pixels: tf.cast(draw(net, weights, { z: z as Tensor2D, y }), 'int32') };
    },
  };
}

function draw(net: Architecture, weights: Parameters, ask: Ask): Tensor4D {
  return wholeNumbers(generate(net, weights, { ask, pass: INFERENCE }), net.pixelRange);
}

/** The latent of a picture: N(0, 1) of each of its seeds with their weights, drawn towards the mean by the truncation. */
export function latentOf(latent: Latent, truncation: number, size: number): Float32Array {
  const sum = new Float64Array(size);
  for (const { weight, seed } of latent)
    normal(seed, 'pictureLatent', 0, size).forEach((value, i) => {
      sum[i] = (sum[i] ?? 0) + weight * value;
    });
  return Float32Array.from(sum, (value) => value * truncation);
}
