/** Loaders of the gallery: filters whose names are looked up once, and facets of all lists of an operation at once. */
import DataLoader from 'dataloader';
import type { Db } from '../store/db.ts';
import { type Facet, type FacetQuery, type FacetValue, facetsOf } from '../store/gallery-facets.ts';
import { type ImageFilter, isSetId, type PickedImages, pickImages } from '../store/gallery-filter.ts';
import { setsByIds, setsOfImages } from '../store/gallery-sets.ts';
import type { GallerySetRow } from '../store/gallery-tables.ts';

/** The list of the gallery that facets are asked of: `id` is its parent's. */
export interface GalleryScope extends Pick<FacetQuery, 'picked' | 'kind'> {
  readonly id: string;
}

export interface FacetKey extends GalleryScope {
  readonly facet: Facet;
  readonly first: number;
}

const NOTHING = { isFavourite: false, sets: [] };

export function galleryLoaders(db: Db) {
  return {
    pickedImages: new DataLoader<ImageFilter, PickedImages | null, string>(
      (filters) => Promise.all(filters.map((filter) => pickImages(db, filter))),
      { cacheKeyFn: (filter) => JSON.stringify(filter) },
    ),
    setsOfImage: new DataLoader(async (ids: readonly string[]) => {
      const found = await setsOfImages(db, [...new Set(ids)]);
      return ids.map((id) => found.get(id) ?? NOTHING);
    }),
    /** A tag or a collection by its id as text. */
    gallerySet: new DataLoader<string, GallerySetRow | undefined>(async (ids) => {
      const rows = await setsByIds(db, [...new Set(ids)].filter(isSetId).map(Number));
      const found = new Map(rows.map((row) => [String(row.id), row]));
      return ids.map((id) => found.get(id));
    }),
    facet: new DataLoader<FacetKey, readonly FacetValue[], string>((keys) => readFacets(db, keys), {
      cacheKeyFn: (key) => JSON.stringify([listOf(key), key.id, key.facet, key.first]),
    }),
  };
}

const listOf = ({ picked, kind }: FacetKey) => JSON.stringify([picked, kind]);

/** Lists of one filter together, whatever of them is asked for. */
async function readFacets(db: Db, keys: readonly FacetKey[]): Promise<(readonly FacetValue[])[]> {
  const lists = new Map<string, FacetKey[]>();
  for (const key of keys) lists.set(listOf(key), [...(lists.get(listOf(key)) ?? []), key]);
  const read = new Map<string, Awaited<ReturnType<typeof facetsOf>>>();
  await Promise.all(
    [...lists].map(async ([list, theirs]) => {
      const [like] = theirs;
      if (like === undefined) return;
      const facets = [...new Set(theirs.map(({ facet }) => facet))];
      const ids = [...new Set(theirs.map(({ id }) => id))];
      const first = Math.max(...theirs.map((key) => key.first));
      read.set(list, await facetsOf(db, { ...like, facets, first }, ids));
    }),
  );
  return keys.map((key) => read.get(listOf(key))?.get(key.id)?.get(key.facet)?.slice(0, key.first) ?? []);
}
