/**
 * The objective of ArtGAN: D answers each picture with its label or with FAKE; the label loss flows back into G.
 *
 *   L_D   = l(D(x), label) + l(D(G(z, y)), FAKE)
 *   L_adv = l(D(G(z, y)), y)
 *   L_L2  = mean((Dec(Enc(x)) - x)^2), for G's Dec alone
 *   L_G   = L_adv + L_L2
 *
 * For small collections, where G would paint one picture a label (not in the paper):
 *
 *   L_div = max(0, 1 - d(G(z, y), G(z', y)) / d(x, x')), for two works x, x' that share labels
 *
 * A target is a mask over the K + 1 outputs of a head: one 1 for a known label or FAKE; under softmax also a 1 for every
 * label where the label is not known, which asks only for "not FAKE".
 */
import type { Scalar, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { tf } from '../tensorflow.ts';

export type Objective = 'sigmoid' | 'softmax';

const NEVER = -1e9;

/**
 * `sigmoid`, the paper: binary cross-entropy of K + 1 independent outputs, mean over batch and classes, in the form that
 * does not overflow: max(a, 0) - a t + log(1 + exp(-|a|)).
 * logits, targets: [B, K + 1].
 */
export function sigmoidLoss(logits: Tensor2D, targets: Tensor2D): Scalar {
  const softplus = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
  return tf.mean(tf.add(tf.sub(tf.relu(logits), tf.mul(logits, targets)), softplus));
}

/**
 * `softmax`: cross-entropy of one distribution over the labels and FAKE: -log of the probability of the whole target set,
 * mean over the batch.
 */
export function softmaxLoss(logits: Tensor2D, targets: Tensor2D): Scalar {
  const outside = tf.mul(tf.sub(1, targets), NEVER);
  return tf.mean(tf.sub(tf.logSumExp(logits, 1), tf.logSumExp(tf.add(logits, outside), 1)));
}

/** The mean over the heads, so that a collection with three kinds of labels pulls no harder than one with a single kind. */
export function labelLoss(objective: Objective, logits: readonly Tensor2D[], targets: readonly Tensor2D[]): Scalar {
  const loss = objective === 'sigmoid' ? sigmoidLoss : softmaxLoss;
  const terms = logits.map((head, i) => loss(head, targets[i] ?? missing(i)));
  return tf.div(tf.addN(terms), terms.length);
}

/** mean((a - b)^2) over everything. */
export function squaredError(a: Tensor4D, b: Tensor4D): Scalar {
  return tf.mean(tf.squaredDifference(a, b));
}

/**
 * How much of the variety of real pairs (places 2p and 2p + 1) the generated ones lack, 0..1: mode seeking (Mao, Lee,
 * Tseng, Ma, Yang, CVPR 2019), which ends where the variety is that of the collection. The distance is mean |a - b|, once of
 * the pixels and once of the composition: by pixels alone, a G that changes the light of one drawing has done enough.
 */
export function diversityLoss(generated: Tensor4D, real: Tensor4D): Scalar {
  const lack = (view: (pictures: Tensor4D) => Tensor4D) => {
    const share = tf.div(pairDistance(view(generated)), tf.add(pairDistance(view(real)), 1e-6));
    return tf.relu(tf.sub<Scalar>(1, share));
  };
  return tf.div(
    tf.add(
      lack((pictures) => pictures),
      lack(composition),
    ),
    2,
  );
}

/** Where a picture is light and dark, in 8 x 8 fields, whatever its mean colour and contrast are. */
function composition(pictures: Tensor4D): Tensor4D {
  const field = pictures.shape[1] / 8;
  const small = tf.avgPool(pictures, field, field, 'valid');
  const { mean, variance } = tf.moments(small, [1, 2], true);
  return tf.div(tf.sub(small, mean), tf.sqrt(tf.add(variance, 1e-3)));
}

function pairDistance(pictures: Tensor4D): Scalar {
  const [batch, height, width, channels] = pictures.shape;
  const pairs = batch >> 1;
  const flat = tf.reshape(pictures, [batch, height * width * channels]);
  const rows = tf.reshape(tf.slice(flat, [0, 0], [2 * pairs, -1]), [pairs, 2, height * width * channels]);
  return tf.mean(tf.abs(tf.sub(tf.slice(rows, [0, 0, 0], [-1, 1, -1]), tf.slice(rows, [0, 1, 0], [-1, 1, -1]))));
}

function missing(head: number): never {
  throw new Error(`No targets for head ${head}`);
}
