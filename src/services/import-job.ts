/**
 * One import, from the folder to the rows: reads and packs the collection, tells the row how far it is, and swaps works
 * and pack in one transaction. Until that transaction nothing of an earlier import is touched.
 */
import { AppError } from '../core/errors.ts';
import { LABEL_KINDS, type LabelKind } from '../core/labels.ts';
import type { Log } from '../core/log.ts';
import { RESOLUTIONS, type Resolution } from '../core/presets.ts';
import { type BuiltPack, buildPack, type PackedWork } from '../datasets/build.ts';
import { type Collection, readCollection } from '../datasets/collection.ts';
import { type Issue, plain } from '../datasets/entry.ts';
import { LAYOUTS, LayoutProblem } from '../datasets/layouts/plan.ts';
import type { FinishedPack, WorkLabels } from '../datasets/pack.ts';
import type { AllowedFolder } from '../datasets/scan.ts';
import { replaceArtworks, replaceIssues, updateImport } from '../store/datasets.ts';
import type { Db } from '../store/db.ts';
import { type LabelName, labelKey, upsertLabels } from '../store/labels.ts';
import type { DatasetRow, LabelRow } from '../store/tables.ts';
import type { Packs } from './packs.ts';

/** The row is told at most this often. */
const PROGRESS_MS = 250;
/** A report is for people: of more mistakes than these only the number is told. */
const MAX_ISSUES = 10_000;

export interface ImportJob {
  readonly db: Db;
  readonly packs: Packs;
  readonly log: Log;
  readonly dataset: DatasetRow;
  readonly folder: AllowedFolder;
  readonly signal: AbortSignal;
  /** Hears of every change of the row. */
  readonly onProgress: (dataset: DatasetRow) => void;
}

/** @throws AppError UNREADABLE_DATASET where no work comes of it; the signal's reason where it was told to stop. */
export async function runImport(job: ImportJob): Promise<DatasetRow> {
  const { db, packs, dataset, folder, signal } = job;
  const progress = new Progress(job);
  const collection = await collect(dataset, folder, signal);
  if (collection.entries.length === 0) throw await unreadable(job, collection.issues, 'It has no pictures.');
  await progress.begin(collection);
  const built = await buildPack({
    collection,
    folder: packs.folder,
    maxResolution: resolutionOf(dataset),
    signal,
    onProgress: (processed, skipped) => progress.tell(processed, skipped),
  }).finally(() => progress.settled());
  const issues = [...collection.issues, ...built.issues];
  if (built.pack === undefined)
    throw await unreadable(job, issues, `None of its ${collection.entries.length} pictures can be read.`);
  const { pack } = built;
  return db.transaction((tx) => swap(tx, { job, collection, built, pack, issues }));
}

async function collect(dataset: DatasetRow, folder: AllowedFolder, signal: AbortSignal): Promise<Collection> {
  const layout = LAYOUTS.find((known) => known === dataset.layout) ?? 'AUTO';
  try {
    return await readCollection(folder, layout, signal);
  } catch (error) {
    if (!(error instanceof LayoutProblem)) throw error;
    throw new AppError('UNREADABLE_DATASET', error.message, { path: ['input', 'layout'], cause: error });
  }
}

function resolutionOf(dataset: DatasetRow): Resolution {
  return RESOLUTIONS.find((known) => known === dataset.maxResolution) ?? 128;
}

interface Swap {
  readonly job: ImportJob;
  readonly collection: Collection;
  readonly built: BuiltPack;
  readonly pack: FinishedPack;
  readonly issues: readonly Issue[];
}

