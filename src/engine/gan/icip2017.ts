/**
 * The networks of ArtGAN: artwork synthesis with conditional categorical GANs (Tan, Chan, Aguirre, Tanaka, ICIP 2017),
 * layer by layer, for 64 x 64 pictures. With the preset's width of 128 they are the paper's; another width scales all alike.
 *
 *   zNet  [z, y] -> deconv1 4x4x8w -> deconv2 8x8x4w                             BN, ReLU
 *   Dec   code -> deconv3 16x16x2w -> deconv4 32x32xw -> deconv5 32x32xw         BN, ReLU -> deconv6 64x64x3 sigmoid
 *   Enc   conv1 32x32xw (no BN) -> conv2 32x32xw -> conv3 16x16x2w -> conv4 8x8x4w = code      BN, leaky ReLU 0.2
 *   cls   conv5 4x4x8w BN, leaky ReLU -> fc6 -> K + 1 sigmoids, the last is FAKE
 */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { tf } from '../tensorflow.ts';
import type { Architecture, Head } from './architecture.ts';
import { relu, sigmoid } from './fused-ops.ts';
import {
  batchNorm,
  batchNormSpec,
  conv2d,
  conv2dSpec,
  deconv2d,
  dense,
  denseOfEach,
  denseSpec,
  leakyRelu,
  normLeaky,
  type Pass,
} from './layers.ts';
import type { Parameters, WeightSpec } from './weights.ts';

/** As in DCGAN (Radford et al. 2016). Biases are left to the normalisation, and kept where there is none. */
const NORMAL = { std: 0.02, bias: false };
const WITH_BIAS = { std: 0.02, bias: true };

export function icip2017({ width: w, latentSize }: TrainConfig, heads: readonly Head[]): Architecture {
  const [head] = heads;
  if (head === undefined || heads.length !== 1) throw new Error('icip2017 is conditioned on exactly one kind of label');
  return {
    heads,
    unspecified: false,
    pixelRange: [0, 1],
    objective: 'sigmoid',
    spectral: [],
    specs: [...generatorSpecs(w, latentSize + head.classes), ...discriminatorSpecs(w, head.classes + 1)],
    project(weights, { z, y }, pass) {
      const batch = z.shape[0];
      // A transposed convolution from 1 x 1 without padding is a matrix product.
      const flat = denseOfEach(weights, 'generator.deconv1', tf.concat([z, y], 1), pass);
      const first = normRelu(weights, 'generator.deconv1', tf.reshape(flat, [batch, 4, 4, 8 * w]), pass);
      return normRelu(weights, 'generator.deconv2', deconv2d(weights, 'generator.deconv2', first, 2), pass);
    },
    decode(weights, code, { pass }) {
      let x = code;
      for (const [name, stride] of [
        ['generator.deconv3', 2],
        ['generator.deconv4', 2],
        ['generator.deconv5', 1],
      ] as const) {
        x = normRelu(weights, name, deconv2d(weights, name, x, stride), pass);
      }
      return sigmoid(deconv2d(weights, 'generator.deconv6', x, 2));
    },
    encode(weights, pictures, pass) {
      let x = leakyRelu(conv2d(weights, 'discriminator.conv1', pictures, 2));
      for (const [name, stride] of [
        ['discriminator.conv2', 1],
        ['discriminator.conv3', 2],
        ['discriminator.conv4', 2],
      ] as const) {
        x = normLeaky(weights, name, conv2d(weights, name, x, stride), pass);
      }
      return x;
    },
    classify(weights, code, pass): Tensor2D[] {
      const last = normLeaky(weights, 'discriminator.conv5', conv2d(weights, 'discriminator.conv5', code, 2), pass);
      return [dense(weights, 'discriminator.fc6', tf.reshape(last, [code.shape[0], 4 * 4 * 8 * w]))];
    },
  };
}

function normRelu(weights: Parameters, name: string, x: Tensor4D, pass: Pass): Tensor4D {
  return relu(batchNorm(weights, name, x, pass));
}

function generatorSpecs(w: number, inputs: number): WeightSpec[] {
  const normed = (name: string, shape: readonly [number, number, number, number], channels: number) => [
    ...conv2dSpec(`generator.${name}`, shape, NORMAL),
    ...batchNormSpec(`generator.${name}`, channels, { affine: true }),
  ];
  return [
    ...denseSpec('generator.deconv1', [inputs, 4 * 4 * 8 * w], NORMAL),
    ...batchNormSpec('generator.deconv1', 8 * w, { affine: true }),
    ...normed('deconv2', [4, 4, 4 * w, 8 * w], 4 * w),
    ...normed('deconv3', [4, 4, 2 * w, 4 * w], 2 * w),
    ...normed('deconv4', [4, 4, w, 2 * w], w),
    ...normed('deconv5', [3, 3, w, w], w),
    ...conv2dSpec('generator.deconv6', [4, 4, 3, w], NORMAL),
    { name: 'generator.deconv6.bias', shape: [3], init: { constant: 0 }, trainable: true },
  ];
}

function discriminatorSpecs(w: number, outputs: number): WeightSpec[] {
  const normed = (name: string, shape: readonly [number, number, number, number]) => [
    ...conv2dSpec(`discriminator.${name}`, shape, NORMAL),
    ...batchNormSpec(`discriminator.${name}`, shape[3], { affine: true }),
  ];
  return [
    ...conv2dSpec('discriminator.conv1', [4, 4, 3, w], WITH_BIAS),
    ...normed('conv2', [3, 3, w, w]),
    ...normed('conv3', [4, 4, w, 2 * w]),
    ...normed('conv4', [4, 4, 2 * w, 4 * w]),
    ...normed('conv5', [4, 4, 4 * w, 8 * w]),
    ...denseSpec('discriminator.fc6', [4 * 4 * 8 * w, outputs], WITH_BIAS),
  ];
}
