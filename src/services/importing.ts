/**
 * Imports of datasets as users ask for them: checks the wish, keeps one row a name, works on one import at a time in the
 * background, and answers when it has ended or after a while. An import that was cut off by the end of the process
 * begins again at the next start; one that fails leaves what an earlier one brought.
 */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { AppError } from '../core/errors.ts';
import { slugOf } from '../core/labels.ts';
import type { Log } from '../core/log.ts';
import { RESOLUTIONS } from '../core/presets.ts';
import { Budget } from '../datasets/budget.ts';
import { LAYOUTS } from '../datasets/layouts/plan.ts';
import { type AllowedFolder, allowFolder, codeOf } from '../datasets/scan.ts';
import {
  datasetBySlug,
  datasetsByIds,
  deleteDataset,
  importIssueCount,
  importsUnfinished,
  insertDataset,
  packIsNeeded,
  tellImport,
  updateImport,
} from '../store/datasets.ts';
import type { Db } from '../store/db.ts';
import type { ArtworkRow, DatasetRow } from '../store/tables.ts';
import { runImport } from './import-job.ts';
import { Packs } from './packs.ts';

const STARTER_SLUG = 'starter';
/** From src/services and from dist/services alike. */
const STARTER_FOLDER = fileURLToPath(new URL('../../starter/collection', import.meta.url));
export const DEFAULT_WAIT_SECONDS = 20;
const DEFAULT_RESOLUTION = 128;

export interface ImportInput {
  readonly name: string;
  /** Absolute, or relative to one of the roots. */
  readonly path: string;
  /** AUTO or one of the layouts. */
  readonly layout: string;
  /** The largest side, in pixels, that will be trained on it; 128 unless told. */
  readonly maxResolution?: number | undefined;
  /** How long to wait for the end of the import before answering with what there is. */
  readonly waitSeconds?: number | undefined;
}

export interface ImportServiceParts {
  readonly db: Db;
  readonly dataDir: string;
  readonly roots: readonly string[];
  readonly log: Log;
  /** Hears of each change of an import's row: begun, under way, ended. */
  readonly onProgress?: (dataset: DatasetRow) => void;
  /** The collection that ships with the project. */
  readonly starterFolder?: string;
}

type Wish = Pick<DatasetRow, 'name' | 'slug' | 'path' | 'layout'> & { readonly maxResolution: number | undefined };

export class ImportService implements AsyncDisposable {
  readonly #parts: ImportServiceParts;
  readonly #packs: Packs;
  readonly #stop = new AbortController();
  /** Imports under way or waiting, by dataset id. */
  readonly #running = new Map<string, Promise<DatasetRow>>();
  /** One import at a time: its bounds of memory are for all. */
  readonly #turn = new Budget(1);
  readonly #registering = new Budget(1);

  constructor(parts: ImportServiceParts) {
    this.#parts = parts;
    this.#packs = new Packs(parts.dataDir);
  }

