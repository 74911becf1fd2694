/** Exports of the gallery that were asked for: what their addresses stand for. */
import { randomUUID } from 'node:crypto';
import { eq, lt, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Db } from './db.ts';
import type { PickedImages } from './gallery-filter.ts';
import { galleryExports } from './gallery-tables.ts';

/** Pictures by images.n, or those of a filter. */
export type GalleryExport = { readonly numbers: readonly number[] } | { readonly picked: PickedImages };

const date = z.iso
  .datetime()
  .transform((text) => new Date(text))
  .optional();
const stored = z.union([
  z.object({ numbers: z.array(z.int()) }),
  z.object({
    picked: z.object({
      sets: z.array(z.int()),
      notFavourites: z.boolean(),
      labels: z.object({ model: z.string(), artist: z.string(), style: z.string(), genre: z.string() }).partial(),
      seeds: z.array(z.int()).optional(),
      keptAfter: date,
      keptBefore: date,
    }),
  }),
]);

/** Longer than any signed address is good for. */
const KEPT_DAYS = 30;

/** @returns its id */
export async function insertExport(db: Db, request: GalleryExport): Promise<string> {
  const id = randomUUID();
  await db.delete(galleryExports).where(lt(galleryExports.createdAt, sql`now() - ${KEPT_DAYS} * interval '1 day'`));
  await db.insert(galleryExports).values({ id, request });
  return id;
}

export async function exportById(db: Db, id: string): Promise<GalleryExport | undefined> {
  const [row] = await db.select().from(galleryExports).where(eq(galleryExports.id, id));
  const found = row === undefined ? undefined : stored.parse(row.request);
  if (found === undefined || 'numbers' in found) return found;
  const { labels, seeds, keptAfter, keptBefore, ...picked } = found.picked;
  const given = Object.fromEntries(Object.entries(labels).filter(([, id]) => id !== undefined));
  return { picked: { ...picked, labels: given, seeds, keptAfter, keptBefore } };
}
