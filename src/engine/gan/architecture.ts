/**
 * What a preset's networks offer to the training step and to the sampler, whatever they are made of.
 *
 *   G = zNet + Dec     D = Enc + clsNet
 *
 * What Enc gives, the code, G's Dec takes, so that Dec(Enc(x)) is an autoencoder; in tip2019 D has a decoder of its own.
 */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { LabelKind } from '../../core/labels.ts';
import type { TrainConfig } from '../../core/presets.ts';
import { icip2017 } from './icip2017.ts';
import type { Pass } from './layers.ts';
import type { Objective } from './losses.ts';
import { studio } from './studio.ts';
import { tip2019 } from './tip2019.ts';
import type { Parameters, WeightSpec } from './weights.ts';

/** One kind of label that the networks know, with the number of its classes (without the fake class). */
export interface Head {
  readonly kind: LabelKind;
  readonly classes: number;
}

/** What a batch of pictures is asked for. */
export interface Ask {
  /** Latents [B, latentSize]; zeros where a picture is repainted from its code. */
  readonly z: Tensor2D;
  /** Conditions [B, columns]. */
  readonly y: Tensor2D;
}

export interface Architecture {
  /** Columns of the condition y, one per class of each kind; `unspecified`: one more per kind for "not asked for". */
  readonly heads: readonly Head[];
  readonly unspecified: boolean;
  /** Values of a pixel: [0, 1] after a sigmoid or [-1, 1] after tanh. */
  readonly pixelRange: readonly [number, number];
  /** How the K + 1 outputs of a head are read: as independent probabilities (the paper) or as one distribution. */
  readonly objective: Objective;
  readonly specs: readonly WeightSpec[];
  /** Layers of D whose kernels are used spectrally normalised. */
  readonly spectral: readonly string[];
  /** -> code. */
  project(weights: Parameters, ask: Ask, pass: Pass): Tensor4D;
  /** Code -> pictures [B, R, R, 3]. */
  decode(weights: Parameters, code: Tensor4D, given: { readonly ask: Ask; readonly pass: Pass }): Tensor4D;
  /** Pictures -> code. */
  encode(weights: Parameters, pictures: Tensor4D, pass: Pass): Tensor4D;
  /** Code -> per head [B, classes + 1] logits; the last is FAKE. */
  classify(weights: Parameters, code: Tensor4D, pass: Pass): Tensor2D[];
  /** Code -> pictures by D's own decoder, where D is an autoencoder; elsewhere G's Dec takes Enc's code. */
  repaint?(weights: Parameters, code: Tensor4D, pass: Pass): Tensor4D;
}

const NETWORKS = { icip2017, tip2019, studio } as const;

/** The networks of a configuration for a collection with so many labels of each kind. */
export function architectureOf(config: TrainConfig, classes: Readonly<Record<LabelKind, number>>): Architecture {
  const heads = config.labelKinds.map((kind) => ({ kind, classes: classes[kind] }));
  return NETWORKS[config.preset](config, heads);
}

/** The weights that painting needs. */
export function specsOfGenerator({ specs }: Pick<Architecture, 'specs'>): WeightSpec[] {
  return specs.filter(({ name }) => name.startsWith('generator.'));
}

/** The weights that repainting and classifying need beside those of G. */
export function specsOfDiscriminator({ specs }: Pick<Architecture, 'specs'>): WeightSpec[] {
  return specs.filter(({ name }) => name.startsWith('discriminator.'));
}

/** Paints what is asked for. */
export function generate(
  net: Architecture,
  weights: Parameters,
  given: { readonly ask: Ask; readonly pass: Pass },
): Tensor4D {
  return net.decode(weights, net.project(weights, given.ask, given.pass), given);
}

/** What D makes of pictures: its code, and per head [B, classes + 1] logits. */
export interface Judgement {
  readonly code: Tensor4D;
  readonly logits: readonly Tensor2D[];
}

export function judge(net: Architecture, weights: Parameters, pictures: Tensor4D, pass: Pass): Judgement {
  const code = net.encode(weights, pictures, pass);
  return { code, logits: net.classify(weights, code, pass) };
}
