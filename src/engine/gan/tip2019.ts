/**
 * The networks of Improved ArtGAN for conditional synthesis of natural image and artwork (Tan, Chan, Aguirre, Tanaka, IEEE
 * Transactions on Image Processing 2019), as in the authors' code for WikiArt, for 64 x 64 pictures. With the preset's
 * width of 32 they are the paper's; another width scales all alike.
 *
 *   G    [z, y] -> 4x4x16w, then nearest-neighbour x 2 and 3 x 3 convolutions: 8x8x16w, 16x16x8w, 32x32x4w, 64x64x2w,
 *        64x64x2w, 128x128xw, 128x128x3 tanh -> overlapping average to 64 x 64 ("magnified learning")       BN, leaky ReLU
 *   Enc  conv1 32x32x4w (no BN), conv2 16x16x8w, conv3 8x8x16w, conv3b 8x8x16w, conv4 4x4x32w = code         BN, leaky ReLU
 *   cls  K logits; FAKE is the class whose logit is 0
 *   Dec  D's own: 4x4x16w, then x 2 and convolutions: 8x8x8w, 16x16x4w, 32x32x2w, 64x64xw, 64x64x3 tanh      BN, leaky ReLU
 *
 * D is an autoencoder, too: its loss has the reconstruction of real pictures, G's that of its own.
 *
 * Where the authors' code slips, this does not follow it:
 *   - their logsumexp mixes shapes, so that the softplus of every picture is averaged with that of all others;
 *   - their G always uses the statistics of its batch, so that a picture depends on its neighbours: here stored ones paint;
 *   - their D moves its running statistics with generated pictures, too: here only real ones do.
 */
