/**
 * Generators that can be asked for pictures: the one that ships and those of finished runs. A model never changes: other
 * weights are another model.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { AppError } from '../core/errors.ts';
import { localId } from '../core/global-id.ts';
import { LABEL_KINDS } from '../core/labels.ts';
import type { Log } from '../core/log.ts';
import { CARD_FILE, type ModelCard, modelCard, WEIGHTS_FILE } from '../core/model-card.ts';
import { sha256OfFile } from '../datasets/pack-reader.ts';
import { checkpointsOf } from '../store/checkpoints.ts';
import type { Db } from '../store/db.ts';
import { defaultModel, insertModel, modelByDir, modelsByIds, modelsBySha256, setDefault } from '../store/models.ts';
import type { ModelRow, RunRow } from '../store/tables.ts';

export interface ModelServiceOptions {
  readonly db: Db;
  readonly dataDir: string;
  /** Folder of the model that ships with the project. */
  readonly starterDir: string;
  readonly log: Log;
}

/** Before the first part of the weights' hash: a model that lies in the project, not in the data folder. */
const STARTER = 'starter:';

export class ModelService {
  readonly #options: ModelServiceOptions;
  readonly #cards = new Map<string, ModelCard>();

  constructor(options: ModelServiceOptions) {
    this.#options = options;
  }

  /**
   * Makes the model that ships known, once per version of its weights. It becomes the default where there is none, or
   * where the default is an older starter. Without its files the server has no model until a run has finished.
   */
  async registerStarter(): Promise<ModelRow | undefined> {
    const { db, starterDir, log } = this.#options;
    let card: ModelCard;
    try {
      card = await readCard(starterDir);
    } catch (error) {
      log.warn({ starterDir, error }, 'There is no usable starter model: pictures come from trained runs only');
      return undefined;
    }
    const dir = `${STARTER}${card.sha256.slice(0, 12)}`;
    const register = db.transaction(async (tx) => {
      const known = await modelByDir(tx, dir);
      const row = known ?? (await insertModel(tx, modelRow(card, { dir })));
      const current = await defaultModel(tx);
      const older = current?.dir.startsWith(STARTER) === true && current.id !== row.id;
      if (current === undefined || older) await setDefault(tx, row.id);
      if (known === undefined) log.info({ model: row.id, resolution: row.resolution }, 'Starter model registered');
      return row;
    });
    return register.catch(async (error: unknown) => {
      // Another server on this database may have been first.
      const known = await modelByDir(db, dir);
      if (known === undefined) throw error;
      return known;
    });
  }

  /** Reads and checks what a finished run has left in its model folder. */
  readFinished(modelDir: string): Promise<ModelCard> {
    return readCard(modelDir);
  }

  /**
   * The row of a finished run's model; the same row when it is called again. It becomes the default only where there is
   * none: what `generate` gives for a seed changes by setDefaultModel alone. To be called in the transaction that
   * completes the run.
   */
  async addFinished(tx: Db, run: RunRow, { modelDir, card }: { modelDir: string; card: ModelCard }): Promise<ModelRow> {
    const dir = relative(this.#options.dataDir, modelDir).split(sep).join('/');
    const known = await modelByDir(tx, dir);
    if (known !== undefined) return known;
    const checkpoints = (await checkpointsOf(tx, [run.id])).get(run.id) ?? [];
    const checkpoint = checkpoints.find(({ sha256 }) => sha256 === card.provenance.checkpointSha256);
    const row = await insertModel(
      tx,
      modelRow(card, { dir, name: run.name, runId: run.id, checkpointId: checkpoint?.id }),
    );
    if ((await defaultModel(tx)) === undefined) await setDefault(tx, row.id);
    return row;
  }

  /**
   * The row of a model that was taken in, whose files lie in the data folder now; or that of an equal one: same weights,
   * same card.
   */
  async addAdopted(folder: string, place: AdoptedPlace): Promise<{ row: ModelRow; isNew: boolean }> {
    const { db } = this.#options;
    const card = await readCard(folder);
    const known = (await modelsBySha256(db, card.sha256)).find((row) => sameModel(this.cardOf(row), card));
    if (known !== undefined) return { row: known, isNew: false };
    const ofStep = place.step === undefined ? card.name : `${card.name}, step ${place.step}`;
    const name = place.name ?? ofStep;
    return { row: await insertModel(db, modelRow(card, { ...place, name })), isNew: true };
  }

  /** @throws AppError UNKNOWN_MODEL */
  async setDefault(id: string): Promise<ModelRow> {
    const { db } = this.#options;
    const model = await this.resolve(id, ['input', 'model']);
    await db.transaction((tx) => setDefault(tx, model.id));
    return { ...model, isDefault: true };
  }

  /** The model with this id, or the default one. @throws AppError UNKNOWN_MODEL or NO_MODEL */
  async resolve(id: string | undefined, path: readonly string[] = ['model']): Promise<ModelRow> {
    const { db } = this.#options;
    if (id === undefined) {
      const model = await defaultModel(db);
      if (model !== undefined) return model;
      throw new AppError('NO_MODEL', 'There is no model yet. Train one with startTraining, then ask again.');
    }
    const [model] = await modelsByIds(db, [localId(id, 'Model')]);
    if (model !== undefined) return model;
    throw new AppError(
      'UNKNOWN_MODEL',
      `There is no model with the id "${id.slice(0, 200)}". The query models lists them.`,
      {
        path,
      },
    );
  }

  /** The folder with the model's files. */
  folderOf({ dir }: Pick<ModelRow, 'dir'>): string {
    return dir.startsWith(STARTER) ? this.#options.starterDir : resolve(this.#options.dataDir, dir);
  }

  cardOf({ id, card }: Pick<ModelRow, 'id' | 'card'>): ModelCard {
    const known = this.#cards.get(id);
    if (known !== undefined) return known;
    const parsed = modelCard.parse(card);
    this.#cards.set(id, parsed);
    return parsed;
  }
}

export interface AdoptedPlace {
  /** Below the data folder. */
  readonly dir: string;
  readonly name: string | undefined;
  readonly runId?: string;
  readonly checkpointId?: string;
  /** Of the checkpoint that it was made of. */
  readonly step?: number;
}

/** Whether two models paint the same for the same words. */
function sameModel(a: ModelCard, b: ModelCard): boolean {
  return JSON.stringify([a.sha256, a.config, slugsOf(a)]) === JSON.stringify([b.sha256, b.config, slugsOf(b)]);
}

const slugsOf = ({ labels }: ModelCard) => LABEL_KINDS.map((kind) => labels[kind].map(({ slug }) => slug));

interface ModelPlace {
  readonly dir: string;
  readonly name?: string;
  readonly runId?: string;
  readonly checkpointId?: string | undefined;
}

function modelRow(card: ModelCard, { dir, name, runId, checkpointId }: ModelPlace) {
  return {
    id: randomUUID(),
    name: name ?? card.name,
    runId: runId ?? null,
    checkpointId: checkpointId ?? null,
    sha256: card.sha256,
    dir,
    resolution: card.config.resolution,
    card,
  };
}

/** @throws where the card is not one, or the weights are not the card's */
async function readCard(dir: string): Promise<ModelCard> {
  const card = modelCard.parse(JSON.parse(await readFile(join(dir, CARD_FILE), 'utf8')));
  const found = await sha256OfFile(join(dir, WEIGHTS_FILE));
  if (found !== card.sha256) throw new Error(`${WEIGHTS_FILE} in ${dir} is damaged: its SHA-256 is ${found}`);
  return card;
}
