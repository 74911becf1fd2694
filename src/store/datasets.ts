/** Datasets, their works, and what an import passed over. */
import { randomUUID } from 'node:crypto';
import { and, asc, count, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import { AppError } from '../core/errors.ts';
import { slugOf } from '../core/labels.ts';
import type { Page, PageRequest } from '../core/paging.ts';
import { type Asked, contains, given } from './conditions.ts';
import type { Db } from './db.ts';
import { byColumns, type OrderBy, type Orders, orderOf } from './order.ts';
import { type List, type NestedList, readPage } from './page.ts';
import {
  type ArtworkRow,
  artworks,
  type DatasetRow,
  datasets,
  type ImportIssueRow,
  importIssues,
  runs,
} from './tables.ts';
import { appendEntry, clearTopic, importTopic } from './topic-log.ts';

type NewDataset = Omit<typeof datasets.$inferInsert, 'id'> & { readonly id?: string };
type NewArtwork = Omit<typeof artworks.$inferInsert, 'id' | 'datasetId'> & { readonly id?: string };
type NewIssue = Pick<ImportIssueRow, 'file' | 'code' | 'message'>;

export interface DatasetFilter {
  /** Contained in the name. */
  readonly name?: Asked<string>;
  readonly status?: Asked<readonly DatasetRow['status'][]>;
}

export type DatasetField = 'NAME' | 'CREATED_AT';

export const datasetOrders: Orders<DatasetField> = {
  name: 'dataset',
  usual: { field: 'CREATED_AT', direction: 'DESC' },
  keys: { NAME: byColumns(datasets.name, datasets.id), CREATED_AT: byColumns(datasets.createdAt, datasets.id) },
};

const issueOrders: Orders<'POSITION'> = {
  name: 'issue',
  usual: { field: 'POSITION', direction: 'ASC' },
  keys: { POSITION: byColumns(importIssues.position) },
};

export function datasetList(
  { name, status }: DatasetFilter = {},
  orderBy?: OrderBy<DatasetField> | null,
): List<DatasetRow> {
  const where = and(
    given(name, (text) => contains(datasets.name, text)),
    given(status, (statuses) => inArray(datasets.status, [...statuses])),
  );
  return { table: datasets, order: orderOf(datasetOrders, orderBy), where };
}

/** What the newest import of each dataset passed over. */
export const issuesOfDatasets: NestedList<ImportIssueRow> = {
  name: 'issuesOfDatasets',
  table: importIssues,
  order: orderOf(issueOrders, undefined),
  of: (datasetId) => sql`${importIssues.datasetId} = ${datasetId}`,
};

export function datasetPage(db: Db, page: PageRequest): Promise<Page<DatasetRow>> {
  return readPage(db, datasetList(), page);
}

export async function datasetBySlug(db: Db, slug: string): Promise<DatasetRow | undefined> {
  const [row] = await db.select().from(datasets).where(eq(datasets.slug, slug));
  return row;
}

export function datasetsByIds(db: Db, ids: readonly string[]): Promise<DatasetRow[]> {
  return db
    .select()
    .from(datasets)
    .where(inArray(datasets.id, [...ids]));
}

/** By id, by slug, or by any spelling of the name that gives the slug. */
export async function findDataset(db: Db, text: string): Promise<DatasetRow | undefined> {
  const [row] = await db
    .select()
    .from(datasets)
    .where(or(eq(datasets.id, text), eq(datasets.slug, text), eq(datasets.slug, slugOf(text))))
    .limit(1);
  return row;
}

/** @throws AppError CONFLICT where another server has just taken the slug. */
export async function insertDataset(db: Db, dataset: NewDataset): Promise<DatasetRow> {
  const [row] = await db
    .insert(datasets)
    .values({ id: randomUUID(), ...dataset })
    .onConflictDoNothing({ target: datasets.slug })
    .returning();
  if (row === undefined)
    throw new AppError('CONFLICT', `There is a dataset "${dataset.slug}" already. Choose another name.`);
  return row;
}

/** @throws AppError NOT_FOUND where it has been deleted. */
export async function updateDataset(db: Db, id: string, patch: Partial<NewDataset>): Promise<DatasetRow> {
  const [row] = await db.update(datasets).set(patch).where(eq(datasets.id, id)).returning();
  if (row === undefined) throw new AppError('NOT_FOUND', 'The dataset has been deleted.');
  return row;
}

/** As updateDataset, and tells those who watch the import. `begins`: what they were told of earlier imports is forgotten. */
export function updateImport(
  db: Db,
  id: string,
  patch: Partial<NewDataset>,
  { begins = false }: { readonly begins?: boolean } = {},
): Promise<DatasetRow> {
  return db.transaction(async (tx) => {
    const row = await updateDataset(tx, id, patch);
    if (begins) await clearTopic(tx, importTopic(id));
    await tellImport(tx, row);
    return row;
  });
}

/** In the transaction that changes the row. */
export function tellImport(tx: Db, dataset: DatasetRow): Promise<void> {
  const { id, status, total, processed, skipped, error } = dataset;
  const told = { datasetId: id, importStatus: status, total, processed, skipped, error };
  return appendEntry(tx, importTopic(id), told);
}

/** With its works and its report. */
export async function deleteDataset(db: Db, id: string): Promise<void> {
  await db.delete(datasets).where(eq(datasets.id, id));
}

/** Whether a pack still serves: as some dataset's newest, or for a run that has not come to its end. */
export async function packIsNeeded(db: Db, packFile: string): Promise<boolean> {
  const [dataset] = await db.select({ id: datasets.id }).from(datasets).where(eq(datasets.packFile, packFile)).limit(1);
  if (dataset !== undefined) return true;
  // Of any dataset: two with the same content share a pack, and a run's row does not say which it trains on.
  const [run] = await db
    .select({ id: runs.id })
    .from(runs)
    .where(inArray(runs.status, ['QUEUED', 'RUNNING', 'PAUSED', 'FAILED']))
    .limit(1);
  return run !== undefined;
}

/** Imports that a server did not bring to an end. */
export function importsUnfinished(db: Db): Promise<DatasetRow[]> {
  return db.select().from(datasets).where(eq(datasets.status, 'IMPORTING')).orderBy(asc(datasets.createdAt));
}

/** Works per dataset; datasets without any are absent. */
export async function artworkCountsByDataset(db: Db, ids: readonly string[]): Promise<Map<string, number>> {
  const rows = await db
    .select({ id: artworks.datasetId, works: count() })
    .from(artworks)
    .where(inArray(artworks.datasetId, [...ids]))
    .groupBy(artworks.datasetId);
  return new Map(rows.map(({ id, works }) => [id, works]));
}

export function artworksByIds(db: Db, ids: readonly string[]): Promise<ArtworkRow[]> {
  return db
    .select()
    .from(artworks)
    .where(inArray(artworks.id, [...ids]));
}

const CHUNK = 1_000;

/**
 * Makes the works of a dataset those of a new import. A work whose file was there before keeps its id; one whose file has
 * gone is deleted. To be called in a transaction.
 */
export async function replaceArtworks(tx: Db, datasetId: string, works: readonly NewArtwork[]): Promise<void> {
  const excluded = (column: string) => sql.raw(`excluded.${column}`);
  const files = works.map(({ file }) => file);
  await tx
    .delete(artworks)
    .where(and(eq(artworks.datasetId, datasetId), sql`${artworks.file} not in ${jsonTexts(files)}`));
  for (let start = 0; start < works.length; start += CHUNK) {
    const chunk = works.slice(start, start + CHUNK).map((work) => ({ id: randomUUID(), datasetId, ...work }));
    await tx
      .insert(artworks)
      .values(chunk)
      .onConflictDoUpdate({
        target: [artworks.datasetId, artworks.file],
        set: {
          title: excluded('title'),
          year: excluded('year'),
          artistId: excluded('artist_id'),
          styleId: excluded('style_id'),
          genreId: excluded('genre_id'),
          packIndex: excluded('pack_index'),
        },
      });
  }
}

/** Makes the report of a dataset's newest import. */
export async function replaceIssues(db: Db, datasetId: string, issues: readonly NewIssue[]): Promise<void> {
  await db.delete(importIssues).where(eq(importIssues.datasetId, datasetId));
  const report = issues.map(({ file, code, message }, position) => ({ datasetId, position, file, code, message }));
  for (let start = 0; start < report.length; start += CHUNK) {
    await db.insert(importIssues).values(report.slice(start, start + CHUNK));
  }
}

export async function importIssueCount(db: Db, datasetId: string): Promise<number> {
  const [row] = await db.select({ count: count() }).from(importIssues).where(eq(importIssues.datasetId, datasetId));
  return row?.count ?? 0;
}

/** Any number of texts as one parameter. */
function jsonTexts(texts: readonly string[]): SQL {
  return sql`(select jsonb_array_elements_text(${JSON.stringify(texts)}::jsonb))`;
}
