/** Works of collections, as lists. */
import { and, eq, gte, lte, type SQL, sql } from 'drizzle-orm';
import type { LabelKind } from '../core/labels.ts';
import { type Asked, contains, datasetNamed, given, labelNamed } from './conditions.ts';
import { labelColumn } from './labels.ts';
import { byColumns, nullsLast, type OrderBy, type Orders, orderOf } from './order.ts';
import { type List, type NestedList, nestedName } from './page.ts';
import { type ArtworkRow, artworks } from './tables.ts';

export interface ArtworkFilter {
  /** Contained in the title. */
  readonly title?: Asked<string>;
  /** These by slug or id. */
  readonly artist?: Asked<string>;
  readonly style?: Asked<string>;
  readonly genre?: Asked<string>;
  readonly dataset?: Asked<string>;
  /** Both ends included. */
  readonly yearFrom?: Asked<number>;
  readonly yearTo?: Asked<number>;
}

export type ArtworkField = 'FILE' | 'TITLE' | 'YEAR';

export const artworkOrders: Orders<ArtworkField> = {
  name: 'artwork',
  usual: { field: 'FILE', direction: 'ASC' },
  keys: {
    FILE: byColumns(artworks.file, artworks.id),
    TITLE: nullsLast(artworks.title, artworks.id),
    YEAR: nullsLast(artworks.year, artworks.id),
  },
};

export function artworkList(filter: ArtworkFilter = {}, orderBy?: OrderBy<ArtworkField> | null): List<ArtworkRow> {
  return { table: artworks, order: orderOf(artworkOrders, orderBy), where: conditionOf(filter) };
}

/** The works of each label of a kind. */
export function artworksOfLabels(
  kind: LabelKind,
  filter: ArtworkFilter = {},
  orderBy?: OrderBy<ArtworkField> | null,
): NestedList<ArtworkRow> {
  return {
    ...artworkList(filter, orderBy),
    name: nestedName('artworksOfLabels', kind, filter, orderBy),
    of: (labelId) => sql`${labelColumn[kind]} = ${labelId}`,
  };
}

function conditionOf({ title, artist, style, genre, dataset, yearFrom, yearTo }: ArtworkFilter): SQL | undefined {
  return and(
    given(title, (text) => contains(artworks.title, text)),
    given(artist, (text) => eq(artworks.artistId, labelNamed('artist', text))),
    given(style, (text) => eq(artworks.styleId, labelNamed('style', text))),
    given(genre, (text) => eq(artworks.genreId, labelNamed('genre', text))),
    given(dataset, (text) => eq(artworks.datasetId, datasetNamed(text))),
    given(yearFrom, (year) => gte(artworks.year, year)),
    given(yearTo, (year) => lte(artworks.year, year)),
  );
}
