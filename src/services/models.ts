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
import { CARD_FILE, DISCRIMINATOR_FILE, type ModelCard, modelCard, WEIGHTS_FILE } from '../core/model-card.ts';
import { sha256OfFile } from '../datasets/pack-reader.ts';
import { checkpointsOf } from '../store/checkpoints.ts';
import type { Db } from '../store/db.ts';
import { defaultModel, insertModel, modelByDir, modelsByIds, modelsBySha256, setDefault } from '../store/models.ts';
import type { ModelRow, RunRow } from '../store/tables.ts';
import { MODELS_TOPIC } from '../store/topic-log.ts';
import type { LogFeed } from './log-feed.ts';

export interface ModelServiceOptions {
  readonly db: Db;
  /** Tells when a server on this database has changed something about the models. */
  readonly feed: Pick<LogFeed, 'onGrow'>;
  readonly dataDir: string;
  /** Folder of the model that ships with the project. */
  readonly starterDir: string;
  readonly log: Log;
}

/** Before the first part of the weights' hash: a model that lies in the project, not in the data folder. */
const STARTER = 'starter:';
/** No folder is called like this: it is known that none ships. */
const NO_STARTER = '';
/** Of the default model, among ids. */
const DEFAULT = '';

export class ModelService {
  readonly #options: ModelServiceOptions;
  readonly #cards = new Map<string, ModelCard>();
  /** Rows by what they were asked for, so that a picture costs no statement. Forgotten with every change. */
  readonly #rows = new Map<string, ModelRow>();
  #changes = 0;
  /** Of the model that ships now. */
  #starterDir: string | undefined;

  constructor(options: ModelServiceOptions) {
    this.#options = options;
    options.feed.onGrow(MODELS_TOPIC, () => this.forget());
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
      this.#starterDir = NO_STARTER;
      return undefined;
    }
    const dir = `${STARTER}${card.sha256.slice(0, 12)}`;
    this.#starterDir = dir;
    const register = db.transaction(async (tx) => {
      const known = await modelByDir(tx, dir);
      const row = known ?? (await insertModel(tx, modelRow(card, { dir })));
      const current = await defaultModel(tx);
      const older = current?.dir.startsWith(STARTER) === true && current.id !== row.id;
      if (current === undefined || older) await setDefault(tx, row.id);
      if (known === undefined) log.info({ model: row.id, resolution: row.resolution }, 'Starter model registered');
      return row;
    });
    return register
      .finally(() => this.forget())
      .catch(async (error: unknown) => {
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
    await db.transaction((tx) => setDefault(tx, model.id)).finally(() => this.forget());
    return { ...model, isDefault: true };
  }

  /** The model with this id, or the default one. @throws AppError UNKNOWN_MODEL or NO_MODEL */
  async resolve(id: string | undefined, path: readonly string[] = ['model']): Promise<ModelRow> {
    const key = id === undefined ? DEFAULT : localId(id, 'Model');
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const changes = this.#changes;
    const model = await this.#read(id);
    if (model?.deletedAt != null) {
      const message = `The model "${model.name}" was deleted. Pictures of it that were kept can still be seen.`;
      throw new AppError('UNKNOWN_MODEL', message, { path });
    }
    // What has changed while it was read may have been read before.
    if (model !== undefined && changes === this.#changes) this.#rows.set(key, model);
    if (model !== undefined) return model;
    if (id === undefined)
      throw new AppError('NO_MODEL', 'There is no model yet. Train one with startTraining, then ask again.');
    throw new AppError(
      'UNKNOWN_MODEL',
      `There is no model with the id "${id.slice(0, 200)}". The query models lists them.`,
      {
        path,
      },
    );
  }

  /** Whether its files are part of the program. */
  ships({ dir }: Pick<ModelRow, 'dir'>): boolean {
    return dir.startsWith(STARTER);
  }

  /**
   * The folder with the model's files. @throws AppError UNKNOWN_MODEL where they shipped with another version;
   * ENGINE_UNAVAILABLE before it is known
   */
  folderOf({ name, dir }: Pick<ModelRow, 'name' | 'dir'>): string {
    if (!dir.startsWith(STARTER)) return resolve(this.#options.dataDir, dir);
    if (dir === this.#starterDir) return this.#options.starterDir;
    if (this.#starterDir === undefined) {
      const message = 'The server is starting: its models are being looked at. Ask again in a moment.';
      throw new AppError('ENGINE_UNAVAILABLE', message, { retryable: true });
    }
    const message = `The model "${name}" came with another version of artgan, and its files are not here any more.`;
    throw new AppError('UNKNOWN_MODEL', message, { path: ['model'] });
  }

  async #read(id: string | undefined): Promise<ModelRow | undefined> {
    const { db } = this.#options;
    if (id === undefined) return defaultModel(db);
    const [model] = await modelsByIds(db, [localId(id, 'Model')]);
    return model;
  }

  /** Something about the models has changed. */
  forget(): void {
    this.#changes += 1;
    this.#rows.clear();
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
  const said = (card: ModelCard) =>
    JSON.stringify([card.sha256, card.discriminator?.sha256, card.config, slugsOf(card)]);
  return said(a) === said(b);
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
  await checkFile(join(dir, WEIGHTS_FILE), card.sha256);
  if (card.discriminator !== undefined) await checkFile(join(dir, DISCRIMINATOR_FILE), card.discriminator.sha256);
  return card;
}

async function checkFile(path: string, expected: string): Promise<void> {
  const found = await sha256OfFile(path);
  if (found !== expected) throw new Error(`${path} is damaged: its SHA-256 is ${found}`);
}
