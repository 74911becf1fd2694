/** What pictures of the gallery are asked for by: names, and what they mean here. */
import { and, inArray, sql } from 'drizzle-orm';
import { LABEL_KINDS, type LabelKind } from '../core/labels.ts';
import { slugOfTag } from '../core/tags.ts';
import type { Asked } from './conditions.ts';
import type { Db } from './db.ts';
import { countIn, type Dimension, selectionOf } from './gallery-selections.ts';
import { FAVOURITES, gallerySets, type SetKind } from './gallery-tables.ts';
import { labels } from './tables.ts';

export interface ImageFilter {
  /** Asked for by this label of any kind: by slug or id. */
  readonly label?: Asked<string>;
  /** Asked for by these: each by slug or id. */
  readonly artist?: Asked<string>;
  readonly style?: Asked<string>;
  readonly genre?: Asked<string>;
  /** Its id. */
  readonly model?: Asked<string>;
  readonly seed?: Asked<number>;
  /** Any of these. */
  readonly seeds?: Asked<readonly number[]>;
  readonly tag?: Asked<string>;
  /** All of these. */
  readonly tags?: Asked<readonly string[]>;
  /** Its slug or id. */
  readonly collection?: Asked<string>;
  readonly favourite?: Asked<boolean>;
  /** At this moment or later. */
  readonly keptAfter?: Asked<Date>;
  /** Earlier than this moment. */
  readonly keptBefore?: Asked<Date>;
}

/** A filter whose names were looked up. */
export interface PickedImages {
  /** In all of these; the smallest comes first. Empty: the whole gallery. */
  readonly sets: readonly number[];
  readonly notFavourites: boolean;
  /** Ids. */
  readonly labels: { readonly [D in Dimension]?: string };
  readonly seeds: readonly number[] | undefined;
  readonly keptAfter: Date | undefined;
  readonly keptBefore: Date | undefined;
}

export const EVERYTHING: PickedImages = {
  sets: [],
  notFavourites: false,
  labels: {},
  seeds: undefined,
  keptAfter: undefined,
  keptBefore: undefined,
};

/** Null where no picture can be meant: a name that nothing has, or two different artists. */
export async function pickImages(db: Db, filter: ImageFilter): Promise<PickedImages | null> {
  const [labelIds, sets] = await Promise.all([labelsOf(db, filter), setsOf(db, filter)]);
  if (labelIds === undefined || sets === undefined) return null;
  const { model, seed, seeds, keptAfter, keptBefore } = filter;
  const asked = [...(seed === null || seed === undefined ? [] : [[seed]]), ...(seeds ? [seeds] : [])];
  return {
    sets,
    notFavourites: filter.favourite === false,
    labels: { ...labelIds, ...(model === null || model === undefined ? {} : { model }) },
    seeds: asked.length === 0 ? undefined : asked.reduce((some, others) => some.filter((one) => others.includes(one))),
    keptAfter: keptAfter ?? undefined,
    keptBefore: keptBefore ?? undefined,
  };
}

/** By kind; a text for any kind is of the first that has such a label, as it is for painting. */
async function labelsOf(db: Db, filter: ImageFilter): Promise<PickedImages['labels'] | undefined> {
  const asked = LABEL_KINDS.flatMap((kind) => {
    const text = filter[kind] ?? undefined;
    return text === undefined ? [] : [{ kinds: [kind] as readonly LabelKind[], text }];
  });
  const any = filter.label ?? undefined;
  if (any !== undefined) asked.push({ kinds: LABEL_KINDS, text: any });
  if (asked.length === 0) return {};
  const texts = asked.map(({ text }) => text);
  const named = sql`${inArray(labels.slug, texts)} or ${inArray(labels.id, texts)}`;
  const rows = await db
    .select({ id: labels.id, kind: labels.kind, slug: labels.slug })
    .from(labels)
    .where(and(inArray(labels.kind, [...LABEL_KINDS]), sql`(${named})`));
  const picked: { [K in LabelKind]?: string } = {};
  for (const { kinds, text } of asked) {
    const [row] = kinds.flatMap((kind) =>
      rows.filter((label) => label.kind === kind && (label.slug === text || label.id === text)),
    );
    if (row === undefined || (picked[row.kind] ?? row.id) !== row.id) return undefined;
    picked[row.kind] = row.id;
  }
  return picked;
}

async function setsOf(db: Db, { tag, tags, collection, favourite }: ImageFilter): Promise<number[] | undefined> {
  const tagSlugs = new Set([...(tags ?? []), ...(tag === null || tag === undefined ? [] : [tag])].map(slugOfTag));
  const wanted: { readonly kind: SetKind; readonly text: string }[] = [...tagSlugs].map((text) => ({
    kind: 'tag',
    text,
  }));
  if (collection !== null && collection !== undefined) wanted.push({ kind: 'collection', text: collection });
  const fixed = favourite === true ? [FAVOURITES] : [];
  if (wanted.length === 0) return fixed;
  const isNamed = ({ kind, text }: (typeof wanted)[number]) => {
    const id = kind === 'collection' && isSetId(text) ? sql` or ${gallerySets.id} = ${Number(text)}` : sql``;
    return sql`(${gallerySets.kind} = ${kind} and (${gallerySets.slug} = ${text}${id}))`;
  };
  const size = countIn(sql`${gallerySets.id}`, selectionOf({}));
  const rows = await db
    .select({ id: gallerySets.id, size: size.mapWith(Number) })
    .from(gallerySets)
    .where(sql.join(wanted.map(isNamed), sql` or `));
  if (rows.length < wanted.length) return undefined;
  const named = rows.toSorted((a, b) => a.size - b.size).map(({ id }) => id);
  // How many favourites there are was not asked: they are taken to be more than any tag has.
  return [...named, ...fixed];
}

/** The id of a collection as text: a 32-bit integer. */
export function isSetId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 31;
}
