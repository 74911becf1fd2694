/**
 * From a filter to the entries of the gallery: every one has an index that holds its pictures in the order of the pages, or a
 * few hundred ranges of one; and mostly it is known how many there are.
 */
import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { LabelKind } from '../core/labels.ts';
import { given, momentOf } from './conditions.ts';
import type { PickedImages } from './gallery-filter.ts';
import { countIn, dimensionsOf, type Given, selectionOf } from './gallery-selections.ts';
import { FAVOURITES, galleryDays, galleryEntries, gallerySelections, WHOLE_GALLERY } from './gallery-tables.ts';
import type { Ranges, Way } from './page.ts';
import { images } from './tables.ts';

/** What the pictures of a list have in common with a row that the list hangs on. */
export type GalleryParent = LabelKind | 'collection';

/** A picked filter with what the parent adds: its id is `parent`. */
export interface Scope {
  readonly set: SQL;
  readonly labels: Given;
}

export function scopeOf({ sets, labels: picked }: PickedImages, kind?: GalleryParent, parent?: SQL): Scope {
  if (kind === 'collection' && parent !== undefined) return { set: sql`${parent}::int`, labels: picked };
  const set = sql`${sets[0] ?? WHOLE_GALLERY}::int`;
  return kind === undefined || parent === undefined
    ? { set, labels: picked }
    : { set, labels: { ...picked, [kind]: parent } };
}

/** What entries must have, beside what `wayOf` says. */
export function conditionsOf(picked: PickedImages, kind?: GalleryParent, parent?: SQL): SQL | undefined {
  const { set, labels: asked } = scopeOf(picked, kind, parent);
  const other = kind === undefined || kind === 'collection' ? undefined : picked.labels[kind];
  const byColumns = rangesOf(picked, kind) === 'cells' ? [] : dimensionsOf(asked);
  return and(
    eq(galleryEntries.setId, set),
    ...byColumns.map((dimension) => eq(galleryEntries[dimension], selectionOf({ [dimension]: asked[dimension] }))),
    given(other, (id) => sql`${parent} = ${id}`),
    picked.seeds?.length === 1 ? eq(galleryEntries.seed, picked.seeds[0] ?? 0) : undefined,
    picked.seeds?.length === 0 ? sql`false` : undefined,
    given(picked.keptAfter, (date) => gte(galleryEntries.keptAt, momentOf(date))),
    given(picked.keptBefore, (date) => lt(galleryEntries.keptAt, momentOf(date))),
  );
}

/** Being in several sets at once. */
function sieveOf(picked: PickedImages, kind: GalleryParent | undefined): SQL | undefined {
  const others = kind === 'collection' ? picked.sets : picked.sets.slice(1);
  return and(...others.map((id) => isIn(id)), picked.notFavourites ? sql`not ${isIn(FAVOURITES)}` : undefined);
}

const also = alias(galleryEntries, 'also');

function isIn(set: number): SQL {
  return sql`exists (select 1 from ${galleryEntries} as also where ${also.setId} = ${set} and ${also.n} = ${galleryEntries.n})`;
}

/** Two labels have no index together, but those pictures that have exactly the same labels have: there are some hundred such. */
function rangesOf(picked: PickedImages, kind: GalleryParent | undefined): 'seeds' | 'cells' | undefined {
  const dimensions = new Set<string>(dimensionsOf(picked.labels));
  if (kind !== undefined && kind !== 'collection') dimensions.add(kind);
  if (picked.seeds !== undefined) return picked.seeds.length > 1 ? 'seeds' : undefined;
  return dimensions.size > 1 ? 'cells' : undefined;
}

export function wayOf(picked: PickedImages, kind?: GalleryParent): Way {
  const common = {
    entries: galleryEntries,
    id: images.n,
    counted: countedBy(picked, kind),
    sieve: sieveOf(picked, kind),
  };
  const ranges = rangesOf(picked, kind);
  if (ranges === undefined) return common;
  return { ...common, ranges: ranges === 'seeds' ? seedRanges(picked) : cellRanges(picked, kind) };
}

