/** Favourites, tags and collections: which pictures are in them. All that writes is for the inside of `inGallery`. */
import { and, eq, gt, inArray, sql } from 'drizzle-orm';
import type { Db } from './db.ts';
import { isSetId } from './gallery-filter.ts';
import { FAVOURITES, type GallerySetRow, galleryEntries, gallerySets, WHOLE_GALLERY } from './gallery-tables.ts';
import { byColumns, type OrderBy, type Orders, orderOf } from './order.ts';
import type { List } from './page.ts';
import { images } from './tables.ts';

export type CollectionField = 'NAME' | 'CREATED_AT';

export const collectionOrders: Orders<CollectionField> = {
  name: 'collection',
  usual: { field: 'NAME', direction: 'ASC' },
  keys: {
    NAME: byColumns(gallerySets.name, gallerySets.id),
    CREATED_AT: byColumns(gallerySets.createdAt, gallerySets.id),
  },
};

export function collectionList(orderBy?: OrderBy<CollectionField> | null): List<GallerySetRow> {
  return { table: gallerySets, order: orderOf(collectionOrders, orderBy), where: eq(gallerySets.kind, 'collection') };
}

export function setsByIds(db: Db, ids: readonly number[]): Promise<GallerySetRow[]> {
  return db
    .select()
    .from(gallerySets)
    .where(inArray(gallerySets.id, [...ids]));
}

/** A collection by its slug or its id as text. */
export async function findCollection(db: Db, text: string): Promise<GallerySetRow | undefined> {
  const isNamed = isSetId(text)
    ? sql`(${eq(gallerySets.slug, text)} or ${eq(gallerySets.id, Number(text))})`
    : eq(gallerySets.slug, text);
  const [row] = await db
    .select()
    .from(gallerySets)
    .where(and(eq(gallerySets.kind, 'collection'), isNamed));
  return row;
}

/** Undefined where there is one of the kind with this slug. */
export async function insertSet(
  db: Db,
  set: Pick<typeof gallerySets.$inferInsert, 'kind' | 'slug' | 'name' | 'description'>,
): Promise<GallerySetRow | undefined> {
  const [row] = await db
    .insert(gallerySets)
    .values(set)
    .onConflictDoNothing({ target: [gallerySets.kind, gallerySets.slug] })
    .returning();
  return row;
}

export async function updateSet(
  db: Db,
  id: number,
  { name, description }: Pick<GallerySetRow, 'name' | 'description'>,
): Promise<void> {
  await db.update(gallerySets).set({ name, description }).where(eq(gallerySets.id, id));
}

/** With its entries; the pictures stay. */
export async function deleteSet(tx: Db, id: number): Promise<void> {
  await tx.delete(galleryEntries).where(eq(galleryEntries.setId, id));
  await tx.delete(gallerySets).where(eq(gallerySets.id, id));
}

/** Rows for all of these tags: what is known keeps its spelling. @returns their ids */
export async function upsertTags(tx: Db, tags: ReadonlyMap<string, string>): Promise<number[]> {
  if (tags.size === 0) return [];
  const values = [...tags].map(([slug, name]) => ({ kind: 'tag' as const, slug, name }));
  await tx
    .insert(gallerySets)
    .values(values)
    .onConflictDoNothing({ target: [gallerySets.kind, gallerySets.slug] });
  return tagIds(tx, [...tags.keys()]);
}

export async function tagIds(db: Db, slugs: readonly string[]): Promise<number[]> {
  const rows = await db
    .select({ id: gallerySets.id })
    .from(gallerySets)
    .where(and(eq(gallerySets.kind, 'tag'), inArray(gallerySets.slug, [...slugs])));
  return rows.map(({ id }) => id);
}

/** Puts pictures into sets; those that are in one stay there. `numbers`: images.n */
export async function addToSets(tx: Db, sets: readonly number[], numbers: readonly number[]): Promise<void> {
  if (sets.length === 0 || numbers.length === 0) return;
  const e = galleryEntries;
  await tx.execute(sql`
    insert into ${e} (set_id, n, kept_at, seed, cell, model, artist, style, genre)
    select wanted.id, ${e.n}, ${e.keptAt}, ${e.seed}, ${e.cell}, ${e.model}, ${e.artist}, ${e.style}, ${e.genre}
    from ${e} cross join unnest(${sql.param([...sets])}::int[]) as wanted (id)
    where ${e.setId} = ${WHOLE_GALLERY} and ${inArray(e.n, [...numbers])}
    on conflict do nothing`);
}

export async function removeFromSets(tx: Db, sets: readonly number[], numbers: readonly number[]): Promise<void> {
  await tx
    .delete(galleryEntries)
    .where(and(inArray(galleryEntries.setId, [...sets]), inArray(galleryEntries.n, [...numbers])));
}

/** A tag is there as long as a picture has it. */
export async function dropUnusedTags(tx: Db): Promise<void> {
  const isUsed = sql`exists (select 1 from ${galleryEntries} where ${galleryEntries.setId} = ${gallerySets.id})`;
  await tx.delete(gallerySets).where(and(eq(gallerySets.kind, 'tag'), sql`not ${isUsed}`));
}

export interface SetsOfImage {
  readonly isFavourite: boolean;
  /** Tags and collections, by name. */
  readonly sets: readonly GallerySetRow[];
}

/** What each of these pictures is in, by its id; those that are in nothing are absent. */
export async function setsOfImages(db: Db, ids: readonly string[]): Promise<Map<string, SetsOfImage>> {
  const rows = await db
    .select({ imageId: images.id, setId: galleryEntries.setId, set: gallerySets })
    .from(images)
    .innerJoin(galleryEntries, and(eq(galleryEntries.n, images.n), gt(galleryEntries.setId, WHOLE_GALLERY)))
    .leftJoin(gallerySets, eq(gallerySets.id, galleryEntries.setId))
    .where(inArray(images.id, [...ids]))
    .orderBy(gallerySets.name, gallerySets.id);
  const found = new Map<string, SetsOfImage>();
  for (const { imageId, setId, set } of rows) {
    const { isFavourite, sets } = found.get(imageId) ?? { isFavourite: false, sets: [] };
    const others = set === null ? sets : [...sets, set];
    found.set(imageId, { isFavourite: isFavourite || setId === FAVOURITES, sets: others });
  }
  return found;
}
