/**
 * What the gallery is looked through by. Beside its row in `images` each picture has an entry in every set that it is in: the
 * whole gallery, the favourites, its tags, its collections. Entries hold all that pages are found by, so that every filter
 * has an index in the order of the pages; triggers (in migrations/0003) write those of the whole gallery, and count.
 */
import { sql } from 'drizzle-orm';
import {
  type AnyPgColumn,
  bigint,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { createdAt, labels, models, moment } from './tables.ts';

/** Sets that have no row of their own. */
export const WHOLE_GALLERY = 0;
export const FAVOURITES = 1;
const FIRST_SET = 10;

export const SET_KINDS = ['tag', 'collection'] as const;
export type SetKind = (typeof SET_KINDS)[number];

/** Tags and collections. */
export const gallerySets = pgTable(
  'gallery_sets',
  {
    id: integer('id').primaryKey().generatedAlwaysAsIdentity({ startWith: FIRST_SET }),
    kind: text('kind', { enum: SET_KINDS }).notNull(),
    slug: text('slug').notNull(),
    name: text('name').notNull(),
    description: text('description'),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('gallery_sets_slug').on(t.kind, t.slug),
    index('gallery_sets_name').on(t.kind, t.name, t.id),
    index('gallery_sets_created').on(t.kind, t.createdAt, t.id),
  ],
);

const labelRef = (name: string) => text(name).references((): AnyPgColumn => labels.id);

/** A model, an artist, a style, a genre, each given or any: what pictures are looked for by. Made as pictures need them. */
export const gallerySelections = pgTable(
  'gallery_selections',
  {
    id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
    /** gallery_key() of the four: an index finds it although some of them are null. */
    key: uuid('key').notNull(),
    /** Which of them are given: 1 model, 2 artist, 4 style, 8 genre. */
    givens: smallint('givens').notNull(),
    modelId: text('model_id').references(() => models.id),
    artistId: labelRef('artist_id'),
    styleId: labelRef('style_id'),
    genreId: labelRef('genre_id'),
    /** Where pictures have exactly these: of every choice of `givens` among them, counted from 0, its selection. */
    parts: integer('parts').array(),
  },
  (t) => [
    uniqueIndex('gallery_selections_key').on(t.key),
    index('gallery_selections_model').on(t.givens, t.modelId),
    index('gallery_selections_artist').on(t.givens, t.artistId),
    index('gallery_selections_style').on(t.givens, t.styleId),
    index('gallery_selections_genre').on(t.givens, t.genreId),
    // What pictures of a selection have exactly.
    index('gallery_selections_parts').using('gin', t.parts),
  ],
);

export const galleryEntries = pgTable(
  'gallery_entries',
  {
    setId: integer('set_id').notNull(),
    /** images.n, which is a foreign key by the migration's own SQL: it goes with its picture. */
    n: bigint('n', { mode: 'number' }).notNull(),
    /** As the picture's row says. */
    keptAt: moment('kept_at').notNull(),
    seed: bigint('seed', { mode: 'number' }).notNull(),
    /** The selection of exactly what the picture has. */
    cell: integer('cell').notNull(),
    /** The selections of one each. */
    model: integer('model').notNull(),
    artist: integer('artist'),
    style: integer('style'),
    genre: integer('genre'),
  },
  (t) => [
    primaryKey({ columns: [t.setId, t.n] }),
    index('gallery_entries_kept').on(t.setId, t.keptAt, t.n),
    index('gallery_entries_model').on(t.setId, t.model, t.keptAt, t.n),
    index('gallery_entries_artist').on(t.setId, t.artist, t.keptAt, t.n),
    index('gallery_entries_style').on(t.setId, t.style, t.keptAt, t.n),
    index('gallery_entries_genre').on(t.setId, t.genre, t.keptAt, t.n),
    index('gallery_entries_cell').on(t.setId, t.cell, t.keptAt, t.n),
    index('gallery_entries_seed').on(t.setId, t.seed, t.keptAt, t.n),
    // The sets of a picture.
    index('gallery_entries_sets').on(t.n, t.setId),
  ],
);

/** How many pictures of a set a selection has; none: no row. */
export const galleryCounts = pgTable(
  'gallery_counts',
  {
    setId: integer('set_id').notNull(),
    selection: integer('selection')
      .notNull()
      .references(() => gallerySelections.id),
    pictures: integer('pictures').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.selection, t.setId] }),
    // What facets read, without the table.
    index('gallery_counts_set').on(t.setId, t.selection, t.pictures),
    check('gallery_counts_pictures', sql`${t.pictures} > 0`),
  ],
);

/** The same, of each day (in UTC, counted from 1970) on which pictures were kept; for no label or one. */
export const galleryDays = pgTable(
  'gallery_days',
  {
    setId: integer('set_id').notNull(),
    selection: integer('selection')
      .notNull()
      .references(() => gallerySelections.id),
    day: integer('day').notNull(),
    pictures: integer('pictures').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.setId, t.selection, t.day] }),
    check('gallery_days_pictures', sql`${t.pictures} > 0`),
  ],
);

/** What exportImages was asked for, by the address that it gave. */
export const galleryExports = pgTable(
  'gallery_exports',
  {
    id: text('id').primaryKey(),
    /** A GalleryExport (gallery-exports.ts). */
    request: jsonb('request').notNull(),
    createdAt: createdAt(),
  },
  (t) => [index('gallery_exports_created').on(t.createdAt)],
);

export type GallerySetRow = typeof gallerySets.$inferSelect;