function seedRanges({ seeds }: PickedImages): Ranges {
  const all = JSON.stringify([...new Set(seeds)]);
  return {
    of: () => sql`select value::bigint as range_id from jsonb_array_elements_text(${all}::jsonb)`,
    within: (range) => sql`${galleryEntries.seed} = ${range}`,
  };
}

function cellRanges(picked: PickedImages, kind: GalleryParent | undefined): Ranges {
  return {
    of: (parent) => sql`select ${gallerySelections.id} as range_id from ${gallerySelections}
      where ${gallerySelections.parts} @> array[${selectionOf(scopeOf(picked, kind, parent).labels)}]`,
    within: (range) => sql`${galleryEntries.cell} = ${range}`,
  };
}

/** Whether labels are all that is asked for beside one set: of these it is known how many pictures there are. */
export function isPlain(picked: PickedImages, kind: GalleryParent | undefined): boolean {
  const { seeds, keptAfter, keptBefore, labels: asked } = picked;
  const isOther = kind !== undefined && kind !== 'collection' && asked[kind] !== undefined;
  return (seeds ?? keptAfter ?? keptBefore) === undefined && setsIn(picked, kind) <= 1 && !isOther;
}

const setsIn = ({ sets }: PickedImages, kind: GalleryParent | undefined) =>
  sets.length + (kind === 'collection' ? 1 : 0);

function countedBy(picked: PickedImages, kind: GalleryParent | undefined): Way['counted'] {
  const { notFavourites, keptAfter, keptBefore } = picked;
  if (notFavourites && setsIn(picked, kind) > 0) return undefined;
  if ((keptAfter ?? keptBefore) !== undefined) return countedByDays(picked, kind);
  if (!isPlain(picked, kind)) return undefined;
  return (parent) => {
    const { set, labels: asked } = scopeOf(picked, kind, parent);
    const selection = selectionOf(asked);
    return notFavourites
      ? sql`(${countIn(set, selection)} - ${countIn(sql`${FAVOURITES}`, selection)})`
      : countIn(set, selection);
  };
}

const DAY_MS = 86_400_000;

/** Of one label at most: whole days are counted already, and what is before the first and after the last is looked at. */
function countedByDays(picked: PickedImages, kind: GalleryParent | undefined): Way['counted'] {
  const { keptAfter, keptBefore } = picked;
  const plain = { ...picked, keptAfter: undefined, keptBefore: undefined };
  const first = keptAfter === undefined ? undefined : Math.ceil(keptAfter.getTime() / DAY_MS);
  const end = keptBefore === undefined ? undefined : Math.floor(keptBefore.getTime() / DAY_MS);
  const isWithinDay = first !== undefined && end !== undefined && first >= end;
  const dimensions = new Set<string>(dimensionsOf(picked.labels));
  if (kind !== undefined && kind !== 'collection') dimensions.add(kind);
  if (!isPlain(plain, kind) || picked.notFavourites || isWithinDay || dimensions.size > 1) return undefined;
  return (parent) => {
    const { set, labels: asked } = scopeOf(picked, kind, parent);
    const within = and(
      eq(galleryDays.setId, set),
      eq(galleryDays.selection, selectionOf(asked)),
      given(first, (day) => gte(galleryDays.day, day)),
      given(end, (day) => lt(galleryDays.day, day)),
    );
    const edge = (range: Pick<PickedImages, 'keptAfter' | 'keptBefore'>) =>
      sql`(select count(*) from ${galleryEntries} where ${conditionsOf({ ...picked, ...range }, kind, parent)})`;
    const parts = [
      sql`(select coalesce(sum(${galleryDays.pictures}), 0) from ${galleryDays} where ${within})`,
      ...(first === undefined ? [] : [edge({ keptAfter, keptBefore: new Date(first * DAY_MS) })]),
      ...(end === undefined ? [] : [edge({ keptAfter: new Date(end * DAY_MS), keptBefore })]),
    ];
    return sql`(${sql.join(parts, sql` + `)})`;
  };
}
