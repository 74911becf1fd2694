/** A generator, in training or finished, as the subject of an evaluation. */
import type { LabelKind } from '../../core/labels.ts';
import type { ModelLabels } from '../../core/model-card.ts';
import type { PackReader } from '../../datasets/pack-reader.ts';
import type { Subject } from '../evaluation/measure.ts';
import { reconstructionError } from '../evaluation/reconstruction.ts';
import type { Architecture } from '../gan/architecture.ts';
import { conditionRows } from '../gan/conditions.ts';
import type { Parameters } from '../gan/weights.ts';
import type { Painter } from './paint.ts';

export interface Evaluated {
  readonly net: Architecture;
  readonly painter: Painter;
  readonly latentSize: number;
  readonly resolution: number;
  /** Labels in the order of the network's inputs. */
  readonly labels: Readonly<Record<LabelKind, ModelLabels[LabelKind]>>;
  /** Weights of G and D, where D is there, and the works to reconstruct. */
  readonly autoencoder?: { readonly weights: Parameters; readonly pack: PackReader };
}

export function subjectOf({ net, painter, latentSize, resolution, labels, autoencoder }: Evaluated): Subject {
  const classes = new Map(
    net.heads.flatMap(({ kind }) => labels[kind].map(({ slug }, label) => [`${kind}:${slug}`, label] as const)),
  );
  return {
    heads: net.heads,
    latentSize,
    resolution,
    classOf: (kind, slug) => classes.get(`${kind}:${slug}`) ?? -1,
    paint: ({ latents, labels }) => painter.paint({ latents, y: conditionRows(net, labels) }),
    reconstruction(works) {
      if (autoencoder === undefined) return null;
      const { weights, pack } = autoencoder;
      return reconstructionError({ net, weights, resolution, latentSize }, pack, works);
    },
  };
}
