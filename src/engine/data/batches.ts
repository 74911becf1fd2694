/**
 * A packed dataset as training batches. Which works (sampler.ts), how they are cut and mirrored, and the latents are all
 * pure functions of (seed, step), so that a resumed run sees what an undisturbed one would have seen.
 */
import type { TrainConfig } from '../../core/presets.ts';
import { normal } from '../../core/seeds.ts';
import type { PackReader } from '../../datasets/pack-reader.ts';
import type { Batch } from '../gan/step-inputs.ts';
import { type PixelRange, randomPlaces, readCrops } from './crops.ts';
import { Sampler } from './sampler.ts';

export interface BatchSource {
  readonly pack: PackReader;
  readonly config: TrainConfig;
  readonly seed: number;
  readonly pixelRange: PixelRange;
}

export class Batches {
  readonly #source: BatchSource;
  readonly #sampler: Sampler;

  /** @throws AppError NO_LABELS */
  constructor(source: BatchSource) {
    this.#source = source;
    this.#sampler = new Sampler(source.pack.index, source.config, source.seed);
  }

  /** The batch of step `step`, from 1. */
  at(step: number): Batch {
    const { pack, config, seed, pixelRange: range } = this.#source;
    const { batchSize, latentSize, resolution: side, crops, flips } = config;
    const { works, labels, asked } = this.#sampler.at(step);
    const latents = normal(seed, 'trainLatent', step, batchSize * latentSize);
    const places = (count: number, room: number) => randomPlaces({ seed, step, crops, flips }, count, room);
    return { pictures: readCrops(pack, works, { side, range, places }), labels, latents, asked };
  }
}
