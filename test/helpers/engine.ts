/** Small inputs for tests of the engine that need no dataset. */
import type { TrainConfig } from '../../src/core/presets.ts';
import { integers, normal, uniform } from '../../src/core/seeds.ts';
import type { Architecture } from '../../src/engine/gan/architecture.ts';
import type { Batch } from '../../src/engine/gan/step-inputs.ts';
import { sizeOf } from '../../src/engine/gan/weights.ts';
import { tf } from '../../src/engine/tensorflow.ts';

/** Numbers from N(0, 1), a function of the seed. */
export function numbers(seed: number, ...shape: number[]) {
  return tf.tensor(normal(seed, 'gridLatent', 0, sizeOf(shape)), shape);
}

/** Noise for pictures, and labels at random: a function of the step. */
export function randomBatch(net: Architecture, config: TrainConfig, step: number): Batch {
  const { batchSize: n, resolution: side, latentSize } = config;
  const [low, high] = net.pixelRange;
  const labels = net.heads.map(({ classes }, head) => integers(step, 'trainLabel', head, n, classes));
  return {
    pictures: uniform(step, 'crop', 0, n * side * side * 3).map((value) => low + value * (high - low)),
    labels,
    latents: normal(step, 'trainLatent', 0, n * latentSize),
    asked: labels,
  };
}
