/**
 * A packed dataset as training batches. Which works, how they are cut and mirrored, the latents and the labels asked for
 * are all pure functions of (seed, step), so that a resumed run sees what an undisturbed one would have seen.
 */

import { AppError } from '../../core/errors.ts';
import type { TrainConfig } from '../../core/presets.ts';
import { integers, normal, uniform } from '../../core/seeds.ts';
import { PackReader } from '../../datasets/pack-reader.ts';
import type { Labels } from '../gan/conditions.ts';
import type { Batch } from '../gan/step-inputs.ts';

export class Batches implements Disposable {
  readonly #pack: PackReader;
  readonly #config: TrainConfig;
  readonly #seed: number;
  readonly #pixelRange: readonly [number, number];
  /** Works that can be drawn, and the running sum of their weights. */
  readonly #works: Int32Array;
  readonly #cumulative: Float64Array;

  constructor(input: {
    readonly pack: PackReader;
    readonly config: TrainConfig;
    readonly seed: number;
    readonly pixelRange: readonly [number, number];
  }) {
    this.#pack = input.pack;
    this.#config = input.config;
    this.#seed = input.seed;
    this.#pixelRange = input.pixelRange;
    const weights = workWeights(input.pack.index, input.config);
    this.#works = Int32Array.from(weights.keys());
    this.#cumulative = Float64Array.from(weights.values());
    for (let i = 1; i < this.#cumulative.length; i++)
      this.#cumulative[i] = (this.#cumulative[i] ?? 0) + (this.#cumulative[i - 1] ?? 0);
    if (this.#works.length === 0)
      throw new AppError('NO_LABELS', 'No work of the dataset has a label that this run trains on.');
  }

  /** The batch of step `step`, from 1. */
  at(step: number): Batch {
    const { batchSize, latentSize } = this.#config;
    const works = this.#draw(uniform(this.#seed, 'shuffle', step, batchSize));
    return {
      pictures: this.#read(works, step),
      labels: this.#labelsOf(works),
      latents: normal(this.#seed, 'trainLatent', step, batchSize * latentSize),
      asked: this.#asked(step),
    };
  }

  #draw(points: Float32Array): Int32Array {
    const total = this.#cumulative.at(-1) ?? 0;
    return Int32Array.from(points, (point) => this.#works[firstAbove(this.#cumulative, point * total)] ?? 0);
  }

  #labelsOf(works: Int32Array): Int32Array[] {
    return this.#config.labelKinds.map((kind) => works.map((work) => this.#pack.index.works[kind][work] ?? -1));
  }

  /**
   * What the generated pictures are asked for: without balancing, labels drawn evenly (the paper); with it, the labels of
   * works drawn like the real ones, each kind withheld from a share of the pictures.
   */
  #asked(step: number): Labels {
    const { batchSize, labelKinds, labelBalance, labelDropout } = this.#config;
    if (labelBalance === 0 && labelKinds.length === 1) {
      return labelKinds.map((kind) =>
        integers(this.#seed, 'trainLabel', step, batchSize, this.#pack.index.labels[kind].length),
      );
    }
    const labels = this.#labelsOf(this.#draw(uniform(this.#seed, 'trainLabel', step, batchSize)));
    const dropped = uniform(this.#seed, 'labelDropout', step, batchSize * labelKinds.length);
    return labels.map((column, head) =>
      column.map((label, i) => ((dropped[i * labelKinds.length + head] ?? 0) < labelDropout ? -1 : label)),
    );
  }

  #read(works: Int32Array, step: number): Float32Array {
    const { resolution: side, crops, flips } = this.#config;
    const level = this.#pack.level(side);
    const room = level.size - side;
    const offsets = integers(this.#seed, 'crop', step, works.length * 2, room + 1);
    const mirrors = uniform(this.#seed, 'flip', step, works.length);
    const tile = new Uint8Array(level.size * level.size * 3);
    const pictures = new Float32Array(works.length * side * side * 3);
    works.forEach((work, i) => {
      this.#pack.readTile(work, level, tile, 0);
      const [top, left] = crops ? [offsets[i * 2] ?? 0, offsets[i * 2 + 1] ?? 0] : [room >> 1, room >> 1];
      const cut = { tile, size: level.size, top, left, mirrored: flips && (mirrors[i] ?? 0) < 0.5 };
      copySquare(cut, pictures.subarray(i * side * side * 3, (i + 1) * side * side * 3), {
        side,
        range: this.#pixelRange,
      });
    });
    return pictures;
  }

  [Symbol.dispose](): void {
    this.#pack[Symbol.dispose]();
  }
}

interface Cut {
  readonly tile: Uint8Array;
  readonly size: number;
  readonly top: number;
  readonly left: number;
  readonly mirrored: boolean;
}

/** Copies a side x side square out of a tile and maps bytes 0..255 to the network's pixel range. */
function copySquare(
  cut: Cut,
  into: Float32Array,
  { side, range }: { side: number; range: readonly [number, number] },
): void {
  const scale = (range[1] - range[0]) / 255;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const from = ((cut.top + row) * cut.size + cut.left + (cut.mirrored ? side - 1 - column : column)) * 3;
      const to = (row * side + column) * 3;
      for (let c = 0; c < 3; c++) into[to + c] = (cut.tile[from + c] ?? 0) * scale + range[0];
    }
  }
}

/**
 * How often each work is drawn, by its position: the geometric mean over its labels of count^-labelBalance, so that with one
 * kind and a balance of 1 every label is drawn equally often. A work without any label of the run's kinds is left out.
 */
export function workWeights(
  index: PackReader['index'],
  config: Pick<TrainConfig, 'labelKinds' | 'labelBalance'>,
): Map<number, number> {
  const weights = new Map<number, number>();
  for (let work = 0; work < index.count; work++) {
    const counts = config.labelKinds.flatMap((kind) => {
      const label = index.works[kind][work] ?? -1;
      return label < 0 ? [] : [index.labels[kind][label]?.count ?? 1];
    });
    if (counts.length === 0) continue;
    const logMean = counts.reduce((sum, count) => sum + Math.log(count), 0) / counts.length;
    weights.set(work, Math.exp(-config.labelBalance * logMean));
  }
  return weights;
}

/** The first position whose value is above `x`, in a rising array. */
function firstAbove(rising: Float64Array, x: number): number {
  let low = 0;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] ?? 0) > x) high = middle;
    else low = middle + 1;
  }
  return low;
}
