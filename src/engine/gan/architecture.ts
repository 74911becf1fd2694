/**
 * What a preset's networks offer to the training step and to the sampler, whatever they are made of.
 *
 *   G = zNet + Dec     D = Enc + clsNet     code = what Enc gives and Dec takes, so Dec(Enc(x)) is an autoencoder
 */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { LabelKind } from '../../core/labels.ts';
import type { TrainConfig } from '../../core/presets.ts';
import { icip2017 } from './icip2017.ts';
import type { Pass } from './layers.ts';
import { studio } from './studio.ts';
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
  readonly objective: 'sigmoid' | 'softmax';
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
}

/** The networks of a configuration for a collection with so many labels of each kind. */
export function architectureOf(config: TrainConfig, classes: Readonly<Record<LabelKind, number>>): Architecture {
  const heads = config.labelKinds.map((kind) => ({ kind, classes: classes[kind] }));
  return config.preset === 'icip2017' ? icip2017(config, heads) : studio(config, heads);
}

/** Paints what is asked for. */
export function generate(
  net: Architecture,
  weights: Parameters,
  given: { readonly ask: Ask; readonly pass: Pass },
): Tensor4D {
  return net.decode(weights, net.project(weights, given.ask, given.pass), given);
}

/** Pictures -> per head logits. */
export function discriminate(net: Architecture, weights: Parameters, pictures: Tensor4D, pass: Pass): Tensor2D[] {
  return net.classify(weights, net.encode(weights, pictures, pass), pass);
}

/** Width of y. */
export function conditionColumns(net: Pick<Architecture, 'heads' | 'unspecified'>): number {
  return net.heads.reduce((sum, { classes }) => sum + classes + (net.unspecified ? 1 : 0), 0);
}
