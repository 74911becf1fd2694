/** Orders of lists: what a list may be sorted by, as keys that are never null and together decide without ties. */
import { type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { CursorKey } from '../core/paging.ts';

export const DIRECTIONS = ['ASC', 'DESC'] as const;
export type Direction = (typeof DIRECTIONS)[number];

interface KeyType {
  readonly sqlName: string;
  /** Stands for null, behind a key that says whether it is. */
  readonly zero: string;
  /** From the driver's value. */
  readonly read: (value: unknown) => CursorKey;
  /** A forged cursor must not reach the database as a cast that fails. */
  readonly fits: (key: CursorKey) => boolean;
}

const TEXT: KeyType = {
  sqlName: 'text',
  zero: `''`,
  read: String,
  fits: (key) => typeof key === 'string' && !key.includes('\0'),
};
const INTEGER: KeyType = {
  sqlName: 'integer',
  zero: '0',
  read: Number,
  fits: (key) => Number.isInteger(key) && Math.abs(Number(key)) < 2 ** 31,
};
const BIGINT: KeyType = {
  sqlName: 'bigint',
  zero: '0',
  read: Number,
  fits: (key) => Number.isSafeInteger(key),
};
const MOMENT: KeyType = {
  sqlName: 'timestamp (3) with time zone',
  zero: `'epoch'`,
  read: (value) => new Date(String(value)).toISOString(),
  fits: (key) => typeof key === 'string' && isMoment(key),
};

export interface Key {
  readonly by: SQL;
  readonly type: KeyType;
}

export interface Order {
  /** Part of every cursor: a cursor of another order is refused. */
  readonly name: string;
  readonly direction: Direction;
  /** The last is the id. */
  readonly keys: readonly Key[];
}

export interface OrderBy<Field extends string> {
  readonly field: Field;
  readonly direction: Direction;
}

/** All orders of a list. */
export interface Orders<Field extends string> {
  readonly name: string;
  readonly usual: OrderBy<Field>;
  readonly keys: Readonly<Record<Field, (direction: Direction) => readonly Key[]>>;
}

/** The usual order unless told. */
export function orderOf<Field extends string>(
  { name, usual, keys }: Orders<Field>,
  asked: OrderBy<Field> | null | undefined,
): Order {
  const { field, direction } = asked ?? usual;
  const isUsual = field === usual.field && direction === usual.direction;
  return { name: isUsual ? name : `${name}.${field}.${direction}`, direction, keys: keys[field](direction) };
}

/** Sorted by columns that are never null. */
export function byColumns(...columns: readonly PgColumn[]): () => readonly Key[] {
  return byKeys(...columns.map(keyOf));
}

export function byKeys(...keys: readonly Key[]): () => readonly Key[] {
  return () => keys;
}

/** Sorted by a column, where rows without a value come last in both directions. */
export function nullsLast(column: PgColumn, id: PgColumn): (direction: Direction) => readonly Key[] {
  const { type } = keyOf(column);
  return (direction) => [
    integerKey(direction === 'ASC' ? sql`(${column} is null)::int` : sql`(${column} is not null)::int`),
    { by: sql`coalesce(${column}, ${sql.raw(type.zero)})`, type },
    keyOf(id),
  ];
}

export function integerKey(by: SQL): Key {
  return { by, type: INTEGER };
}

export function keyOf(column: PgColumn): Key {
  return { by: sql`${column}`, type: typeOf(column.getSQLType()) };
}

function typeOf(sqlType: string): KeyType {
  if (sqlType.startsWith('timestamp')) return MOMENT;
  if (sqlType === 'bigint') return BIGINT;
  return sqlType === 'integer' ? INTEGER : TEXT;
}

/** As toISOString writes it, within the years that PostgreSQL reads in this form. */
function isMoment(text: string): boolean {
  return /^(?!0000)\d{4}-/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text;
}
