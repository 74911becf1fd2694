/** How well the autoencoder in a GAN knows the works: Dec(Enc(work)) against the work. */
import type { Rank } from '@tensorflow/tfjs-core';
import type { PackReader } from '../../datasets/pack-reader.ts';
import { middles, readCrops } from '../data/crops.ts';
import type { Architecture } from '../gan/architecture.ts';
import { conditions, labelTensor } from '../gan/conditions.ts';
import { INFERENCE } from '../gan/layers.ts';
import { normalised, powerIteration } from '../gan/spectral.ts';
import type { Parameters } from '../gan/weights.ts';
import { tf } from '../tensorflow.ts';

const AT_ONCE = 32;

export interface Autoencoder {
  readonly net: Architecture;
  /** Of G and D. */
  readonly weights: Parameters;
  readonly resolution: number;
  readonly latentSize: number;
}

/** Root of the mean squared error over works, of pixels in 0..1. */
export function reconstructionError(
  { net, weights, resolution: side, latentSize }: Autoencoder,
  pack: PackReader,
  works: Int32Array,
): number {
  const [low, high] = net.pixelRange;
  let sum = 0;
  for (let start = 0; start < works.length; start += AT_ONCE) {
    const some = works.subarray(start, start + AT_ONCE);
    sum += tf.tidy(() => {
      const d = normalised(weights, powerIteration(weights, net.spectral));
      const crops = readCrops(pack, some, { side, range: net.pixelRange, places: middles });
      const pictures = tf.tensor4d(crops, [some.length, side, side, 3]);
      const code = net.encode(d, pictures, INFERENCE);
      const labels = net.heads.map(({ kind }) => Int32Array.from(some, (work) => pack.index.works[kind][work] ?? -1));
      const ask = { z: tf.zeros<Rank.R2>([some.length, latentSize]), y: conditions(net, labelTensor(labels)) };
      const again = net.repaint?.(d, code, INFERENCE) ?? net.decode(weights, code, { ask, pass: INFERENCE });
      return tf.sum(tf.squaredDifference(again, pictures)).dataSync()[0] ?? Number.NaN;
    });
  }
  return Math.sqrt(sum / (works.length * side * side * 3)) / (high - low);
}
