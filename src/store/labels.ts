/** Artists, styles and genres. One table for the three kinds; a slug is unique within its kind. */
import { randomUUID } from 'node:crypto';
import { and, count, eq, inArray, not, type SQL, sql } from 'drizzle-orm';
import { LABEL_KINDS, type LabelKind } from '../core/labels.ts';
import { type Asked, contains, datasetNamed, given } from './conditions.ts';
import type { Db } from './db.ts';
import { byColumns, byKeys, integerKey, keyOf, type OrderBy, type Orders, orderOf } from './order.ts';
import { countRows, type List, type NestedList, nestedName } from './page.ts';
import { artworks, type LabelRow, labels } from './tables.ts';

export interface LabelName {
  readonly kind: LabelKind;
  readonly slug: string;
  readonly name: string;
}

export interface LabelFilter {
  /** Contained in the name. */
  readonly name?: Asked<string>;
  /** Labels of the works of one dataset only, by its slug or id. */
  readonly dataset?: Asked<string>;
  /** Whether works have it: a label may be known from a model alone. */
  readonly hasArtworks?: Asked<boolean>;
}

export type LabelField = 'NAME' | 'ARTWORK_COUNT' | 'CREATED_AT';

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

/** By name, unless told. */
export const labelOrders = {
  artist: ordersOf('artist'),
  style: ordersOf('style'),
  genre: ordersOf('genre'),
} as const satisfies Record<LabelKind, Orders<LabelField>>;

export function labelList(
  kind: LabelKind,
  filter: LabelFilter = {},
  orderBy?: OrderBy<LabelField> | null,
): List<LabelRow> {
  return { table: labels, order: orderOf(labelOrders[kind], orderBy), where: labelCondition(kind, filter) };
}

/** The labels of a kind that works of each dataset have. */
export function labelsOfDatasets(
  kind: LabelKind,
  filter: LabelFilter = {},
  orderBy?: OrderBy<LabelField> | null,
): NestedList<LabelRow> {
  return {
    ...labelList(kind, filter, orderBy),
    name: nestedName('labelsOfDatasets', kind, filter, orderBy),
    of: (datasetId) => isOn(kind, sql`${artworks.datasetId} = ${datasetId}`),
  };
}

export function labelCount(db: Db, kind: LabelKind, { datasetId }: { readonly datasetId: string }): Promise<number> {
  return countRows(db, labelList(kind, { dataset: datasetId }));
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

function labelCondition(kind: LabelKind, { name, dataset, hasArtworks }: LabelFilter): SQL | undefined {
  return and(
    eq(labels.kind, kind),
    given(name, (text) => contains(labels.name, text)),
    given(dataset, (text) => isOn(kind, sql`${artworks.datasetId} = ${datasetNamed(text)}`)),
    given(hasArtworks, (has) => (has ? isOn(kind) : not(isOn(kind)))),
  );
}

/** Whether there are works with the label. */
function isOn(kind: LabelKind, condition: SQL = sql`true`): SQL {
  return sql`exists (select 1 from ${artworks} where ${labelColumn[kind]} = ${labels.id} and ${condition})`;
}

function ordersOf(kind: LabelKind): Orders<LabelField> {
  const works = sql`(select count(*)::int from ${artworks} where ${labelColumn[kind]} = ${labels.id})`;
  return {
    name: 'label',
    usual: { field: 'NAME', direction: 'ASC' },
    keys: {
      NAME: byColumns(labels.name, labels.id),
      ARTWORK_COUNT: byKeys(integerKey(works), keyOf(labels.id)),
      CREATED_AT: byColumns(labels.createdAt, labels.id),
    },
  };
}
