/**
 * Model folders (model.json, generator.safetensors, discriminator.safetensors) and what is made of them for others,
 * or taken in from elsewhere.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import {
  CARD_FILE,
  DISCRIMINATOR_FILE,
  filesOf,
  type ModelCard,
  modelCard,
  WEIGHTS_FILE,
} from '../../core/model-card.ts';
import { type Architecture, architectureOf, specsOfDiscriminator, specsOfGenerator } from '../gan/architecture.ts';
import type { StateGroup } from '../gan/trainer.ts';
import type { WeightSpec, Weights } from '../gan/weights.ts';
import { savedModel } from '../graph/graph-def.ts';
import { graphModel } from '../graph/graph-model.ts';
import { recordForAnyBatch } from '../graph/recording.ts';
import { neededFor, signatureOf } from '../graph/signature.ts';
import type { ExportFormat } from '../protocol.ts';
import { type CardDraft, isCheckpoint, stateIn } from './checkpoint.ts';
import { sha256, writeFolder } from './durable.ts';
import { paintingFunction } from './paint.ts';
import { encodeSafetensors, type StoredTensor } from './safetensors.ts';
import { loadWeights, matching, tensorsOf } from './weight-files.ts';

export interface OpenModel extends Disposable {
  readonly card: ModelCard;
  readonly net: Architecture;
  readonly weights: Weights;
}

/** @throws AppError DAMAGED_FILE */
export function openModel(dir: string): OpenModel {
  const card = readCard(dir);
  const net = networksOf(card);
  const weights = loadWeights(join(dir, WEIGHTS_FILE), card.sha256, specsOfGenerator(net));
  return { card, net, weights, [Symbol.dispose]: () => weights[Symbol.dispose]() };
}

/**
 * The weights that repaint and classify, beside those of `openModel`.
 * @throws AppError NO_DISCRIMINATOR, DAMAGED_FILE
 */
export function openDiscriminator(dir: string, { discriminator }: ModelCard, net: Architecture): Weights {
  if (discriminator === undefined) {
    const message = 'This model has no discriminator: it was made by an older version. Make it again with createModel.';
    throw new AppError('NO_DISCRIMINATOR', message);
  }
  return loadWeights(join(dir, DISCRIMINATOR_FILE), discriminator.sha256, specsOfDiscriminator(net));
}

export interface ModelTensors {
  /** The moving average of G. */
  readonly generator: ReadonlyMap<string, StoredTensor>;
  readonly discriminator: ReadonlyMap<string, StoredTensor>;
}

/** Writes a model folder; its card names the weights' hashes. */
export function writeModel(dir: string, draft: CardDraft, tensors: ModelTensors): void {
  const weights = encodeSafetensors(tensors.generator);
  const discriminator = encodeSafetensors(tensors.discriminator);
  const card: ModelCard = {
    ...draft,
    sha256: sha256(weights),
    discriminator: { sha256: sha256(discriminator) },
  };
  writeFolder(
    dir,
    new Map<string, Uint8Array>([
      [WEIGHTS_FILE, weights],
      [DISCRIMINATOR_FILE, discriminator],
      [CARD_FILE, Buffer.from(`${JSON.stringify(card, null, 2)}\n`)],
    ]),
  );
}

/** TensorFlow's number of int32. */
const INT32 = 3;

/** Writes a model's generator for others to run, into a folder that is made. @throws AppError DAMAGED_FILE */
export function exportModel(dir: string, format: ExportFormat, into: string): void {
  using model = openModel(dir);
  const { card, net, weights } = model;
  const { latentSize, resolution } = card.config;
  const painting = paintingFunction(net, weights, latentSize);
  const recording = recordForAnyBatch(new Map(), 'paint', painting, { frozen: [...weights.variables.values()] });
  const pixels = { dtype: INT32, shape: [-1, resolution, resolution, 3] };
  const signature = signatureOf(recording, 'paint', { pixels });
  const nodes = neededFor(signature, recording.nodes);
  const about = describe(model);
  const files =
    format === 'saved-model'
      ? new Map<string, Uint8Array>([['saved_model.pb', savedModel(nodes, signature)]])
      : graphModel({ nodes, signature, metadata: about });
  files.set('artgan.json', Buffer.from(`${JSON.stringify(about, null, 2)}\n`));
  writeFolder(into, files);
}

/** What somebody needs who has the graph and nothing else: the columns of `asked`, and the classes of each. */
function describe({ card, net }: OpenModel) {
  const { name, config, labels, sha256, provenance } = card;
  return {
    name,
    sha256,
    resolution: config.resolution,
    inputs: {
      z: `latents, float32 [n, ${config.latentSize}], from N(0, 1)`,
      asked: `labels, int32 [n, ${net.heads.length}]: a class per kind, in the order of kinds; -1 for not asked for`,
    },
    outputs: { pixels: 'RGB, int32 [n, resolution, resolution, 3], 0 to 255' },
    kinds: net.heads.map(({ kind }) => kind),
    labels: Object.fromEntries(net.heads.map(({ kind }) => [kind, labels[kind].map(({ slug }) => slug)])),
    provenance,
  };
}

/**
 * Makes a model folder out of one from elsewhere, or out of a checkpoint. All of it is read and compared with the networks
 * that its card names before anything is written.
 * @throws AppError DAMAGED_FILE
 */
export function adoptModel(from: string, into: string): void {
  if (isCheckpoint(from)) {
    const { draft, tensors } = stateIn(from);
    const net = networksOf(draft);
    const stored = (specs: readonly WeightSpec[], group: StateGroup) =>
      tensorsOf(specs, matching(tensors, specs, group));
    writeModel(into, draft, {
      generator: stored(specsOfGenerator(net), 'average'),
      discriminator: stored(specsOfDiscriminator(net), 'weights'),
    });
    return;
  }
  using model = openModel(from);
  const { card, net } = model;
  if (card.discriminator !== undefined) openDiscriminator(from, card, net)[Symbol.dispose]();
  writeFolder(into, new Map(filesOf(card).map((name) => [name, readFileSync(join(from, name))])));
}

/** The networks that a card names. */
export function networksOf({ config, labels }: Pick<CardDraft, 'config' | 'labels'>): Architecture {
  const { artist, style, genre } = labels;
  return architectureOf(config, { artist: artist.length, style: style.length, genre: genre.length });
}

function readCard(dir: string): ModelCard {
  try {
    return modelCard.parse(JSON.parse(readFileSync(join(dir, CARD_FILE), 'utf8')));
  } catch (cause) {
    throw new AppError('DAMAGED_FILE', `The model's ${CARD_FILE} cannot be read.`, { cause });
  }
}
