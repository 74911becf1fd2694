/**
 * What the pictures of a filter have, and how many have it, biggest first. Of a set and labels it is read from the counts.
 * Where a filter asks for more, as many pictures as a page may take time for are looked at: if there are more, the numbers
 * are the least that there are.
 */
import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { Db } from './db.ts';
import type { PickedImages } from './gallery-filter.ts';
import { countIn, type Dimension, dimensionsOf, givensOf, selectionColumn, selectionOf } from './gallery-selections.ts';
import {
  FAVOURITES,
  galleryCounts,
  galleryEntries,
  gallerySelections,
  gallerySets,
  WHOLE_GALLERY,
} from './gallery-tables.ts';
import { conditionsOf, type GalleryParent, isPlain, scopeOf, wayOf } from './gallery-way.ts';
import { entriesOf, PARENT, parentsOf } from './page.ts';
import { images } from './tables.ts';

export const FACETS = ['model', 'artist', 'style', 'genre', 'tag', 'collection', 'favourite'] as const;
export type Facet = (typeof FACETS)[number];

export interface FacetValue {
  /** A label's, a model's or a set's id. */
  readonly id: string;
  readonly count: number;
  /** False: there are at least so many. */
  readonly isExact: boolean;
}

export interface FacetQuery {
  /** Null: no picture can be meant. */
  readonly picked: PickedImages | null;
  readonly kind: GalleryParent | undefined;
  readonly facets: readonly Facet[];
  readonly first: number;
}

/** Joined with their other sets in some milliseconds. */
const MOST_LOOKED_AT = 500;

/** Of the lists of all these parents, by parent and facet. */
export async function facetsOf(
  db: Db,
  query: FacetQuery,
  ids: readonly string[],
): Promise<Map<string, Map<Facet, FacetValue[]>>> {
  const found = new Map(ids.map((id) => [id, new Map<Facet, FacetValue[]>()]));
  const { picked, kind, facets } = query;
  if (picked === null || ids.length === 0) return found;
  const counted = facets.filter((facet) => isCounted(picked, kind, facet));
  const sampled = facets.filter((facet) => !counted.includes(facet));
  const parts = [
    ...counted.map((facet) => countsOf(picked, query, facet)),
    ...(sampled.length === 0 ? [] : [sampleOf(picked, query, sampled)]),
  ];
  if (parts.length === 0) return found;
  const each = sql.join(
    parts.map((part) => sql`(${part})`),
    sql` union all `,
  );
  const rows = await db
    .select({
      parent: sql<string>`${PARENT}`,
      facet: sql<Facet>`facet`,
      id: sql<string>`value`,
      count: sql<number>`pictures`.mapWith(Number),
      isExact: sql<boolean>`is_exact`,
    })
    .from(sql`${parentsOf(ids)} cross join lateral (${each}) as found`);
  for (const { parent, facet, ...value } of rows) {
    const all = found.get(parent) ?? new Map<Facet, FacetValue[]>();
    all.set(facet, [...(all.get(facet) ?? []), value]);
  }
  for (const all of found.values()) for (const values of all.values()) values.sort((a, b) => b.count - a.count);
  return found;
}

const isDimension = (facet: Facet): facet is Dimension => !['tag', 'collection', 'favourite'].includes(facet);

/** Pictures of two sets at once are not counted. */
function isCounted(picked: PickedImages, kind: GalleryParent | undefined, facet: Facet): boolean {
  if (picked.notFavourites || !isPlain(picked, kind)) return false;
  return isDimension(facet) || (kind !== 'collection' && picked.sets.length === 0);
}

const rowOf = (facet: Facet, value: SQL, pictures: SQL, isExact: SQL) =>
  sql`${facet}::text as facet, (${value})::text as value, ${pictures} as pictures, ${isExact} as is_exact`;

