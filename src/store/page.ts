/**
 * Keyset pages as SQL, of one list or of the lists of many parents at once: one statement either way, so that the number
 * of statements does not grow with the number of parents.
 */
import { and, count, getTableName, type SQL, Subquery, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
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

const PARENT = sql`parent_id`;
const NO_PARENT = '';

/** Of what makes a nested list what it is: the list's name, its filter, its order. */
export function nestedName(...parts: readonly unknown[]): string {
  return JSON.stringify(parts);
}

export async function readPage<Row>(db: Db, { table, order, where }: List<Row>, page: PageRequest): Promise<Page<Row>> {
  const [found] = (await pagesOf(db, { table, order, where }, { ids: [NO_PARENT], page })).values();
  if (found === undefined) throw new Error('No page was read');
  return found;
}

/** The same page of the lists of all these parents. */
export function readPages<Row>(
  db: Db,
  list: NestedList<Row>,
  asked: { readonly ids: readonly string[]; readonly page: PageRequest },
): Promise<Map<string, Page<Row>>> {
  return pagesOf(db, list, asked);
}

export async function countRows(db: Db, { table, where }: List<unknown>): Promise<number> {
  const [row] = await db.select({ rows: count() }).from(table).where(where);
  return row?.rows ?? 0;
}

/** How long the lists of all these parents are. */
export async function countRowsOf(
  db: Db,
  { table, where, of }: NestedList<unknown>,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const rows = sql<number>`(select count(*) from ${table} where ${and(where, of(PARENT))})`.mapWith(Number);
  const counted = await db.select({ parent: sql<string>`${PARENT}`, rows }).from(parentsOf(ids));
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
  { table, order, where, of }: AnyList<Row>,
  {
    ids,
    window,
    within,
  }: { readonly ids: readonly string[]; readonly window: Window; readonly within: SQL | undefined },
): Promise<(ReadRow<Row> & { readonly parent: string })[]> {
  const names = order.keys.map((_, i) => sql.identifier(`key_${i}`));
  const direction = sql.raw(isRising(order, window) ? 'asc' : 'desc');
  const met = commaed(names.map((name) => sql`${name} ${direction}`));
  const keys = commaed(order.keys.map(({ by }, i) => sql`${by} as ${names[i]}`));
  const condition = and(where, of?.(PARENT), within) ?? sql`true`;
  const ofEach = sql`select *, ${keys} from ${table} where ${condition} order by ${met} limit ${window.size + 1}`;
  const ofAll = sql`select * from ${parentsOf(ids)} cross join lateral (${ofEach}) as found`;
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

/** Parents that have a row there. */
async function parentsWith<Row>(
  db: Db,
  { table, where, of }: AnyList<Row>,
  { ids, behind }: { readonly ids: readonly string[]; readonly behind: SQL | undefined },
): Promise<Set<string>> {
  const condition = and(where, of?.(PARENT), behind) ?? sql`true`;
  const rows = await db
    .select({ parent: sql<string>`${PARENT}` })
    .from(parentsOf(ids))
    .where(sql`exists (select 1 from ${table} where ${condition})`);
  return new Set(rows.map(({ parent }) => parent));
}

/** Any number of parents as one parameter. */
function parentsOf(ids: readonly string[]): SQL {
  return sql`(select jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb) as ${PARENT}) as parents`;
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