async function swap(tx: Db, { job, collection, built, pack, issues }: Swap): Promise<DatasetRow> {
  const { packs, dataset } = job;
  const rows = await labelRows(tx, built.works);
  const idOf = (kind: LabelKind, labels: WorkLabels) =>
    rows.get(labelKey({ kind, slug: labels[kind]?.slug ?? '' }))?.id ?? null;
  const works = built.works.map(({ entry, labels }, packIndex) => ({
    file: entry.file,
    title: entry.title ?? null,
    year: entry.year ?? null,
    artistId: idOf('artist', labels),
    styleId: idOf('style', labels),
    genreId: idOf('genre', labels),
    packIndex,
  }));
  await replaceArtworks(tx, dataset.id, works);
  await replaceIssues(tx, dataset.id, bounded(issues));
  return updateImport(tx, dataset.id, {
    status: 'READY',
    error: null,
    licence: collection.licence,
    source: collection.source,
    packFile: packs.nameOf(pack.file),
    packSha256: pack.sha256,
    ...countsOf(collection, { processed: collection.entries.length, skipped: passedOver(issues) }),
    importedAt: new Date(),
  });
}

async function labelRows(tx: Db, works: readonly PackedWork[]): Promise<Map<string, LabelRow>> {
  const wanted = new Map<string, LabelName>();
  for (const { labels } of works)
    for (const kind of LABEL_KINDS) {
      const label = labels[kind];
      if (label !== undefined) wanted.set(labelKey({ kind, ...label }), { kind, ...label });
    }
  return upsertLabels(tx, [...wanted.values()]);
}

/** Files that the scan or the layout refused count as looked at: total less skipped is the number of works. */
function countsOf({ entries, issues }: Collection, { processed, skipped }: { processed: number; skipped: number }) {
  const refused = passedOver(issues);
  return { total: entries.length + refused, processed: processed + refused, skipped };
}

/** Files that became no work; a contradiction of labels costs none. */
function passedOver(issues: readonly Issue[]): number {
  return issues.filter(({ code }) => code !== 'CONFLICTING_LABEL').length;
}

function bounded(issues: readonly Issue[]): readonly Issue[] {
  const told = issues
    .slice(0, MAX_ISSUES)
    .map(({ file, code, message }) => ({ file: plain(file), code, message: plain(message) }));
  const rest = issues.length - told.length;
  return rest === 0 ? told : [...told, { file: '…', code: 'TOO_MANY', message: `And ${rest} more of this kind.` }];
}

/** The report of a first import that failed is kept: it says why. That of an earlier, good one is not replaced. */
async function unreadable(job: ImportJob, issues: readonly Issue[], what: string): Promise<AppError> {
  const { db, dataset } = job;
  if (dataset.packFile === null) await db.transaction((tx) => replaceIssues(tx, dataset.id, bounded(issues)));
  const first = issues[0];
  const why = first === undefined ? '' : ` ${first.file}: ${first.message}`;
  return new AppError('UNREADABLE_DATASET', `${what}${why}`, { path: ['input', 'path'] });
}

/** Writes how far an import is, never two writes at once and never more often than PROGRESS_MS. */
class Progress {
  readonly #job: ImportJob;
  #before = 0;
  #last = performance.now();
  #writing: Promise<void> | undefined;

  constructor(job: ImportJob) {
    this.#job = job;
  }

  async begin(collection: Collection): Promise<void> {
    const { db, dataset, onProgress } = this.#job;
    const { licence, source } = collection;
    this.#before = passedOver(collection.issues);
    const notes = dataset.packFile === null ? { licence, source } : {};
    const counts = countsOf(collection, { processed: 0, skipped: this.#before });
    onProgress(await updateImport(db, dataset.id, { ...notes, ...counts }));
  }

  tell(processed: number, skipped: number): void {
    if (this.#writing !== undefined || performance.now() - this.#last < PROGRESS_MS) return;
    this.#last = performance.now();
    this.#writing = this.#write(this.#before + processed, this.#before + skipped).finally(() => {
      this.#writing = undefined;
    });
  }

  async settled(): Promise<void> {
    await this.#writing;
  }

  /** A progress that could not be written is no reason to give up the import. */
  async #write(processed: number, skipped: number): Promise<void> {
    const { db, dataset, log, onProgress } = this.#job;
    try {
      onProgress(await updateImport(db, dataset.id, { processed, skipped }));
    } catch (error) {
      log.warn({ err: error, dataset: dataset.slug }, 'The progress of an import could not be written');
    }
  }
}
