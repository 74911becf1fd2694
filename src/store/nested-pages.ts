/**
 * First pages of many parents in one statement each: what a connection inside a list needs, so that the number of
 * statements does not grow with the length of the list. Pages after the first are read one by one (page.ts).
 */
import { and, eq, inArray, isNotNull, lte, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { LabelKind } from '../core/labels.ts';
import { checkedFirst, type Page, pageOf } from '../core/paging.ts';
import { byFile } from './datasets.ts';
import type { Db } from './db.ts';
import { imageLabel, newestImages } from './images.ts';
import { labelColumn } from './labels.ts';
import { cursorOf, type Order } from './page.ts';
import { type ArtworkRow, artworks, type ImageRow, images } from './tables.ts';

/** The works of each of these labels of one kind. */
export async function artworkPagesOfLabels(
  db: Db,
  { kind, ids, first }: { readonly kind: LabelKind; readonly ids: readonly string[]; readonly first: number },
): Promise<Map<string, Page<ArtworkRow>>> {
  const parent = labelColumn[kind];
  const ranked = db
    .select({ id: artworks.id, place: placeWithin(parent, [artworks.file, artworks.id], 'asc').as('place') })
    .from(artworks)
    .where(inArray(parent, [...ids]))
    .as('ranked');
  const rows = await db
    .select({ row: artworks, parent })
    .from(artworks)
    .innerJoin(ranked, eq(artworks.id, ranked.id))
    .where(and(lte(ranked.place, checkedFirst(first) + 1), isNotNull(parent)))
    .orderBy(artworks.file, artworks.id);
  return pagesOf(rows, { ids, first, order: byFile });
}

/** The kept pictures of each of these labels of one kind. */
export async function imagePagesOfLabels(
  db: Db,
  { kind, ids, first }: { readonly kind: LabelKind; readonly ids: readonly string[]; readonly first: number },
): Promise<Map<string, Page<ImageRow>>> {
  const parent = imageLabel[kind];
  const ranked = db
    .select({ id: images.id, place: placeWithin(parent, [images.keptAt, images.id], 'desc').as('place') })
    .from(images)
    .where(inArray(parent, [...ids]))
    .as('ranked');
  const rows = await db
    .select({ row: images, parent })
    .from(images)
    .innerJoin(ranked, eq(images.id, ranked.id))
    .where(and(lte(ranked.place, checkedFirst(first) + 1), isNotNull(parent)))
    .orderBy(sql`${images.keptAt} desc`, sql`${images.id} desc`);
  return pagesOf(rows, { ids, first, order: newestImages });
}

export function placeWithin(parent: PgColumn, columns: readonly PgColumn[], direction: 'asc' | 'desc'): SQL<number> {
  const order = sql.join(
    columns.map((column) => sql`${column} ${sql.raw(direction)}`),
    sql`, `,
  );
  return sql<number>`row_number() over (partition by ${parent} order by ${order})`.mapWith(Number);
}

export interface Grouping<Row> {
  readonly ids: readonly string[];
  readonly first: number;
  readonly order: Order<Row>;
}

export function pagesOf<Row>(
  rows: readonly { readonly row: Row; readonly parent: string | null }[],
  { ids, first, order }: Grouping<Row>,
): Map<string, Page<Row>> {
  const byParent = new Map<string, Row[]>(ids.map((id) => [id, []]));
  for (const { row, parent } of rows) if (parent !== null) byParent.get(parent)?.push(row);
  return new Map([...byParent].map(([id, found]) => [id, pageOf(found, { first }, (row) => cursorOf(order, row))]));
}