  /**
   * Imports a folder under a name; the same name and folder again: repeats it, and works that are still there keep their
   * ids. Answers with the dataset once the import has ended, or as it is after `waitSeconds`; ending `signal` ends the wait only.
   * @throws AppError INVALID_INPUT, PATH_NOT_ALLOWED, CONFLICT with nothing written; UNREADABLE_DATASET.
   */
  async importDataset(input: ImportInput, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<DatasetRow> {
    const checked = checkInput(input);
    const folder = await allowFolder(input.path, this.#parts.roots);
    const { id, work } = await this.#start({ ...checked, path: folder.path }, folder);
    return this.#wait(work, id, { ms: (input.waitSeconds ?? DEFAULT_WAIT_SECONDS) * 1000, signal });
  }

  /** Begins the imports again that the end of an earlier process cut off; does not wait for them. */
  async resumeUnfinished(): Promise<void> {
    await this.#packs.sweep();
    for (const dataset of await importsUnfinished(this.#parts.db)) {
      if (this.#running.has(dataset.id)) continue;
      this.#parts.log.info({ dataset: dataset.slug }, 'An import that was cut off begins again');
      const roots = dataset.slug === STARTER_SLUG ? [this.#starterFolder] : [];
      try {
        void this.#begin(dataset, await allowFolder(dataset.path, [...roots, ...this.#parts.roots]));
      } catch (error) {
        await this.#failed(dataset, error);
      }
    }
  }

  /** Imports the collection that ships with the project, unless it was before; waits. A server starts without it, too. */
  async importStarter(): Promise<DatasetRow | undefined> {
    const { db, log } = this.#parts;
    const before = await datasetBySlug(db, STARTER_SLUG);
    if (before?.status === 'READY') return undefined;
    try {
      const folder = await allowFolder(this.#starterFolder, [this.#starterFolder]);
      const wish = {
        name: 'Starter',
        slug: STARTER_SLUG,
        path: folder.path,
        layout: 'MANIFEST',
        maxResolution: undefined,
      };
      const { work } = await this.#start(wish, folder);
      return await work;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      log.warn({ err: error }, 'The starter collection was not imported');
      return undefined;
    }
  }

  /** A work's largest tile: `size` x `size` RGB. @throws AppError DATASET_NOT_READY, NOT_FOUND, UNREADABLE_DATASET */
  async tilePicture(artwork: ArtworkRow, dataset: DatasetRow): Promise<{ pixels: Uint8Array; size: number }> {
    if (dataset.packFile === null)
      throw new AppError('DATASET_NOT_READY', `Dataset "${dataset.name}" has not been imported yet.`, {
        retryable: true,
      });
    return this.#packs.tile(dataset.packFile, artwork.packIndex);
  }

  /** Stops imports under way; they begin again at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('The server is stopping'));
    await Promise.allSettled(this.#running.values());
    this.#packs[Symbol.dispose]();
  }

  get #starterFolder(): string {
    return this.#parts.starterFolder ?? STARTER_FOLDER;
  }

  /** Finds or makes the row of a name and begins its import; joins the one that is under way. */
  async #start(wish: Wish, folder: AllowedFolder): Promise<{ id: string; work: Promise<DatasetRow> }> {
    using _alone = await this.#registering.take(1, this.#stop.signal);
    const { db } = this.#parts;
    const before = await datasetBySlug(db, wish.slug);
    const maxResolution = wish.maxResolution ?? before?.maxResolution ?? DEFAULT_RESOLUTION;
    const values = { ...wish, maxResolution, status: 'IMPORTING', error: null } as const;
    // A name whose import never worked may be given to another folder.
    if (before !== undefined && before.path !== wish.path && before.packFile !== null)
      throw new AppError('CONFLICT', `"${before.name}" is the dataset of another folder. Choose another name.`, {
        path: ['input', 'name'],
      });
    const running = before === undefined ? undefined : this.#running.get(before.id);
    if (before !== undefined && running !== undefined) {
      const same = before.path === wish.path && before.layout === wish.layout && before.maxResolution === maxResolution;
      if (same) return { id: before.id, work: running };
      throw new AppError('CONFLICT', `"${before.name}" is being imported in another way. Wait for its end.`, {
        path: ['input', 'name'],
        retryable: true,
      });
    }
    if (before === undefined) {
      const dataset = await db.transaction(async (tx) => {
        const made = await insertDataset(tx, values);
        await tellImport(tx, made);
        return made;
      });
      return { id: dataset.id, work: this.#begin(dataset, folder) };
    }
    const none = { total: 0, processed: 0, skipped: 0 };
    const dataset = await updateImport(db, before.id, { ...values, ...none }, { begins: true });
    return { id: dataset.id, work: this.#begin(dataset, folder, before) };
  }

  /** `before`: the row as it was, for the case that the import fails. */
  #begin(dataset: DatasetRow, folder: AllowedFolder, before: DatasetRow = dataset): Promise<DatasetRow> {
    const work = this.#work(dataset, folder, before).finally(() => this.#running.delete(dataset.id));
    work.catch(() => undefined); // whoever waits hears of it; else the row and the log tell it
    this.#running.set(dataset.id, work);
    return work;
  }

  async #work(dataset: DatasetRow, folder: AllowedFolder, before: DatasetRow): Promise<DatasetRow> {
    const { db, log } = this.#parts;
    const { signal } = this.#stop;
    const onProgress = (row: DatasetRow) => this.#parts.onProgress?.(row);
    onProgress(dataset);
    try {
      using _turn = await this.#turn.take(1, signal);
      const ready = await runImport({ db, packs: this.#packs, log, dataset, folder, signal, onProgress });
      onProgress(ready);
      log.info({ dataset: ready.slug, files: ready.total, skipped: ready.skipped }, 'Imported');
      await this.#forgetPack(dataset, ready);
      return ready;
    } catch (error) {
      if (!signal.aborted) {
        await this.#failed(before, error);
        if (error instanceof AppError) await this.#forgetMistake(before);
      }
      throw error;
    }
  }

  /** A mistake in the wish leaves no dataset behind; pictures that cannot be read leave the report that says why. */
  async #forgetMistake({ id, packFile }: DatasetRow): Promise<void> {
    const { db } = this.#parts;
    if (packFile === null && (await importIssueCount(db, id)) === 0) await deleteDataset(db, id);
  }

  /** Notes a failure in the row. A dataset that was good before stays usable, as it was. */
  async #failed(before: DatasetRow, error: unknown): Promise<void> {
    const { db, log } = this.#parts;
    const isTold = error instanceof AppError;
    log[isTold ? 'warn' : 'error']({ err: error, dataset: before.slug }, 'An import failed');
    const { total, processed, skipped, layout, maxResolution } = before;
    const kept = { status: 'READY', total, processed, skipped, layout, maxResolution } as const;
    const patch = before.packFile === null ? ({ status: 'FAILED' } as const) : kept;
    const row = await updateImport(db, before.id, { ...patch, error: isTold ? error.message : reasonOf(error) });
    this.#parts.onProgress?.(row);
  }

  /** The pack of the import before this one, unless something still needs it. */
  async #forgetPack({ packFile }: DatasetRow, now: DatasetRow): Promise<void> {
    if (packFile === null || packFile === now.packFile) return;
    try {
      if (!(await packIsNeeded(this.#parts.db, packFile))) await this.#packs.remove(packFile);
    } catch (error) {
      this.#parts.log.warn({ err: error, packFile }, 'An old packed file could not be deleted');
    }
  }

  async #wait(
    work: Promise<DatasetRow>,
    id: string,
    until: { ms: number; signal: AbortSignal | undefined },
  ): Promise<DatasetRow> {
    const { ms, signal } = until;
    let leave = (): void => undefined;
    const left = new Promise<undefined>((resolve) => {
      leave = () => resolve(undefined);
    });
    const timer = setTimeout(leave, ms);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      const ended = signal?.aborted ? undefined : await Promise.race([work, left]);
      if (ended !== undefined) return ended;
      const [now] = await datasetsByIds(this.#parts.db, [id]);
      return now ?? (await work);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
    }
  }
}

/** What a fault that is not the user's means to them. */
function reasonOf(error: unknown): string {
  return codeOf(error) === 'ENOSPC'
    ? 'The disk with the data folder is full. Make room and import it again.'
    : 'The import broke off by a fault; the log of the server says which.';
}

const input = z.object({
  name: z
    .string()
    .trim()
    .min(1)
    .max(120)
    .refine((name) => slugOf(name) !== '', 'needs a letter or a digit'),
  layout: z.enum(['AUTO', ...LAYOUTS]),
  maxResolution: z.literal(RESOLUTIONS).optional(),
  waitSeconds: z.int().min(0).max(600).optional(),
});

function checkInput(given: ImportInput): Omit<Wish, 'path'> {
  const checked = input.safeParse(given);
  if (checked.success) {
    const { name, layout, maxResolution } = checked.data;
    return { name, slug: slugOf(name), layout, maxResolution };
  }
  const [first] = checked.error.issues;
  const field = String(first?.path[0] ?? 'input');
  throw new AppError('INVALID_INPUT', `${field}: ${first?.message ?? 'not valid'}.`, { path: ['input', field] });
}
