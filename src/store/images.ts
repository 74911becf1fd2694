/** The gallery: pictures that somebody kept. The id of a row is the picture's recipe. */
import { and, eq, gte, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { LabelKind } from '../core/labels.ts';
import { type Asked, given, labelNamed, momentOf } from './conditions.ts';
import type { Db } from './db.ts';
import { byColumns, type OrderBy, type Orders, orderOf } from './order.ts';
import { type List, type NestedList, nestedName } from './page.ts';
import { type ImageRow, images } from './tables.ts';
import { appendEntry, IMAGES_TOPIC } from './topic-log.ts';

export interface ImageFilter {
  /** Asked for by these: each by slug or id. */
  readonly artist?: Asked<string>;
  readonly style?: Asked<string>;
  readonly genre?: Asked<string>;
  /** Its id. */
  readonly model?: Asked<string>;
  /** At this moment or later. */
  readonly keptAfter?: Asked<Date>;
  /** Earlier than this moment. */
  readonly keptBefore?: Asked<Date>;
}

export type ImageField = 'KEPT_AT';

export const imageOrders: Orders<ImageField> = {
  name: 'image',
  usual: { field: 'KEPT_AT', direction: 'DESC' },
  keys: { KEPT_AT: byColumns(images.keptAt, images.id) },
};

const imageLabel = { artist: images.artistId, style: images.styleId, genre: images.genreId } as const;

export function imageList(filter: ImageFilter = {}, orderBy?: OrderBy<ImageField> | null): List<ImageRow> {
  return { table: images, order: orderOf(imageOrders, orderBy), where: conditionOf(filter) };
}

/** The kept pictures of each label of a kind. */
export function imagesOfLabels(
  kind: LabelKind,
  filter: ImageFilter = {},
  orderBy?: OrderBy<ImageField> | null,
): NestedList<ImageRow> {
  return {
    ...imageList(filter, orderBy),
    name: nestedName('imagesOfLabels', kind, filter, orderBy),
    of: (labelId) => sql`${imageLabel[kind]} = ${labelId}`,
  };
}

/** Keeps pictures; one that is kept already stays as it is. @returns the rows in the order asked for. */
export async function keepImages(db: Db, rows: readonly (typeof images.$inferInsert)[]): Promise<ImageRow[]> {
  if (rows.length === 0) return [];
  // Always in the same order: two writers that each wait for a picture of the other would be ended as a deadlock.
  const values = rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  await db.transaction(async (tx) => {
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

function conditionOf({ artist, style, genre, model, keptAfter, keptBefore }: ImageFilter): SQL | undefined {
  return and(
    given(artist, (text) => eq(images.artistId, labelNamed('artist', text))),
    given(style, (text) => eq(images.styleId, labelNamed('style', text))),
    given(genre, (text) => eq(images.genreId, labelNamed('genre', text))),
    given(model, (id) => eq(images.modelId, id)),
    given(keptAfter, (date) => gte(images.keptAt, momentOf(date))),
    given(keptBefore, (date) => lt(images.keptAt, momentOf(date))),
  );
}
