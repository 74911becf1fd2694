/** Keyset pages as SQL: the rows after a cursor, by (key, id), in one direction. */
import { and, asc, desc, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import {
  type CursorKey,
  checkedFirst,
  decodeCursor,
  encodeCursor,
  foreignCursor,
  type Page,
  type PageRequest,
  pageOf,
} from '../core/paging.ts';

export interface Order<Row> {
  /** Part of every cursor: a cursor of another order is refused. */
  readonly name: string;
  readonly direction: 'asc' | 'desc';
  /** Together they decide the order without ties; the last is the id. */
  readonly columns: readonly PgColumn[];
  readonly keysOf: (row: Row) => readonly (CursorKey | Date)[];
}

export interface PageQuery {
  readonly where: SQL | undefined;
  readonly orderBy: SQL[];
  readonly limit: number;
}

/** Reads one page: `select` gets what to put into its query. */
export async function readPage<Row>(
  order: Order<Row>,
  page: PageRequest,
  select: (query: PageQuery) => Promise<Row[]>,
  filter?: SQL,
): Promise<Page<Row>> {
  const limit = checkedFirst(page.first) + 1;
  const sort = order.direction === 'asc' ? asc : desc;
  const rows = await select({
    where: and(filter, page.after === undefined ? undefined : beyond(order, page.after)),
    orderBy: order.columns.map((column) => sort(column)),
    limit,
  });
  return pageOf(rows, page, (row) => cursorOf(order, row));
}

export function cursorOf<Row>(order: Order<Row>, row: Row): string {
  return encodeCursor(
    order.name,
    order.keysOf(row).map((key) => (key instanceof Date ? key.toISOString() : key)),
  );
}

/** (a, b, …) > (cursor's a, b, …), compared as rows so that an index on the columns serves it. */
function beyond<Row>(order: Order<Row>, after: string): SQL {
  const keys = decodeCursor(order.name, after, order.columns.length);
  const left = sql.join(
    order.columns.map((column) => sql`${column}`),
    sql`, `,
  );
  const right = sql.join(
    order.columns.map((column, i) => sql`${checkedKey(column, keys[i])}::${sql.raw(column.getSQLType())}`),
    sql`, `,
  );
  return order.direction === 'asc' ? sql`(${left}) > (${right})` : sql`(${left}) < (${right})`;
}

/** A forged cursor must not reach the database as a cast that fails. */
function checkedKey(column: PgColumn, key: CursorKey | undefined): CursorKey {
  const type = column.getSQLType();
  const fits = type.startsWith('timestamp')
    ? typeof key === 'string' && isMoment(key)
    : type === 'integer'
      ? Number.isInteger(key) && Math.abs(Number(key)) < 2 ** 31
      : typeof key === 'string' && !key.includes('\0');
  if (fits && key !== undefined) return key;
  throw foreignCursor();
}

/** As toISOString writes it, within the years that PostgreSQL reads in this form. */
function isMoment(text: string): boolean {
  return /^(?!0000)\d{4}-/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text;
}
