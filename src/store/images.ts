/** The gallery: pictures that somebody kept. The id of a row is the picture's recipe. */
import { inArray, sql } from 'drizzle-orm';
import type { Db } from './db.ts';
import { EVERYTHING, type PickedImages } from './gallery-filter.ts';
import { galleryEntries } from './gallery-tables.ts';
import { conditionsOf, type GalleryParent, wayOf } from './gallery-way.ts';
import { byColumns, type OrderBy, type Orders, orderOf } from './order.ts';
import { type List, type NestedList, nestedName } from './page.ts';
import { type ImageRow, images, runEvents } from './tables.ts';
import { appendEntry, IMAGES_TOPIC } from './topic-log.ts';

export type ImageField = 'KEPT_AT';

export const imageOrders: Orders<ImageField> = {
  name: 'image',
  usual: { field: 'KEPT_AT', direction: 'DESC' },
  keys: { KEPT_AT: byColumns(galleryEntries.keptAt, galleryEntries.n) },
};

/** Any number, the same in every server and in the triggers of the gallery. */
const GALLERY_LOCK = 728_364_504;

/** `picked`: null where no picture can be meant. */
export function imageList(
  picked: PickedImages | null = EVERYTHING,
  orderBy?: OrderBy<ImageField> | null,
): List<ImageRow> {
  const order = orderOf(imageOrders, orderBy);
  if (picked === null) return { table: images, order, ...NOTHING };
  return { table: images, order, where: conditionsOf(picked), way: wayOf(picked) };
}

/** The kept pictures of each label of a kind, or of each collection. */
export function imagesOf(
  kind: GalleryParent,
  picked: PickedImages | null = EVERYTHING,
  orderBy?: OrderBy<ImageField> | null,
): NestedList<ImageRow> {
  const list = { table: images, order: orderOf(imageOrders, orderBy), name: nestedName(kind, picked, orderBy) };
  if (picked === null) return { ...list, ...NOTHING, of: () => sql`false` };
  return { ...list, of: (parent) => conditionsOf(picked, kind, parent) ?? sql`true`, way: wayOf(picked, kind) };
}

const NOTHING = { where: sql`false`, way: { entries: galleryEntries, id: images.n, counted: () => sql`0` } };

/** A transaction that has the gallery to itself: whatever it reads of the gallery stays true until its end. */
export function inGallery<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${GALLERY_LOCK})`);
    return work(tx);
  });
}

/** Keeps pictures; one that is kept already stays as it is. @returns the rows in the order asked for. */
export async function keepImages(db: Db, rows: readonly Omit<typeof images.$inferInsert, 'n'>[]): Promise<ImageRow[]> {
  if (rows.length === 0) return [];
  // In the order of ids, so that those of one moment are listed in it.
  const values = rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  await inGallery(db, async (tx) => {
    const added = await tx
      .insert(images)
      .values(values)
      .onConflictDoNothing({ target: images.id })
      .returning({ imageId: images.id });
    await appendEntry(tx, IMAGES_TOPIC, ...added);
  });
  const ids = rows.map(({ id }) => id);
  const kept = new Map((await imagesByIds(db, ids)).map((row) => [row.id, row]));
  return ids.flatMap((id) => kept.get(id) ?? []);
}

export function imagesByIds(db: Db, ids: readonly string[]): Promise<ImageRow[]> {
  return db
    .select()
    .from(images)
    .where(inArray(images.id, [...ids]));
}

/** By images.n, in that order. */
export function imagesByNumbers(db: Db, numbers: readonly number[]): Promise<ImageRow[]> {
  return db
    .select()
    .from(images)
    .where(inArray(images.n, [...numbers]))
    .orderBy(images.n);
}

/** Takes pictures out of the gallery, out of all sets. @returns the rows that were there */
export function deleteImages(db: Db, ids: readonly string[]): Promise<ImageRow[]> {
  return inGallery(db, async (tx) => {
    const rows = await imagesByIds(tx, ids);
    const numbers = rows.map(({ n }) => n);
    // Entries first: all at once, where the foreign key would take them one by one.
    await tx.delete(galleryEntries).where(inArray(galleryEntries.n, numbers));
    await tx.delete(images).where(inArray(images.n, numbers));
    return rows;
  });
}

/** Those of the files that no picture and no grid of a run is. */
export async function unusedFiles(db: Db, sha256s: readonly string[]): Promise<string[]> {
  const wanted = [...new Set(sha256s)];
  if (wanted.length === 0) return [];
  const kept = db.select({ sha256: images.sha256 }).from(images).where(inArray(images.sha256, wanted));
  const sha256 = sql<string>`${runEvents.body} ->> 'sha256'`;
  const grids = db
    .select({ sha256 })
    .from(runEvents)
    .where(sql`${runEvents.type} = 'sample' and ${inArray(sha256, wanted)}`);
  const used = new Set((await kept.unionAll(grids)).map((row) => row.sha256));
  return wanted.filter((file) => !used.has(file));
}
