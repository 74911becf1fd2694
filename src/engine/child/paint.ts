/**
 * Seeds and labels -> pixels. A picture is a pure function of (model, conditions, seed, truncation): stored normalisation
 * statistics are used, so that it is the same alone or in a batch.
 */
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { normal } from '../../core/seeds.ts';
import { type Architecture, generate } from '../gan/architecture.ts';
import { INFERENCE } from '../gan/layers.ts';
import { conditions, type Labels } from '../gan/trainer.ts';
import type { Weights } from '../gan/weights.ts';
import { tf } from '../tensorflow.ts';

/** Pictures that go through the networks at once: bounds memory at 256 pixels. */
const AT_ONCE = 32;

export interface Painting {
  /** Per picture: latentSize numbers. */
  readonly latents: Float32Array;
  readonly labels: Labels;
  readonly latentSize: number;
}

/** -> RGB bytes, picture after picture: n x R x R x 3. */
export function paint(net: Architecture, weights: Weights, { latents, labels, latentSize }: Painting): Uint8Array {
  const count = latents.length / latentSize;
  const parts: Uint8Array[] = [];
  for (let start = 0; start < count; start += AT_ONCE) {
    const end = Math.min(count, start + AT_ONCE);
    const bytes = tf.tidy(() => {
      const z = tf.tensor2d(latents.subarray(start * latentSize, end * latentSize), [end - start, latentSize]);
      const y = conditions(
        net,
        labels.map((column) => column.subarray(start, end)),
      );
      return toBytes(generate(net, weights, { ask: { z, y }, pass: INFERENCE }), net.pixelRange);
    });
    parts.push(Uint8Array.from(bytes.dataSync()));
    bytes.dispose();
  }
  return Uint8Array.from(Buffer.concat(parts));
}

/** The latent of a picture: N(0, 1) from its seed, drawn towards the mean by the truncation. */
export function latentOf(seed: number, truncation: number, size: number): Float32Array {
  return normal(seed, 'pictureLatent', 0, size).map((value) => value * truncation);
}

function toBytes(pictures: Tensor4D, [low, high]: readonly [number, number]): Tensor4D {
  const scaled: Tensor4D = tf.mul(tf.sub(pictures, low), 255 / (high - low));
  return tf.cast(tf.clipByValue(tf.round(scaled), 0, 255), 'int32');
}
