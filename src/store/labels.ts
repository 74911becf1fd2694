/** Artists, styles and genres. One table for the three kinds; a slug is unique within its kind. */
import { randomUUID } from 'node:crypto';
import { and, count, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { LABEL_KINDS, type LabelKind } from '../core/labels.ts';
import type { Page, PageRequest } from '../core/paging.ts';
import type { Db } from './db.ts';
import { type Order, readPage } from './page.ts';
import { artworks, type LabelRow, labels } from './tables.ts';

export interface LabelName {
  readonly kind: LabelKind;
  readonly slug: string;
  readonly name: string;
}

/** Labels of the works of one dataset only. */
export interface LabelFilter {
  readonly datasetId?: string | undefined;
}

export const byName: Order<LabelRow> = {
  name: 'label',
  direction: 'asc',
  columns: [labels.name, labels.id],
  keysOf: ({ name, id }) => [name, id],
};

/** Bind parameters of one statement are numbered with 16 bits. */
const CHUNK = 1_000;

export const labelKey = ({ kind, slug }: Pick<LabelName, 'kind' | 'slug'>) => `${kind}:${slug}`;

/** The column of an artwork that holds its label of a kind. */
export const labelColumn = {
  artist: artworks.artistId,
  style: artworks.styleId,
  genre: artworks.genreId,
} as const satisfies Record<LabelKind, unknown>;

/** Rows for all of these, by labelKey; what is known keeps its id and its name. Safe beside another writer. */
export async function upsertLabels(db: Db, names: readonly LabelName[]): Promise<Map<string, LabelRow>> {
  const wanted = new Map(names.map((label) => [labelKey(label), label]));
  const found = new Map<string, LabelRow>();
  // Always in the same order: two writers that each wait for a label of the other would be ended as a deadlock.
  const all = [...wanted.keys()].sort().flatMap((key) => wanted.get(key) ?? []);
  for (let start = 0; start < all.length; start += CHUNK) {
    const chunk = all.slice(start, start + CHUNK);
    const fresh = chunk.map((label) => ({ id: randomUUID(), ...label }));
    await db
      .insert(labels)
      .values(fresh)
      .onConflictDoNothing({ target: [labels.kind, labels.slug] });
    const slugs = chunk.map(({ slug }) => slug);
    for (const row of await withSlugs(db, slugs)) if (wanted.has(labelKey(row))) found.set(labelKey(row), row);
  }
  return found;
}

export function labelPage(
  db: Db,
  kind: LabelKind,
  page: PageRequest,
  filter: LabelFilter = {},
): Promise<Page<LabelRow>> {
  const select = ({ where, orderBy, limit }: { where: SQL | undefined; orderBy: SQL[]; limit: number }) =>
    db
      .select()
      .from(labels)
      .where(where)
      .orderBy(...orderBy)
      .limit(limit);
  return readPage(byName, page, select, labelCondition(kind, filter));
}

export async function labelCount(db: Db, kind: LabelKind, filter: LabelFilter = {}): Promise<number> {
  const [row] = await db.select({ count: count() }).from(labels).where(labelCondition(kind, filter));
  return row?.count ?? 0;
}

export async function labelBySlug(db: Db, kind: LabelKind, slug: string): Promise<LabelRow | undefined> {
  const [row] = await db
    .select()
    .from(labels)
    .where(and(eq(labels.kind, kind), eq(labels.slug, slug)));
  return row;
}

export function labelsByIds(db: Db, ids: readonly string[]): Promise<LabelRow[]> {
  return db
    .select()
    .from(labels)
    .where(inArray(labels.id, [...ids]));
}

/** By labelKey. */
export async function labelsBySlugs(db: Db, keys: readonly string[]): Promise<LabelRow[]> {
  const wanted = new Set(keys);
  const rows = await withSlugs(
    db,
    keys.map((key) => key.slice(key.indexOf(':') + 1)),
  );
  return rows.filter((row) => wanted.has(labelKey(row)));
}

export function allLabels(db: Db): Promise<LabelRow[]> {
  return db.select().from(labels).orderBy(labels.kind, labels.name, labels.id);
}

/** Works per label; labels without any are absent. */
export async function artworkCounts(db: Db, labelIds: readonly string[]): Promise<Map<string, number>> {
  const ids = [...labelIds];
  const counted = (column: (typeof labelColumn)[LabelKind]) =>
    db
      .select({ id: sql<string>`${column}`.as('id'), works: count().as('works') })
      .from(artworks)
      .where(inArray(column, ids))
      .groupBy(column);
  const rows = await counted(artworks.artistId).unionAll(counted(artworks.styleId)).unionAll(counted(artworks.genreId));
  return new Map(rows.map(({ id, works }) => [id, works]));
}

/** Of every kind: so the index on kind and slug serves. */
function withSlugs(db: Db, slugs: readonly string[]): Promise<LabelRow[]> {
  return db
    .select()
    .from(labels)
    .where(and(inArray(labels.kind, [...LABEL_KINDS]), inArray(labels.slug, [...new Set(slugs)])));
}

function labelCondition(kind: LabelKind, { datasetId }: LabelFilter): SQL | undefined {
  const ofKind = eq(labels.kind, kind);
  if (datasetId === undefined) return ofKind;
  const column = labelColumn[kind];
  const used = sql`exists (select 1 from ${artworks} where ${column} = ${labels.id} and ${artworks.datasetId} = ${datasetId})`;
  return and(ofKind, used);
}
