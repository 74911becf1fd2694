/**
 * Checkpoints and finished models as folders. A checkpoint holds all that training needs to go on (weights, moving average,
 * optimiser slots, step); a model holds the moving average of G and its card.
 *
 *   checkpoints/step-00000500/   state.safetensors   manifest.json { step, sha256, bytes }
 *   model/                       generator.safetensors   model.json
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { CARD_FILE, type ModelCard, WEIGHTS_FILE } from '../../core/model-card.ts';
import { STATE_GROUPS, type StateGroup, type Trainer } from '../gan/trainer.ts';
import { type WeightSpec, Weights } from '../gan/weights.ts';
import { sha256, writeFolder } from './durable.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from './safetensors.ts';

const STATE_FILE = 'state.safetensors';
const MANIFEST_FILE = 'manifest.json';
const manifestSchema = z.object({ format: z.literal(1), step: z.int().positive(), sha256: z.string(), bytes: z.int() });

export interface SavedCheckpoint {
  readonly dir: string;
  readonly step: number;
  /** Of the state file, which holds the training state and nothing else. */
  readonly sha256: string;
  readonly bytes: number;
}

export async function saveCheckpoint(parent: string, trainer: Trainer, step: number): Promise<SavedCheckpoint> {
  const tensors = new Map<string, StoredTensor>();
  const groups = trainer.state;
  // The average's weights have the names of G's, so each group has a prefix.
  for (const group of STATE_GROUPS) {
    for (const [name, tensor] of await stored(groups[group])) tensors.set(`${group}/${name}`, tensor);
  }
  const state = encodeSafetensors(tensors, { step: String(step) });
  const dir = join(parent, `step-${String(step).padStart(8, '0')}`);
  const saved = { dir, step, sha256: sha256(state), bytes: state.length };
  const manifest = Buffer.from(`${JSON.stringify({ format: 1, step, sha256: saved.sha256, bytes: saved.bytes })}\n`);
  writeFolder(
    dir,
    new Map([
      [STATE_FILE, state],
      [MANIFEST_FILE, manifest],
    ]),
  );
  return saved;
}

/**
 * Puts a checkpoint's numbers into the trainer.
 * @throws AppError DAMAGED_FILE where a byte differs from what was written, or where it belongs to other networks.
 */
export function loadCheckpoint(dir: string, trainer: Trainer): { step: number; sha256: string } {
  const manifest = manifestSchema.safeParse(readJson(join(dir, MANIFEST_FILE)));
  if (!manifest.success) throw new AppError('DAMAGED_FILE', 'The manifest cannot be read.');
  const state = readFile(join(dir, STATE_FILE));
  if (sha256(state) !== manifest.data.sha256) throw new AppError('DAMAGED_FILE', 'The SHA-256 of the state differs.');
  const { tensors, metadata } = decodeSafetensors(state);
  if (metadata['step'] !== String(manifest.data.step))
    throw new AppError('DAMAGED_FILE', 'The manifest names another step.');
  // All is compared before anything is changed.
  const groups = trainer.state;
  const valuesOf = (group: StateGroup) => matching(tensors, groups[group].specs, group);
  trainer.restore({ weights: valuesOf('weights'), average: valuesOf('average'), slots: valuesOf('slots') });
  return { step: manifest.data.step, sha256: manifest.data.sha256 };
}

/** Writes the moving average of G as a model folder; its card names the weights' hash. */
export async function saveModel(dir: string, trainer: Trainer, card: Omit<ModelCard, 'sha256'>): Promise<ModelCard> {
  const weights = encodeSafetensors(await stored(trainer.average));
  const complete: ModelCard = { ...card, sha256: sha256(weights) };
  const json = Buffer.from(`${JSON.stringify(complete, null, 2)}\n`);
  writeFolder(
    dir,
    new Map<string, Uint8Array>([
      [WEIGHTS_FILE, weights],
      [CARD_FILE, json],
    ]),
  );
  return complete;
}

/** A model's weights, as `specs` lists them. @throws AppError DAMAGED_FILE */
export function loadModelWeights(dir: string, expectedSha256: string, specs: readonly WeightSpec[]): Weights {
  const bytes = readFile(join(dir, WEIGHTS_FILE));
  if (sha256(bytes) !== expectedSha256)
    throw new AppError('DAMAGED_FILE', `${WEIGHTS_FILE} is not the file that ${CARD_FILE} names.`);
  const values = matching(decodeSafetensors(bytes).tensors, specs, undefined);
  return new Weights(specs, ({ name }) => values.get(name) ?? new Float32Array());
}

/** Half-written folders of a child that was killed. */
export function removeDrafts(parent: string): void {
  for (const name of readdirSync(parent))
    if (/^\.(step-|model\.)/.test(name)) rmSync(join(parent, name), { recursive: true, force: true });
}

async function stored(weights: Weights): Promise<Map<string, StoredTensor>> {
  const values = await weights.read();
  return new Map(
    weights.specs.map(({ name, shape }) => [name, { shape, values: values.get(name) ?? new Float32Array() }]),
  );
}

/** The values for `specs`, or DAMAGED_FILE where one is absent or has another shape. */
function matching(
  tensors: ReadonlyMap<string, StoredTensor>,
  specs: readonly WeightSpec[],
  group: string | undefined,
): Map<string, Float32Array> {
  return new Map(
    specs.map(({ name, shape }) => {
      const key = group === undefined ? name : `${group}/${name}`;
      const tensor = tensors.get(key);
      if (tensor === undefined || tensor.shape.join() !== shape.join()) {
        throw new AppError(
          'DAMAGED_FILE',
          `${key} should have the shape [${shape.join(', ')}] and has ${tensor ? `[${tensor.shape.join(', ')}]` : 'none'}.`,
        );
      }
      return [name, tensor.values];
    }),
  );
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new AppError('DAMAGED_FILE', `${path} cannot be read.`, { cause });
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFile(path).toString('utf8'));
  } catch {
    return undefined;
  }
}
