/**
 * Models that are not wanted any more. The row of a deleted model stays, with its card, so that pictures that were kept still
 * know where they come from; its files go. A model in use is not deleted by accident.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';
import { localId } from '../core/global-id.ts';
import type { Log } from '../core/log.ts';
import type { Db } from '../store/db.ts';
import { generationsOfModel } from '../store/generations.ts';
import { deletedModels, imageCountsByModel, lockModel, markDeleted } from '../store/models.ts';
import type { ModelRow } from '../store/tables.ts';
import type { ModelService } from './models.ts';

export interface ModelDeletionParts {
  readonly db: Db;
  readonly dataDir: string;
  readonly models: ModelService;
  readonly log: Log;
}

export interface DeleteModelRequest {
  readonly model: string;
  /** Also where pictures were kept or jobs were done with it. */
  readonly evenIfUsed: boolean;
}

export class ModelDeletion {
  readonly #parts: ModelDeletionParts;

  constructor(parts: ModelDeletionParts) {
    this.#parts = parts;
  }

  /**
   * @returns the model as it stays known
   * @throws AppError UNKNOWN_MODEL; MODEL_IN_USE that says by what; FORBIDDEN for the model that ships
   */
  async delete({ model, evenIfUsed }: DeleteModelRequest): Promise<ModelRow> {
    const { db, models, log } = this.#parts;
    const { id } = await models.resolve(model, PLACE);
    const row = await db
      .transaction(async (tx) => {
        const held = await lockModel(tx, id);
        if (held === undefined || held.deletedAt !== null)
          throw new AppError('UNKNOWN_MODEL', 'The model was deleted meanwhile.', { path: PLACE });
        if (models.ships(held)) throw inUse('It ships with artgan, and would be back at the next start.', 'FORBIDDEN');
        await checkUse(tx, held, evenIfUsed);
        return markDeleted(tx, id);
      })
      .finally(() => models.forget());
    // The row before the files: who finds the row finds them, too.
    await this.#removeFiles(row);
    log.info({ model: id, name: row.name }, 'Model deleted');
    return row;
  }

  /** Files that a server which died has left of deleted models. */
  async sweep(): Promise<void> {
    for (const row of await deletedModels(this.#parts.db)) await this.#removeFiles(row);
  }

  async #removeFiles(row: ModelRow): Promise<void> {
    const { dataDir, models } = this.#parts;
    await rm(models.folderOf(row), { recursive: true, force: true });
    await rm(join(dataDir, 'exports', localId(row.id, 'Model')), { recursive: true, force: true });
  }
}

const PLACE = ['input', 'model'];

async function checkUse(tx: Db, { id, isDefault }: ModelRow, evenIfUsed: boolean): Promise<void> {
  if (isDefault) throw inUse('It is the default. Choose another one with setDefaultModel first.');
  const { jobs, open } = await generationsOfModel(tx, id);
  if (open > 0) throw inUse(`${open} jobs are painted with it. Cancel them first.`);
  if (evenIfUsed) return;
  const kept = (await imageCountsByModel(tx, [id])).get(id) ?? 0;
  if (kept + jobs === 0) return;
  const used = [
    kept > 0 ? `${kept} pictures of it were kept` : '',
    jobs > 0 ? `${jobs} jobs were painted with it` : '',
  ];
  const what = used.filter((text) => text !== '').join(', and ');
  const after =
    'With evenIfUsed: true it is deleted all the same: what was kept can still be seen, but nothing more be painted.';
  throw inUse(`${what}. ${after}`);
}

function inUse(why: string, code: 'MODEL_IN_USE' | 'FORBIDDEN' = 'MODEL_IN_USE'): AppError {
  return new AppError(code, `The model is not deleted. ${why}`, { path: PLACE });
}
