/** The gallery: pictures that somebody kept. The id of a row is the picture's recipe. */
import { count, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { LabelKind } from '../core/labels.ts';
import type { Page, PageRequest } from '../core/paging.ts';
import type { Db } from './db.ts';
import { type Order, type PageQuery, readPage } from './page.ts';
import { type ImageRow, images } from './tables.ts';

export interface ImageFilter {
  readonly label?: { readonly kind: LabelKind; readonly id: string } | undefined;
}

export const newestImages: Order<ImageRow> = {
  name: 'image',
  direction: 'desc',
  columns: [images.keptAt, images.id],
  keysOf: ({ keptAt, id }) => [keptAt, id],
};
export const imageLabel = { artist: images.artistId, style: images.styleId, genre: images.genreId } as const;

/** Keeps pictures; one that is kept already stays as it is. @returns the rows in the order asked for. */
export async function keepImages(db: Db, rows: readonly (typeof images.$inferInsert)[]): Promise<ImageRow[]> {
  if (rows.length === 0) return [];
  // Always in the same order: two writers that each wait for a picture of the other would be ended as a deadlock.
  const values = rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  await db.insert(images).values(values).onConflictDoNothing({ target: images.id });
  const ids = rows.map(({ id }) => id);
  const kept = new Map((await imagesByIds(db, ids)).map((row) => [row.id, row]));
  return ids.flatMap((id) => kept.get(id) ?? []);
}

export function imagePage(db: Db, page: PageRequest, filter: ImageFilter = {}): Promise<Page<ImageRow>> {
  const select = ({ where, orderBy, limit }: PageQuery) =>
    db
      .select()
      .from(images)
      .where(where)
      .orderBy(...orderBy)
      .limit(limit);
  return readPage(newestImages, page, select, imageCondition(filter));
}

export async function imageCount(db: Db, filter: ImageFilter = {}): Promise<number> {
  const [row] = await db.select({ count: count() }).from(images).where(imageCondition(filter));
  return row?.count ?? 0;
}

export function imagesByIds(db: Db, ids: readonly string[]): Promise<ImageRow[]> {
  return db
    .select()
    .from(images)
    .where(inArray(images.id, [...ids]));
}

/** Kept pictures per label; labels without any are absent. */
export async function imageCounts(db: Db, labelIds: readonly string[]): Promise<Map<string, number>> {
  const ids = [...labelIds];
  const counted = (column: (typeof imageLabel)[LabelKind]) =>
    db
      .select({ id: sql<string>`${column}`.as('id'), pictures: count().as('pictures') })
      .from(images)
      .where(inArray(column, ids))
      .groupBy(column);
  const rows = await counted(images.artistId).unionAll(counted(images.styleId)).unionAll(counted(images.genreId));
  return new Map(rows.map(({ id, pictures }) => [id, pictures]));
}

function imageCondition({ label }: ImageFilter): SQL | undefined {
  return label === undefined ? undefined : eq(imageLabel[label.kind], label.id);
}
