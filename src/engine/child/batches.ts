/**
 * A packed dataset as training batches. Which works (sampler.ts), how they are cut and mirrored, and the latents are all
 * pure functions of (seed, step), so that a resumed run sees what an undisturbed one would have seen.
 */
import type { TrainConfig } from '../../core/presets.ts';
import { integers, normal, uniform } from '../../core/seeds.ts';
import { PackReader } from '../../datasets/pack-reader.ts';
import type { Batch } from '../gan/step-inputs.ts';
import { Sampler } from './sampler.ts';

export class Batches {
  readonly #pack: PackReader;
  readonly #config: TrainConfig;
  readonly #seed: number;
  readonly #pixelRange: readonly [number, number];
  readonly #sampler: Sampler;

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
    this.#sampler = new Sampler(input.pack.index, input.config, input.seed);
  }

  /** The batch of step `step`, from 1. */
  at(step: number): Batch {
    const { batchSize, latentSize } = this.#config;
    const { works, labels, asked } = this.#sampler.at(step);
    const latents = normal(this.#seed, 'trainLatent', step, batchSize * latentSize);
    return { pictures: this.#read(works, step), labels, latents, asked };
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
