/**
 * Keyset pages, in both directions: a cursor holds the sort keys of a row, so a page stays right while rows come and go.
 * Cursors are opaque and versioned, and each belongs to one order.
 */
import { z } from 'zod';
import { AppError } from './errors.ts';

/** `first` or `last`, 1..100, of the rows between the cursors `after` and `before`; the first 20 unless told. */
export interface PageRequest {
  readonly first?: number | undefined;
  readonly last?: number | undefined;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
}

/** A request that was checked: how many rows, and from which end of the list. */
export interface Window {
  readonly size: number;
  /** Read from the end, for `last`. */
  readonly backward: boolean;
  readonly after: string | undefined;
  readonly before: string | undefined;
}

export interface Page<Row> {
  /** In the list's order, whichever end they were read from. */
  readonly rows: Row[];
  /** One per row. */
  readonly cursors: string[];
  /** What is not known from reading the page is asked when somebody wants to know. */
  readonly hasNextPage: () => Promise<boolean>;
  readonly hasPreviousPage: () => Promise<boolean>;
}

export type CursorKey = string | number;
export type CursorArgument = 'after' | 'before';

export const DEFAULT_FIRST = 20;
const VERSION = 1;
const MOST = 100;
const cursorSchema = z.tuple([z.literal(VERSION), z.string()]).rest(z.union([z.string(), z.number()]));

export function encodeCursor(order: string, keys: readonly CursorKey[]): string {
  return Buffer.from(JSON.stringify([VERSION, order, ...keys])).toString('base64url');
}

export interface ExpectedCursor {
  readonly order: string;
  /** How many keys the order has. */
  readonly count: number;
  /** The argument that the cursor was given as. */
  readonly argument: CursorArgument;
}

/** @throws AppError INVALID_INPUT where the text is no cursor of this order. */
export function decodeCursor(cursor: string, { order, count, argument }: ExpectedCursor): CursorKey[] {
  const parsed = cursorSchema.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString('utf8')));
  const [, found, ...keys] = parsed.data ?? [];
  if (found === order && keys.length === count) return keys;
  throw foreignCursor(argument);
}

export function foreignCursor(argument: CursorArgument): AppError {
  const message = `${argument} must be a cursor that this list has given in the same order.`;
  return new AppError('INVALID_INPUT', message, { path: [argument] });
}

/** @throws AppError INVALID_INPUT where `first` or `last` is out of bounds, or both are given. */
export function windowOf({ first, last, after, before }: PageRequest): Window {
  if (last === undefined) return { size: checkedSize('first', first ?? DEFAULT_FIRST), backward: false, after, before };
  if (first !== undefined) throw new AppError('INVALID_INPUT', 'Give first or last, not both.', { path: ['last'] });
  return { size: checkedSize('last', last), backward: true, after, before };
}

function checkedSize(argument: 'first' | 'last', size: number): number {
  if (Number.isInteger(size) && size >= 1 && size <= MOST) return size;
  throw new AppError('INVALID_INPUT', `${argument} must be from 1 to ${MOST}, not ${size}.`, { path: [argument] });
}

export interface ReadRow<Row> {
  readonly row: Row;
  readonly cursor: string;
}

/**
 * Rows were read from the window's end of the list, one more than its size: the one too many says that the list goes on.
 * `behind`: whether there are rows on the other side of the cursor that the reading began at.
 */
export function pageOf<Row>(
  read: readonly ReadRow<Row>[],
  { size, backward, after, before }: Window,
  behind: () => Promise<boolean>,
): Page<Row> {
  const nearest = read.slice(0, size);
  const shown = backward ? nearest.toReversed() : nearest;
  const goesOn = async () => read.length > size;
  // Without a cursor it began at the list's own end.
  const began = (backward ? before : after) === undefined ? async () => false : behind;
  return {
    rows: shown.map(({ row }) => row),
    cursors: shown.map(({ cursor }) => cursor),
    hasNextPage: backward ? began : goesOn,
    hasPreviousPage: backward ? goesOn : began,
  };
}

/** The same page of what its rows are for others. */
export function mapPage<Row, Item>(page: Page<Row>, itemOf: (row: Row) => Item): Page<Item> {
  return { ...page, rows: page.rows.map(itemOf) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
