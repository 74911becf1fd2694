/** The stored statistics of batch normalisation, which follow those of the batches. */
import type { Tensor1D } from '@tensorflow/tfjs-core';
import { tf } from '../tensorflow.ts';
import type { Pass } from './layers.ts';
import type { Weights } from './weights.ts';

/** How fast they follow. */
const DECAY = 0.9;

/** Collects the batch statistics of one pass, then moves the stored ones towards them. */
export class Moments {
  readonly #seen: { name: string; mean: Tensor1D; variance: Tensor1D }[] = [];
  readonly pass = {
    training: true,
    observe: (name: string, mean: Tensor1D, variance: Tensor1D) => void this.#seen.push({ name, mean, variance }),
  } as const satisfies Pass;

  store(weights: Weights): void {
    const move = (name: string, value: Tensor1D) => {
      weights.assign(name, tf.add(tf.mul(weights.get(name), DECAY), tf.mul(value, 1 - DECAY)));
      value.dispose();
    };
    for (const { name, mean, variance } of this.#seen) {
      move(`${name}.mean`, mean);
      move(`${name}.variance`, variance);
    }
  }
}
