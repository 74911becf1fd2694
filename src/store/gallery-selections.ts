/** Selections: a model, an artist, a style, a genre, each given or any. How they are named in SQL, and how often they occur. */
import { type SQL, sql } from 'drizzle-orm';
import { LABEL_KINDS } from '../core/labels.ts';
import { galleryCounts, gallerySelections } from './gallery-tables.ts';

export const DIMENSIONS = ['model', ...LABEL_KINDS] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Ids, or what they are in a statement. */
export type Given = { readonly [D in Dimension]?: SQL | string };

/** The id of the selection of exactly these; null where no picture has them. */
export function selectionOf({ model, artist, style, genre }: Given): SQL {
  const parts = [model, artist, style, genre].map((id) => sql`${id ?? null}::text`);
  const key = sql`gallery_key(${sql.join(parts, sql`, `)})`;
  return sql`(select ${gallerySelections.id} from ${gallerySelections} where ${gallerySelections.key} = ${key})`;
}

const BITS: Readonly<Record<Dimension, number>> = { model: 1, artist: 2, style: 4, genre: 8 };

/** As gallery_selections.givens has it. */
export const givensOf = (dimensions: readonly Dimension[]) =>
  dimensions.reduce((bits, dimension) => bits | BITS[dimension], 0);

export const dimensionsOf = (labelIds: Given) => DIMENSIONS.filter((dimension) => labelIds[dimension] !== undefined);

export const selectionColumn = {
  model: gallerySelections.modelId,
  artist: gallerySelections.artistId,
  style: gallerySelections.styleId,
  genre: gallerySelections.genreId,
} as const satisfies Record<Dimension, unknown>;

/** Pictures of a set that a selection has. */
export function countIn(set: SQL, selection: SQL): SQL {
  return sql`coalesce((select ${galleryCounts.pictures} from ${galleryCounts}
    where ${galleryCounts.setId} = ${set} and ${galleryCounts.selection} = ${selection}), 0)`;
}
