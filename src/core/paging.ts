/**
 * Keyset pages: a cursor holds the sort keys of a row, so a page stays right while rows come and go. Cursors are opaque
 * and versioned, and each belongs to one order.
 */
import { z } from 'zod';
import { AppError } from './errors.ts';

export interface PageRequest {
  /** 1..100. */
  readonly first: number;
  readonly after?: string | undefined;
}

export interface Page<Row> {
  readonly rows: Row[];
  /** One per row. */
  readonly cursors: string[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

export type CursorKey = string | number;

const VERSION = 1;
const MOST = 100;
const cursorSchema = z.tuple([z.literal(VERSION), z.string()]).rest(z.union([z.string(), z.number()]));

export function encodeCursor(order: string, keys: readonly CursorKey[]): string {
  return Buffer.from(JSON.stringify([VERSION, order, ...keys])).toString('base64url');
}

/** @throws AppError INVALID_INPUT where the text is no cursor of this order. */
export function decodeCursor(order: string, cursor: string, count: number): CursorKey[] {
  const parsed = cursorSchema.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString('utf8')));
  const [, found, ...keys] = parsed.data ?? [];
  if (found === order && keys.length === count) return keys;
  throw foreignCursor();
}

export function foreignCursor(): AppError {
  return new AppError('INVALID_INPUT', 'after must be a cursor that this list has given.', { path: ['after'] });
}

/** @throws AppError INVALID_INPUT where `first` is out of bounds. */
export function checkedFirst(first: number): number {
  if (Number.isInteger(first) && first >= 1 && first <= MOST) return first;
  throw new AppError('INVALID_INPUT', `first must be from 1 to ${MOST}, not ${first}.`, { path: ['first'] });
}

/** Rows were read with a limit of `first + 1`: the one too many says that there is a next page. */
export function pageOf<Row>(
  rows: readonly Row[],
  { first, after }: PageRequest,
  cursorOf: (row: Row) => string,
): Page<Row> {
  const shown = rows.slice(0, first);
  return {
    rows: shown,
    cursors: shown.map(cursorOf),
    hasNextPage: rows.length > first,
    // Whoever has a cursor has seen a row before it.
    hasPreviousPage: after !== undefined,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