function countsOf(picked: PickedImages, { kind, first }: FacetQuery, facet: Facet): SQL {
  const { set, labels } = scopeOf(picked, kind, PARENT);
  const pictures = sql`${galleryCounts.pictures}`;
  const exactly = sql`true`;
  if (facet === 'favourite')
    return sql`select ${rowOf(facet, sql`''`, countIn(sql`${FAVOURITES}`, selectionOf(labels)), exactly)}`;
  if (!isDimension(facet)) {
    return sql`select ${rowOf(facet, sql`${gallerySets.id}`, pictures, exactly)}
      from ${galleryCounts} join ${gallerySets} on ${gallerySets.id} = ${galleryCounts.setId}
      where ${gallerySets.kind} = ${facet} and ${galleryCounts.selection} = ${selectionOf(labels)}
      order by pictures desc, value limit ${first}`;
  }
  const given = dimensionsOf(labels);
  const has = given.map((dimension) => sql`${selectionColumn[dimension]} = ${labels[dimension]}`);
  const bits = givensOf([...new Set([...given, facet])]);
  return sql`select ${rowOf(facet, sql`${selectionColumn[facet]}`, pictures, exactly)}
    from ${gallerySelections} join ${galleryCounts}
      on ${galleryCounts.selection} = ${gallerySelections.id} and ${galleryCounts.setId} = ${set}
    where ${and(eq(gallerySelections.givens, bits), ...has)} order by pictures desc, value limit ${first}`;
}

function sampleOf(picked: PickedImages, { kind, first }: FacetQuery, facets: readonly Facet[]): SQL {
  const list = { table: images, way: wayOf(picked, kind) };
  const dimensions = facets.filter(isDimension);
  // Without labels the index alone is read.
  const columns = [sql`${galleryEntries.n} as n`, ...dimensions.map((dimension) => sql`${galleryEntries[dimension]}`)];
  const entries = entriesOf(list, conditionsOf(picked, kind, PARENT) ?? sql`true`, sql.join(columns, sql`, `));
  // Several sets may have little in common: joined as a whole, they are not looked through one by one for the few.
  const isJoin =
    list.way.ranges === undefined && (kind === 'collection' ? picked.sets.length > 0 : picked.sets.length > 1);
  const some = isJoin ? sql`select * from (${entries} offset 0) as common` : entries;
  const sets = sql`select set_id, count(*) as pictures from sample
    cross join lateral (select ${galleryEntries.setId} as set_id from ${galleryEntries}
      where ${galleryEntries.n} = sample.n and ${galleryEntries.setId} > ${WHOLE_GALLERY} offset 0) as others
    group by set_id`;
  const branches = facets.map((facet) => sql`(${branchOf(facet, first)})`);
  return sql`with sample as materialized (${some} limit ${MOST_LOOKED_AT + 1}),
    size as materialized (select count(*) <= ${MOST_LOOKED_AT} as is_all from sample),
    sets as materialized (${sets})
    select * from (${sql.join(branches, sql` union all `)}) as branches`;
}

function branchOf(facet: Facet, first: number): SQL {
  const isAll = sql`(select is_all from size)`;
  if (facet === 'favourite') {
    const favourites = sql`coalesce((select pictures from sets where set_id = ${FAVOURITES}), 0)`;
    return sql`select ${rowOf(facet, sql`''`, favourites, isAll)}`;
  }
  if (isDimension(facet)) {
    return sql`select ${rowOf(facet, sql`${selectionColumn[facet]}`, sql`pictures`, isAll)}
      from (select ${sql.identifier(facet)} as selection, count(*) as pictures from sample group by 1) as had
      join ${gallerySelections} on ${gallerySelections.id} = had.selection
      order by pictures desc, value limit ${first}`;
  }
  return sql`select ${rowOf(facet, sql`${gallerySets.id}`, sql`sets.pictures`, isAll)}
    from sets join ${gallerySets} on ${gallerySets.id} = sets.set_id and ${gallerySets.kind} = ${facet}
    order by pictures desc, value limit ${first}`;
}
