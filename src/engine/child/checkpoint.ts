/**
 * Checkpoints as folders: all that training needs to go on (weights, moving average, optimiser slots, step), and the card
 * of the model that could be made of it.
 *
 *   checkpoints/step-00000500/   state.safetensors   manifest.json { format, step, sha256, bytes, card, check }
 *
 * `sha256` is the state's, `check` the manifest's own: no byte of the folder can change unseen.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { type ModelCard, modelCard } from '../../core/model-card.ts';
import { STATE_GROUPS, type StateGroup, type Trainer } from '../gan/trainer.ts';
import { sha256, writeFolder } from './durable.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from './safetensors.ts';
import { matching, readWhole, storedTensors } from './weight-files.ts';

const STATE_FILE = 'state.safetensors';
const MANIFEST_FILE = 'manifest.json';

/** What is known of a model before its weights are written. */
export type CardDraft = Omit<ModelCard, 'sha256' | 'discriminator'>;
const cardDraft = modelCard.omit({ sha256: true, discriminator: true });

const state = { step: z.int().positive(), sha256: z.string(), bytes: z.int().nonnegative() };
const manifestSchema = z.discriminatedUnion('format', [
  // Written before checkpoints had a card; still read, so that such a run goes on.
  z.object({ format: z.literal(1), ...state }),
  z.object({ format: z.literal(2), ...state, card: cardDraft, check: z.string() }),
]);

export interface SavedCheckpoint {
  readonly dir: string;
  readonly step: number;
  /** Of the state file, which holds the training state and nothing else. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Writes the state after step `step`, which the card names. */
export async function saveCheckpoint(
  parent: string,
  trainer: Pick<Trainer, 'state'>,
  draft: CardDraft,
): Promise<SavedCheckpoint> {
  const { step } = draft.provenance;
  const tensors = new Map<string, StoredTensor>();
  const groups = trainer.state;
  // The average's weights have the names of G's, so each group has a prefix.
  for (const group of STATE_GROUPS) {
    for (const [name, tensor] of await storedTensors(groups[group])) tensors.set(`${group}/${name}`, tensor);
  }
  const bytes = encodeSafetensors(tensors, { step: String(step) });
  const hash = sha256(bytes);
  const card = { ...draft, provenance: { ...draft.provenance, checkpointSha256: hash } };
  const dir = join(parent, `step-${String(step).padStart(8, '0')}`);
  writeFolder(
    dir,
    new Map([
      [STATE_FILE, bytes],
      [MANIFEST_FILE, encodeManifest({ format: 2, step, sha256: hash, bytes: bytes.length, card })],
    ]),
  );
  return { dir, step, sha256: hash, bytes: bytes.length };
}

/**
 * Puts a checkpoint's numbers into the trainer.
 * @throws AppError DAMAGED_FILE where a byte differs from what was written, or where it belongs to other networks.
 */
export function loadCheckpoint(
  dir: string,
  trainer: Pick<Trainer, 'state' | 'restore'>,
): { step: number; sha256: string } {
  const { manifest, tensors } = readCheckpoint(dir);
  // All is compared before anything is changed.
  const groups = trainer.state;
  const valuesOf = (group: StateGroup) => matching(tensors, groups[group].specs, group);
  trainer.restore({ weights: valuesOf('weights'), average: valuesOf('average'), slots: valuesOf('slots') });
  return { step: manifest.step, sha256: manifest.sha256 };
}

export const isCheckpoint = (dir: string) => existsSync(join(dir, MANIFEST_FILE));

/** The state in a checkpoint, as `<group>/<weight>`, and the card of the model that it makes. @throws AppError DAMAGED_FILE */
export function stateIn(dir: string): { draft: CardDraft; tensors: Map<string, StoredTensor> } {
  const { manifest, tensors } = readCheckpoint(dir);
  if (manifest.format === 1)
    throw new AppError('DAMAGED_FILE', 'The checkpoint has no card: it is of an older version.');
  return { draft: manifest.card, tensors };
}

/** Half-written folders of a child that was killed. */
export function removeDrafts(parent: string): void {
  for (const name of readdirSync(parent))
    if (/^\.(step-|model\.)/.test(name)) rmSync(join(parent, name), { recursive: true, force: true });
}

type Manifest = z.infer<typeof manifestSchema>;

/** @throws AppError DAMAGED_FILE where a byte differs from what was written */
function readCheckpoint(dir: string): { manifest: Manifest; tensors: Map<string, StoredTensor> } {
  const manifest = readManifest(join(dir, MANIFEST_FILE));
  const bytes = readWhole(join(dir, STATE_FILE));
  if (bytes.length !== manifest.bytes || sha256(bytes) !== manifest.sha256)
    throw new AppError('DAMAGED_FILE', 'The SHA-256 of the state differs.');
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata['step'] !== String(manifest.step))
    throw new AppError('DAMAGED_FILE', 'The manifest names another step.');
  return { manifest, tensors };
}

function readManifest(path: string): Manifest {
  const bytes = readWhole(path);
  const raw = parseJson(bytes);
  const manifest = manifestSchema.safeParse(raw);
  if (!manifest.success) throw new AppError('DAMAGED_FILE', 'The manifest cannot be read.');
  const { check: _check, ...content } = raw as Record<string, unknown>;
  const whole = manifest.data.format === 1 ? encodeLine(content) : encodeManifest(content);
  if (!bytes.equals(whole)) throw new AppError('DAMAGED_FILE', 'The manifest is not as it was written.');
  return manifest.data;
}

function encodeManifest(content: Readonly<Record<string, unknown>>): Buffer {
  return encodeLine({ ...content, check: sha256(encodeLine(content)) });
}

const encodeLine = (content: object) => Buffer.from(`${JSON.stringify(content)}\n`);

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
