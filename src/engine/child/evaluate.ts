/** Evaluates a model's folder, or a checkpoint's, against a packed collection: what `npm run evaluate` runs. */
import type { ModelCard } from '../../core/model-card.ts';
import type { PackReader } from '../../datasets/pack-reader.ts';
import { type Measured, measure } from '../evaluation/measure.ts';
import { specsOfGenerator } from '../gan/architecture.ts';
import type { StateGroup } from '../gan/trainer.ts';
import { type WeightSpec, Weights } from '../gan/weights.ts';
import { isCheckpoint, stateIn } from './checkpoint.ts';
import { subjectOf } from './evaluation.ts';
import { networksOf, openModel } from './model-files.ts';
import { Painter } from './paint.ts';
import { openReference } from './reference.ts';
import { matching } from './weight-files.ts';

export interface EvaluationRequest {
  /** Folder of a model or of a checkpoint; only a checkpoint has the networks that reconstruct. */
  readonly dir: string;
  /** The collection that it is compared with. */
  readonly pack: PackReader;
  readonly packSha256: string;
  /** Where classifiers are kept. */
  readonly classifiersDir: string;
  /** The collection that it was trained on, where that is another one. */
  readonly trainedOn?: PackReader | undefined;
  readonly seed: number;
  readonly onStep?: (step: number, steps: number) => void;
}

export interface Evaluation extends Measured {
  readonly card: Omit<ModelCard, 'sha256'>;
  /** Side of `pictures` and `works`, in pixels. */
  readonly side: number;
  /** The works of the comparison, RGB bytes; `nearest` counts in them. */
  readonly works: Uint8Array;
}

/** @throws AppError DAMAGED_FILE; NO_LABELS where too few works share a label, or the generator knows none of them */
export async function evaluate({
  dir,
  pack,
  trainedOn,
  seed,
  onStep,
  ...kept
}: EvaluationRequest): Promise<Evaluation> {
  const { card, net, average, all } = isCheckpoint(dir) ? openCheckpoint(dir) : openGenerator(dir);
  const { latentSize, resolution } = card.config;
  const { packSha256, classifiersDir: folder } = kept;
  const progress = onStep === undefined ? {} : { onStep };
  using opened = await openReference({ pack, packSha256, folder, resolution, ...progress });
  using painter = new Painter(net, average, { latentSize, frozen: true });
  const autoencoder = all === undefined ? {} : { autoencoder: { weights: all, pack } };
  const { reference } = opened;
  const subject = subjectOf({ net, painter, latentSize, resolution, labels: card.labels, ...autoencoder });
  const measured = measure({ ...subject, trainedOn: trainedOn?.index }, reference, seed);
  return { ...measured, card, side: reference.classifier.side, works: reference.pictures };
}

function openGenerator(dir: string) {
  const { card, net, weights } = openModel(dir);
  return { card, net, average: weights, all: undefined };
}

function openCheckpoint(dir: string) {
  const { draft, tensors } = stateIn(dir);
  const net = networksOf(draft);
  const weightsOf = (group: StateGroup, specs: readonly WeightSpec[]) => {
    const values = matching(tensors, specs, group);
    return new Weights(specs, ({ name }) => values.get(name) ?? new Float32Array());
  };
  const average = weightsOf('average', specsOfGenerator(net));
  return { card: draft, net, average, all: weightsOf('weights', net.specs) };
}