import type { Rank, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { tf } from '../tensorflow.ts';
import type { Architecture, Head } from './architecture.ts';
import { tanh } from './fused-ops.ts';
import {
  batchNormSpec,
  conv2d,
  conv2dOfEach,
  conv2dSpec,
  dense,
  denseOfEach,
  denseSpec,
  leakyRelu,
  normLeaky,
  type Pass,
  upsampledConv2d,
} from './layers.ts';
import type { Parameters, WeightSpec } from './weights.ts';

const NORMAL = { std: 0.02, bias: false };
/** Of the noise on all that D sees, and of the share that D's step drops before its convolutions. */
const NOISE = 0.05;
const DROPOUT = 0.2;

/** name, channels in units of w, upsampled before. */
type Layer = readonly [name: string, channels: number, up: boolean];
const GENERATOR: readonly Layer[] = [
  ['deconv2', 16, true],
  ['deconv3', 8, true],
  ['deconv4', 4, true],
  ['deconv5', 2, true],
  ['deconv5b', 2, false],
  ['deconv6', 1, true],
];
const DECODER: readonly Layer[] = [
  ['dec1', 16, false],
  ['dec2', 8, true],
  ['dec3', 4, true],
  ['dec4', 2, true],
  ['dec5', 1, true],
];
/** name, channels in units of w, stride, dropout before. */
const ENCODER = [
  ['conv2', 8, 2, true],
  ['conv3', 16, 2, true],
  ['conv3b', 16, 1, false],
  ['conv4', 32, 2, true],
] as const;

export function tip2019(
  { width: w, latentSize, reconstructionWeight }: TrainConfig,
  heads: readonly Head[],
): Architecture {
  const [head] = heads;
  if (head === undefined || heads.length !== 1) throw new Error('tip2019 is conditioned on exactly one kind of label');
  // Without its loss nothing would teach D's decoder.
  const autoencoder = reconstructionWeight > 0;
  const blocks = (weights: Parameters, part: string, { x, layers, pass }: Blocks) =>
    layers.reduce((map, [layer, , up]) => {
      const name = `${part}.${layer}`;
      return normLeaky(
        weights,
        name,
        up ? upsampledConv2d(weights, name, map) : conv2dOfEach(weights, name, map, pass),
        pass,
      );
    }, x);
  return {
    heads,
    unspecified: false,
    pixelRange: [-1, 1],
    objective: 'softmax',
    spectral: [],
    specs: [
      ...generatorSpecs(w, latentSize + head.classes),
      ...discriminatorSpecs(w, head.classes),
      ...(autoencoder ? decoderSpecs(w) : []),
    ],
    project(weights, { z, y }, pass) {
      const batch = z.shape[0];
      // The paper's latents are uniform in (-1, 1): what erf makes of N(0, 1).
      const input = tf.concat([tf.erf(tf.div(z, Math.SQRT2)), y], 1) as Tensor2D;
      const flat = denseOfEach(weights, 'generator.deconv1', input, pass);
      // Normalised feature by feature, before it is a map.
      const normed = normLeaky(weights, 'generator.deconv1', tf.reshape(flat, [batch, 1, 1, 256 * w]), pass);
      return tf.reshape(normed, [batch, 4, 4, 16 * w]);
    },
    decode(weights, code, { pass }) {
      const large = blocks(weights, 'generator', { x: code, layers: GENERATOR, pass });
      return averageOverlapping(tanh(conv2dOfEach(weights, 'generator.deconv6b', large, pass)));
    },
    encode(weights, pictures, pass) {
      const random = pass.training ? pass.random : undefined;
      const seen = random ? tf.add<Tensor4D>(pictures, tf.mul(random.normal(pictures.shape), NOISE)) : pictures;
      let x = leakyRelu(conv2d(weights, 'discriminator.conv1', seen, 2));
      for (const [layer, , stride, drop] of ENCODER) {
        const name = `discriminator.${layer}`;
        if (drop && random && pass.training && pass.dropout) x = random.dropout(x, DROPOUT);
        x = normLeaky(weights, name, conv2d(weights, name, x, stride), pass);
      }
      return x;
    },
    classify(weights, code): Tensor2D[] {
      const batch = code.shape[0];
      const logits = dense(weights, 'discriminator.cpred', tf.reshape(code, [batch, 4 * 4 * 32 * w]) as Tensor2D);
      return [tf.concat([logits, tf.zeros<Rank.R2>([batch, 1])], 1)];
    },
    ...(autoencoder && {
      repaint: (weights, code, pass) => {
        const large = blocks(weights, 'discriminator', { x: code, layers: DECODER, pass });
        return tanh(conv2dOfEach(weights, 'discriminator.dec5b', large, pass));
      },
    }),
  };
}

/**
 * Means of 3 x 3 places at every second one, of those that are within the picture: half its side. Padded and corrected by
 * hand: tfjs's own kernel in JavaScript has another gradient at the edges than TensorFlow's.
 */
export function averageOverlapping(pictures: Tensor4D): Tensor4D {
  const side = pictures.shape[1] / 2;
  const padded = tf.pad(pictures, [
    [0, 0],
    [0, 1],
    [0, 1],
    [0, 0],
  ]) as Tensor4D;
  const edge = Float32Array.from({ length: side }, (_, i) => (i === side - 1 ? 1.5 : 1));
  const rows = tf.tensor4d(edge, [1, side, 1, 1]);
  const columns = tf.tensor4d(edge, [1, 1, side, 1]);
  return tf.mul(tf.avgPool(padded, 3, 2, 'valid'), tf.mul(rows, columns));
}

interface Blocks {
  readonly x: Tensor4D;
  readonly layers: readonly Layer[];
  readonly pass: Pass;
}

/** A convolution of 3 x 3 with batch normalisation; the layout of an upsampled one is that of a transposed one. */
function normedSpec(name: string, [from, to]: readonly [number, number], up: boolean): WeightSpec[] {
  const shape = up ? ([3, 3, to, from] as const) : ([3, 3, from, to] as const);
  return [...conv2dSpec(name, shape, NORMAL), ...batchNormSpec(name, to, { affine: true })];
}

function chain(part: string, layers: readonly Layer[], { w, from }: { w: number; from: number }): WeightSpec[] {
  let before = from;
  return layers.flatMap(([layer, channels, up]) => {
    const spec = normedSpec(`${part}.${layer}`, [before, channels * w], up);
    before = channels * w;
    return spec;
  });
}

function generatorSpecs(w: number, inputs: number): WeightSpec[] {
  return [
    ...denseSpec('generator.deconv1', [inputs, 256 * w], NORMAL),
    ...batchNormSpec('generator.deconv1', 256 * w, { affine: true }),
    ...chain('generator', GENERATOR, { w, from: 16 * w }),
    ...conv2dSpec('generator.deconv6b', [3, 3, w, 3], NORMAL),
  ];
}

function discriminatorSpecs(w: number, labels: number): WeightSpec[] {
  const encoder: Layer[] = ENCODER.map(([layer, channels]) => [layer, channels, false]);
  return [
    ...conv2dSpec('discriminator.conv1', [3, 3, 3, 4 * w], NORMAL),
    ...chain('discriminator', encoder, { w, from: 4 * w }),
    ...denseSpec('discriminator.cpred', [4 * 4 * 32 * w, labels], NORMAL),
  ];
}

function decoderSpecs(w: number): WeightSpec[] {
  return [
    ...chain('discriminator', DECODER, { w, from: 32 * w }),
    ...conv2dSpec('discriminator.dec5b', [3, 3, w, 3], NORMAL),
  ];
}
