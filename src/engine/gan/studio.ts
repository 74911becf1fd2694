/**
 * The networks of the `studio` preset: ArtGAN's objective and its Enc/Dec split, for artist, style and genre together and
 * for collections of hundreds of works rather than tens of thousands.
 *
 *   - each kind of label has an embedding, with an entry for "unspecified"; their sum and the latent steer every layer of
 *     G through conditional batch normalisation (Dumoulin et al. 2017; Brock et al. 2019);
 *   - G grows by nearest-neighbour upsampling and 3 x 3 convolutions: no checkerboards (Odena et al. 2016);
 *   - D has spectral normalisation in place of batch normalisation, sees how different two pictures of a label are, and
 *     has one head of K + 1 classes per kind.
 *
 * Channels at side r: width x min(8, resolution / r).
 */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { tf } from '../tensorflow.ts';
import type { Architecture, Ask, Head } from './architecture.ts';
import { conditionColumns } from './conditions.ts';
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
  modulatedNorm,
  type Pass,
  upsampledConv2d,
  withPairDeviation,
} from './layers.ts';
import { directionSpec } from './spectral.ts';
import type { Parameters, WeightSpec } from './weights.ts';

const EMBEDDING = 64;
/** Side of the code that Enc and Dec share, as in the paper. */
const CODE = 8;

/** He et al. 2015, for leaky ReLU 0.2: the variance of the activations stays the same from layer to layer. */
const he = (fanIn: number) => Math.sqrt(2 / (1.04 * fanIn));
const conv = (name: string, side: number, channels: readonly [number, number]) =>
  conv2dSpec(name, [side, side, ...channels], { std: he(side * side * channels[0]), bias: true });

export function studio({ width, latentSize, resolution }: TrainConfig, heads: readonly Head[]): Architecture {
  const channels = (side: number) => width * Math.min(8, resolution / side);
  const sides: number[] = []; // 8 < side <= resolution, as Dec makes them
  for (let side = CODE * 2; side <= resolution; side *= 2) sides.push(side);
  const down = [...sides].reverse(); // as Enc takes them

  /** z and the sum of the kinds' embeddings of y: [B, latentSize + EMBEDDING]. */
  const embed = (weights: Parameters, { z, y }: Ask, pass: Pass): Tensor2D =>
    tf.concat([z, denseOfEach(weights, 'generator.embedding', y, pass)], 1);

  const block = (weights: Parameters, name: string, x: Tensor4D, { e, pass }: { e: Tensor2D; pass: Pass }) => {
    const gain = denseOfEach(weights, `${name}.gain`, e, pass);
    const shift = denseOfEach(weights, `${name}.shift`, e, pass);
    return leakyRelu(modulatedNorm(weights, name, upsampledConv2d(weights, name, x), { gain, shift, pass }));
  };

  return {
    heads,
    unspecified: true,
    pixelRange: [-1, 1],
    objective: 'softmax',
    spectral: [...down.map((side) => `discriminator.enc${side}`), 'discriminator.code', 'discriminator.last'],
    specs: [
      ...generatorSpecs({ heads, latentSize, sides, channels }),
      ...discriminatorSpecs({ heads, down, channels }),
    ],
    project(weights, ask, pass) {
      const e = embed(weights, ask, pass);
      const first = denseOfEach(weights, 'generator.first', e, pass);
      const seedMap = leakyRelu(tf.reshape(first, [e.shape[0], 4, 4, channels(4)]) as Tensor4D);
      return block(weights, 'generator.code', seedMap, { e, pass });
    },
    decode(weights, code, { ask, pass }) {
      const e = embed(weights, ask, pass);
      let x = code;
      for (const side of sides) x = block(weights, `generator.dec${side}`, x, { e, pass });
      return tanh(conv2dOfEach(weights, 'generator.rgb', x, pass));
    },
    encode(weights, pictures) {
      let x = pictures;
      for (const side of down) x = leakyRelu(conv2d(weights, `discriminator.enc${side}`, x, 2));
      return leakyRelu(conv2d(weights, 'discriminator.code', x));
    },
    classify(weights, code) {
      const last = leakyRelu(conv2d(weights, 'discriminator.last', withPairDeviation(code), 2));
      const flat: Tensor2D = tf.reshape(last, [code.shape[0], 4 * 4 * channels(4)]);
      return heads.map(({ kind }) => dense(weights, `discriminator.${kind}`, flat));
    },
  };
}

interface GeneratorShape {
  readonly heads: readonly Head[];
  readonly latentSize: number;
  readonly sides: readonly number[];
  readonly channels: (side: number) => number;
}

function generatorSpecs({ heads, latentSize, sides, channels }: GeneratorShape): WeightSpec[] {
  const columns = conditionColumns(heads, true);
  const style = latentSize + EMBEDDING;
  const block = (name: string, from: number, to: number) => [
    ...conv2dSpec(name, [3, 3, to, from], { std: he(9 * from), bias: false }),
    ...batchNormSpec(name, to, { affine: false }),
    ...denseSpec(`${name}.gain`, [style, to], { std: 0.02, bias: true }),
    ...denseSpec(`${name}.shift`, [style, to], { std: 0.02, bias: true }),
  ];
  return [
    ...denseSpec('generator.embedding', [columns, EMBEDDING], { std: 1 / Math.sqrt(heads.length), bias: false }),
    ...denseSpec('generator.first', [style, 4 * 4 * channels(4)], {
      std: he(style),
      bias: true,
    }),
    ...block('generator.code', channels(4), channels(CODE)),
    ...sides.flatMap((side) => block(`generator.dec${side}`, channels(side / 2), channels(side))),
    ...conv('generator.rgb', 3, [channels(sides.at(-1) ?? CODE), 3]),
  ];
}

interface DiscriminatorShape {
  readonly heads: readonly Head[];
  readonly down: readonly number[];
  readonly channels: (side: number) => number;
}

function discriminatorSpecs({ heads, down, channels }: DiscriminatorShape): WeightSpec[] {
  const [first] = down;
  const inputs = 4 * 4 * channels(4);
  const layer = (name: string, side: number, [from, to]: readonly [number, number]) => [
    ...conv(`discriminator.${name}`, side, [from, to]),
    directionSpec(`discriminator.${name}`, to),
  ];
  return [
    ...down.flatMap((side) => layer(`enc${side}`, 4, [side === first ? 3 : channels(side), channels(side / 2)])),
    ...layer('code', 3, [channels(CODE), channels(CODE)]),
    ...layer('last', 4, [channels(CODE) + 1, channels(4)]),
    ...heads.flatMap(({ kind, classes }) =>
      denseSpec(`discriminator.${kind}`, [inputs, classes + 1], { std: 1 / Math.sqrt(inputs), bias: true }),
    ),
  ];
}
