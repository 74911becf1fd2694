/**
 * Models from elsewhere: the folder of a model that another server has exported, a checkpoint of a run, or a checkpoint's
 * folder. The engine reads all of it before anything is kept.
 */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError } from '../core/errors.ts';
import { localId } from '../core/global-id.ts';
import { allowFolder } from '../datasets/scan.ts';
import type { Generator } from '../engine/host/generator.ts';
import { checkpointsByIds } from '../store/checkpoints.ts';
import type { Db } from '../store/db.ts';
import type { ModelRow } from '../store/tables.ts';
import type { ModelService } from './models.ts';

export interface ModelImportParts {
  readonly db: Db;
  readonly dataDir: string;
  /** Folders from which may be imported. */
  readonly roots: readonly string[];
  readonly models: ModelService;
  readonly engine: Pick<Generator, 'adoptModel'>;
}

export interface ImportModelRequest {
  /** Absolute, or below one of the roots. */
  readonly path: string;
  /** Left out: as its card calls it. */
  readonly name?: string | null | undefined;
}

export interface CreateModelRequest {
  readonly checkpoint: string;
  readonly name?: string | null | undefined;
}

const LONGEST_NAME = 120;

export class ModelImports {
  readonly #parts: ModelImportParts;

  constructor(parts: ModelImportParts) {
    this.#parts = parts;
  }

  /**
   * The model in a folder; one with the same weights that is there already is answered instead of a second one.
   * @throws AppError PATH_NOT_ALLOWED, UNREADABLE_DATASET, DAMAGED_FILE, INVALID_INPUT, ENGINE_UNAVAILABLE
   */
  async import({ path, name }: ImportModelRequest): Promise<ModelRow> {
    const checked = checkName(name);
    const folder = await allowFolder(path, this.#parts.roots);
    return this.#adopt(folder.path, { name: checked });
  }

  /** A model of a checkpoint whose files are kept. @throws AppError NOT_FOUND, DAMAGED_FILE, ENGINE_UNAVAILABLE */
  async create({ checkpoint, name }: CreateModelRequest): Promise<ModelRow> {
    const { db, dataDir } = this.#parts;
    const checked = checkName(name);
    const [found] = await checkpointsByIds(db, [localId(checkpoint, 'Checkpoint')]);
    if (found === undefined || found.dir === null) {
      const why = found === undefined ? 'There is no such checkpoint.' : 'The files of this checkpoint are not kept.';
      throw new AppError('NOT_FOUND', `${why} TrainingRun.checkpoints lists them.`, { path: ['input', 'checkpoint'] });
    }
    const { runId, id: checkpointId, step } = found;
    return this.#adopt(resolve(dataDir, found.dir), { name: checked, runId, checkpointId, step });
  }

  async #adopt(from: string, origin: Origin): Promise<ModelRow> {
    const { dataDir, models, engine } = this.#parts;
    const dir = join('models', randomUUID());
    const folder = join(dataDir, dir);
    try {
      await engine.adoptModel(from, folder);
      const { row, isNew } = await models.addAdopted(folder, { ...origin, dir: dir.replaceAll('\\', '/') });
      if (!isNew) await rm(folder, { recursive: true, force: true });
      return row;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }
}

interface Origin {
  readonly name: string | undefined;
  readonly runId?: string;
  readonly checkpointId?: string;
  readonly step?: number;
}

function checkName(name: string | null | undefined): string | undefined {
  const text = name?.trim();
  if (text === undefined || text === '') return undefined;
  if (text.length <= LONGEST_NAME) return text;
  throw new AppError('INVALID_INPUT', `name must be at most ${LONGEST_NAME} characters long.`, {
    path: ['input', 'name'],
  });
}
