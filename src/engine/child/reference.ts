/**
 * The reference of a collection: its classifier is trained once per packed dataset and kept as a folder,
 *
 *   <folder>/<SHA-256 of the pack>-<side>/   classifier.safetensors   classifier.json
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import type { PackReader } from '../../datasets/pack-reader.ts';
import { Classifier, classifierSpecs } from '../evaluation/classifier.ts';
import { BATCH, type TrainedClassifier, trainClassifier } from '../evaluation/classifier-training.ts';
import { Reference } from '../evaluation/collection.ts';
import { type JudgedKind, judgedKinds } from '../evaluation/judged-labels.ts';
import { sha256, writeFolder } from './durable.ts';
import { encodeSafetensors } from './safetensors.ts';
import { loadWeights, storedTensors } from './weight-files.ts';

const WEIGHTS_FILE = 'classifier.safetensors';
const CARD_FILE = 'classifier.json';
/** Larger pictures are judged at this side: the classifier must be cheap beside the training. */
const LARGEST = 64;
/** The same for all: who compares two runs wants one judge. */
const SEED = 1;
/** As often as each work is seen in training, in the mean, and the bounds of the steps. */
const EPOCHS = 60;
const STEPS = { fewest: 200, most: 4_000 } as const;

const card = z.object({
  format: z.literal(1),
  sha256: z.string(),
  steps: z.int().positive(),
  heldOut: z.array(z.number().min(0).max(1)),
});

export interface ReferenceRequest {
  readonly pack: PackReader;
  readonly packSha256: string;
  /** Where classifiers are kept. */
  readonly folder: string;
  /** Of the pictures that will be judged, in pixels. */
  readonly resolution: number;
  /** Training steps of the classifier, where it is not there yet. */
  readonly steps?: number;
  /** Called while the classifier is trained. */
  readonly onStep?: (step: number, steps: number) => void;
  /** Ends the training of the classifier. */
  readonly signal?: AbortSignal;
}

export interface OpenReference extends Disposable {
  readonly reference: Reference;
}

/**
 * Loads a collection's reference, or makes it.
 * @throws AppError NO_LABELS where too few works share a label; the signal's reason
 */
export async function openReference(request: ReferenceRequest): Promise<OpenReference> {
  const { pack, packSha256, folder, resolution } = request;
  const kinds = judgedKinds(pack.index);
  if (kinds.length === 0) {
    throw new AppError(
      'NO_LABELS',
      'A collection can be judged where at least two labels of a kind have eight works each.',
    );
  }
  const side = Math.min(resolution, LARGEST);
  const dir = join(folder, `${packSha256}-${side}`);
  const { weights, heldOut } = stored(dir, kinds) ?? (await train(dir, { ...request, kinds, side }));
  const classifier = new Classifier(kinds, side, weights);
  const reference = new Reference({ pack, classifier, heldOut, seed: SEED });
  const dispose = () => {
    classifier[Symbol.dispose]();
    weights[Symbol.dispose]();
  };
  return { reference, [Symbol.dispose]: dispose };
}

interface Wanted extends ReferenceRequest {
  readonly kinds: readonly JudgedKind[];
  readonly side: number;
}

async function train(
  dir: string,
  { pack, kinds, side, steps = stepsFor(pack), onStep, signal }: Wanted,
): Promise<TrainedClassifier> {
  const trained = await trainClassifier({
    pack,
    kinds,
    side,
    seed: SEED,
    steps,
    onStep: (step) => onStep?.(step, steps),
    signal,
  });
  const weights = encodeSafetensors(await storedTensors(trained.weights));
  const json = { format: 1, sha256: sha256(weights), steps, heldOut: [...trained.heldOut] } satisfies z.infer<
    typeof card
  >;
  writeFolder(
    dir,
    new Map<string, Uint8Array>([
      [WEIGHTS_FILE, weights],
      [CARD_FILE, Buffer.from(`${JSON.stringify(json, null, 2)}\n`)],
    ]),
  );
  return trained;
}

function stepsFor({ index }: PackReader): number {
  const steps = Math.ceil((EPOCHS * index.count) / BATCH);
  return Math.max(STEPS.fewest, Math.min(STEPS.most, steps));
}

/** Undefined where there is none, or one that cannot be used: it is trained again. */
function stored(dir: string, kinds: readonly JudgedKind[]): TrainedClassifier | undefined {
  try {
    const { sha256: hash, heldOut } = card.parse(JSON.parse(readFileSync(join(dir, CARD_FILE), 'utf8')));
    return { weights: loadWeights(join(dir, WEIGHTS_FILE), hash, classifierSpecs(kinds)), heldOut };
  } catch {
    return undefined;
  }
}
