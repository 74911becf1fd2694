/**
 * Keyset pages as SQL, of one list or of the lists of many parents at once: one statement either way, so that the number
 * of statements does not grow with the number of parents.
 */
import { and, count, getTableName, type SQL, Subquery, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import {
  type CursorArgument,
  type CursorKey,
  decodeCursor,
  encodeCursor,
  foreignCursor,
  type Page,
  type PageRequest,
  pageOf,
  type ReadRow,
  type Window,
  windowOf,
} from '../core/paging.ts';
import type { Db } from './db.ts';
import type { Order } from './order.ts';

/** Rows of a table in an order. */
export interface List<Row> {
  readonly table: PgTable & { readonly $inferSelect: Row };
  readonly order: Order;
  readonly where?: SQL | undefined;
  /** Left out: the table itself. */
  readonly way?: Way | undefined;
}

/** How rows are found where their own table has no index in the list's order. Conditions and keys are those of the entries. */
export interface Way {
  /** One entry per row. */
  readonly entries: PgTable;
  /** The column of the row that the entry's last key is. */
  readonly id: PgColumn;
  /** Where no index of the entries has all of the list in its order: ranges of one that together are the list. */
  readonly ranges?: Ranges | undefined;
  /** A condition that no index helps with: of few entries it may be asked one by one, of many it is cheaper all at once. */
  readonly sieve?: SQL | undefined;
  /** How long the list is, where that is known without counting. */
  readonly counted?: ((parent: SQL) => SQL) | undefined;
}

/** No entry is in two of them. */
export interface Ranges {
  /** A select of all ranges, as `range_id`. */
  readonly of: (parent: SQL) => SQL;
  readonly within: (range: SQL) => SQL;
}

/** A list that each of many rows has. */
export interface NestedList<Row> extends List<Row> {
  /** What has the same name is the same list of other parents. */
  readonly name: string;
  /** Which rows hang on a parent's id. */
  readonly of: (parent: SQL) => SQL;
}

type AnyList<Row> = List<Row> & Partial<NestedList<Row>>;
type Operator = '>' | '<' | '>=' | '<=';

/** The id of a parent, in what is read for all of `parentsOf`. */
export const PARENT = sql`parent_id`;
const RANGE = sql`range_id`;
export const NO_PARENT = '';
/** An index is asked about as many in less than a millisecond. */
const SIFTED_FIRST = 500;

/** Of what makes a nested list what it is: the list's name, its filter, its order. */
export function nestedName(...parts: readonly unknown[]): string {
  return JSON.stringify(parts);
}

export async function readPage<Row>(db: Db, list: List<Row>, page: PageRequest): Promise<Page<Row>> {
  const { table, order, where, way } = list;
  const [found] = (await pagesOf(db, { table, order, where, way }, { ids: [NO_PARENT], page })).values();
  if (found === undefined) throw new Error('No page was read');
  return found;
}

/** @throws AppError INVALID_INPUT where the list has no such page. */
export function checkPage({ order }: Pick<List<unknown>, 'order'>, page: PageRequest): void {
  boundsOf(order, windowOf(page));
}

/** The same page of the lists of all these parents. */
export function readPages<Row>(
  db: Db,
  list: NestedList<Row>,
  asked: { readonly ids: readonly string[]; readonly page: PageRequest },
): Promise<Map<string, Page<Row>>> {
  return pagesOf(db, list, asked);
}

export async function countRows(db: Db, { table, order, where, way }: List<unknown>): Promise<number> {
  if (way !== undefined) return (await countRowsOf(db, { table, order, where, way }, [NO_PARENT])).get(NO_PARENT) ?? 0;
  const [row] = await db.select({ rows: count() }).from(table).where(where);
  return row?.rows ?? 0;
}

/** How long the lists of all these parents are. */
export async function countRowsOf(
  db: Db,
  list: AnyList<unknown>,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const { where, of, way } = list;
  const condition = and(where, of?.(PARENT)) ?? sql`true`;
  const length = way?.counted?.(PARENT) ?? sql`(select count(*) from (${entriesOf(list, condition)}) as entries)`;
  const counted = await db
    .select({ parent: sql<string>`${PARENT}`, rows: sql<number>`${length}`.mapWith(Number) })
    .from(parentsOf(ids));
  return new Map(counted.map(({ parent, rows }) => [parent, rows]));
}

async function pagesOf<Row>(
  db: Db,
  list: AnyList<Row>,
  { ids, page }: { readonly ids: readonly string[]; readonly page: PageRequest },
): Promise<Map<string, Page<Row>>> {
  const window = windowOf(page);
  const { within, behind } = boundsOf(list.order, window);
  const byParent = new Map<string, ReadRow<Row>[]>(ids.map((id) => [id, []]));
  if (ids.length === 0) return new Map();
  for (const { parent, ...read } of await rowsOf(db, list, { ids, window, within })) byParent.get(parent)?.push(read);
  // One question for all parents, when the first of them wants to know.
  let asked: Promise<Set<string>> | undefined;
  const isBehind = async (id: string) => {
    asked ??= parentsWith(db, list, { ids, behind });
    return (await asked).has(id);
  };
  return new Map([...byParent].map(([id, read]) => [id, pageOf(read, window, () => isBehind(id))]));
}

/**
 * Each parent's rows, one more than the window is long, as they are met from its end of the list. All goes by the
 * table's own name, so that its columns are found there; the keys are read as the database compares them.
 */
async function rowsOf<Row>(
  db: Db,
  list: AnyList<Row>,
  {
    ids,
    window,
    within,
  }: { readonly ids: readonly string[]; readonly window: Window; readonly within: SQL | undefined },
): Promise<(ReadRow<Row> & { readonly parent: string })[]> {
  const { table, order } = list;
  const names = namesOf(order);
  const met = metOf(order, window);
  const ofAll = sql`select * from ${parentsOf(ids)} cross join lateral (${rowsOfEach(list, window, within)}) as found`;
  const rows = await db
    .select({
      parent: sql<string>`${PARENT}`,
      row: table as PgTable,
      keys: Object.fromEntries(order.keys.map(({ type }, i) => [i, sql`${names[i]}`.mapWith(type.read)])),
    })
    .from(new Subquery<string, Record<string, unknown>>(ofAll, {}, getTableName(table)))
    .orderBy(met);
  return rows.map(({ parent, row, keys }) => ({
    parent,
    // Its columns were selected by the table itself.
    row: row as Row,
    cursor: encodeCursor(order.name, Object.values(keys) as CursorKey[]),
  }));
}

function rowsOfEach({ table, order, where, of, way }: AnyList<unknown>, window: Window, within: SQL | undefined): SQL {
  const condition = and(where, of?.(PARENT), within) ?? sql`true`;
  const names = namesOf(order);
  const keys = commaed(order.keys.map(({ by }, i) => sql`${by} as ${names[i]}`));
  const met = metOf(order, window);
  const most = window.size + 1;
  if (way === undefined) return sql`select *, ${keys} from ${table} where ${condition} order by ${met} limit ${most}`;
  const { entries, id, ranges, sieve } = way;
  const first = (what: SQL, limit: number) =>
    sql`select ${keys} from ${entries} where ${what} order by ${met} limit ${limit}`;
  const rows = (found: SQL) =>
    sql`select ${table}.*, found.* from (${found}) as found join ${table} on ${id} = found.${names.at(-1)}`;
  if (ranges === undefined) {
    if (sieve === undefined) return rows(first(condition, most));
    return rows(
      sifted({ entries, condition, sieve }, { keys, names: commaed(names.map((name) => sql`${name}`)), met, most }),
    );
  }
  // What comes first of all is in the ranges that begin first: no more of them are read than the window is long.
  const inRange = and(ranges.within(RANGE), condition, sieve) ?? condition;
  const nearest = sql`select ${RANGE} from (${ranges.of(PARENT)}) as ranges
    cross join lateral (${first(inRange, 1)}) as head order by ${met} limit ${most}`;
  return rows(sql`select ${commaed(names.map((name) => sql`${name}`))} from (${nearest}) as nearest
    cross join lateral (${first(inRange, most)}) as entry order by ${met} limit ${most}`);
}

/**
 * Looks among what comes first, one by one, and only where that is not enough at all there is: then as a join of its own
 * (`offset 0`), which the database would otherwise plan as if it could stop early.
 */
function sifted(
  { entries, condition, sieve }: { readonly entries: PgTable; readonly condition: SQL; readonly sieve: SQL },
  { keys, names, met, most }: { readonly keys: SQL; readonly names: SQL; readonly met: SQL; readonly most: number },
): SQL {
  const near = sql`select *, ${keys} from ${entries} where ${condition} order by ${met} limit ${SIFTED_FIRST}`;
  return sql`with near as materialized (
      select ${names} from (${near}) as ${sql.identifier(getTableName(entries))} where ${sieve} order by ${met} limit ${most}
    ), known as materialized (select count(*) >= ${most} as enough from near)
    select * from near where (select enough from known)
    union all (
      select * from (
        select ${keys} from ${entries} where ${condition} and ${sieve} and not (select enough from known) offset 0
      ) as every order by ${met} limit ${most}
    )`;
}

const namesOf = ({ keys }: Order) => keys.map((_, i) => sql.identifier(`key_${i}`));

function metOf(order: Order, window: Window): SQL {
  const direction = sql.raw(isRising(order, window) ? 'asc' : 'desc');
  return commaed(namesOf(order).map((name) => sql`${name} ${direction}`));
}

/** Whatever stands for a row of the list for which the condition holds, in any order. */
export function entriesOf(
  { table, way }: Pick<List<unknown>, 'table' | 'way'>,
  condition: SQL,
  columns: SQL = sql`1`,
): SQL {
  const { entries, ranges, sieve }: Pick<Way, 'entries' | 'ranges' | 'sieve'> = way ?? { entries: table };
  if (ranges === undefined) return sql`select ${columns} from ${entries} where ${and(condition, sieve)}`;
  const inRange = sql`select ${columns} from ${entries} where ${and(ranges.within(RANGE), condition, sieve)}`;
  return sql`select entry.* from (${ranges.of(PARENT)}) as ranges cross join lateral (${inRange}) as entry`;
}

/** Parents that have a row there. */
async function parentsWith<Row>(
  db: Db,
  list: AnyList<Row>,
  { ids, behind }: { readonly ids: readonly string[]; readonly behind: SQL | undefined },
): Promise<Set<string>> {
  const condition = and(list.where, list.of?.(PARENT), behind) ?? sql`true`;
  const rows = await db
    .select({ parent: sql<string>`${PARENT}` })
    .from(parentsOf(ids))
    .where(sql`exists (${entriesOf(list, condition)})`);
  return new Set(rows.map(({ parent }) => parent));
}

/** Any number of parents as one parameter: an array, of which the database knows how many they are. */
export function parentsOf(ids: readonly string[]): SQL {
  return sql`(select unnest(${sql.param([...ids])}::text[]) as ${PARENT}) as parents`;
}

/** What lies between the cursors, and what lies on the other side of the one that the reading begins at. */
function boundsOf(order: Order, { after, before, backward }: Window) {
  const [past, upTo] = order.direction === 'ASC' ? (['>', '<'] as const) : (['<', '>'] as const);
  const at = (cursor: string | undefined, argument: CursorArgument, operator: Operator) =>
    cursor === undefined ? undefined : compared(order, keysIn(order, cursor, argument), operator);
  return {
    within: and(at(after, 'after', past), at(before, 'before', upTo)),
    behind: backward ? at(before, 'before', `${past}=`) : at(after, 'after', `${upTo}=`),
  };
}

/** (a, b, …) > (cursor's a, b, …), compared as rows so that an index on the columns serves it. */
function compared({ keys }: Order, values: readonly CursorKey[], operator: Operator): SQL {
  const left = commaed(keys.map(({ by }) => by));
  const right = commaed(keys.map(({ type }, i) => sql`${values[i]}::${sql.raw(type.sqlName)}`));
  return sql`(${left}) ${sql.raw(operator)} (${right})`;
}

/** @throws AppError INVALID_INPUT where this is no cursor of the order. */
function keysIn({ name, keys }: Order, cursor: string, argument: CursorArgument): CursorKey[] {
  const values = decodeCursor(cursor, { order: name, count: keys.length, argument });
  if (values.every((value, i) => keys[i]?.type.fits(value))) return values;
  throw foreignCursor(argument);
}

function isRising({ direction }: Order, { backward }: Window): boolean {
  return (direction === 'ASC') !== backward;
}

const commaed = (parts: readonly SQL[]) => sql.join([...parts], sql`, `);
