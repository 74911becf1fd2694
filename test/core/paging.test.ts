import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor, mapPage, type PageRequest, pageOf, windowOf } from '../../src/core/paging.ts';

const refusedFor = (path: string) => expect.objectContaining({ code: 'INVALID_INPUT', path: [path] });
const raw = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a cursor', () => {
  const expected = (order: string, count: number) => ({ order, count, argument: 'after' as const });

  it('gives back the keys that it was made of', () => {
    for (const keys of [['2026-01-02T03:04:05.678Z', 'id'], ['Ásgrímur "quoted" 浮世絵 🎨', ''], [-1.5, 0], []]) {
      const cursor = encodeCursor('label', keys);
      expect(cursor).toMatch(/^[\w-]+$/);
      expect(decodeCursor(cursor, expected('label', keys.length))).toEqual(keys);
    }
  });

  it('is of one order, one version and one number of keys', () => {
    const cursor = encodeCursor('label', ['a', 'b']);
    for (const [order, count] of [
      ['image', 2],
      ['label.NAME.DESC', 2],
      ['label', 1],
      ['label', 3],
    ] as const) {
      expect(() => decodeCursor(cursor, expected(order, count))).toThrow(refusedFor('after'));
      expect(() => decodeCursor(cursor, { order, count, argument: 'before' })).toThrow(refusedFor('before'));
    }
    for (const version of [0, 2, '1', true, null]) {
      expect(() => decodeCursor(raw([version, 'label', 'a', 'b']), expected('label', 2))).toThrow(refusedFor('after'));
    }
  });

  it('is refused where a key is neither a text nor a number, or where it is nothing at all', () => {
    for (const key of [null, true, ['a'], { a: 1 }]) {
      expect(() => decodeCursor(raw([1, 'label', key]), expected('label', 1))).toThrow(refusedFor('after'));
    }
    const nothing = ['', ' ', '%', 'null', raw(null), raw('label'), raw({}), raw([]), raw([1]), raw([1, 2, 'a'])];
    const deep = Buffer.from('['.repeat(100_000)).toString('base64url');
    for (const text of [...nothing, deep, '\0', 'é', raw([1, 'label', 'a']).slice(0, -2)]) {
      expect(() => decodeCursor(text, expected('label', 1))).toThrow(refusedFor('after'));
    }
  });
});

describe('a request', () => {
  it.each(['first', 'last'] as const)('for the %s entries is for 1 to 100', (end) => {
    expect([1, 50, 100].map((size) => windowOf({ [end]: size }).size)).toEqual([1, 50, 100]);
    for (const size of [0, -1, 101, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => windowOf({ [end]: size })).toThrow(refusedFor(end));
    }
  });

  it('is for the first 20 unless told, and for one end only', () => {
    expect(windowOf({})).toMatchObject({ size: 20, backward: false });
    expect(windowOf({ last: 3, after: 'a' })).toEqual({ size: 3, backward: true, after: 'a', before: undefined });
    expect(() => windowOf({ first: 3, last: 3 })).toThrow(refusedFor('last'));
  });
});

describe('a page', () => {
  const read = (...rows: string[]) => rows.map((row) => ({ row, cursor: `at ${row}` }));
  const told = async (rows: string[], request: PageRequest, isBehind: boolean) => {
    let asked = 0;
    const page = pageOf(read(...rows), windowOf(request), async () => {
      asked++;
      return isBehind;
    });
    expect(asked).toBe(0);
    const flags = [await page.hasPreviousPage(), await page.hasNextPage()];
    return { rows: page.rows, cursors: page.cursors, flags, asked };
  };

  it('knows that the list goes on by the row that is too many, and does not show it', async () => {
    const forward = { rows: ['a', 'b'], cursors: ['at a', 'at b'], flags: [false, true], asked: 0 };
    expect(await told(['a', 'b', 'c'], { first: 2 }, true)).toEqual(forward);
    expect(await told(['a', 'b', 'c'], { first: 2, before: 'z' }, true)).toEqual(forward);
    const backward = { rows: ['b', 'c'], cursors: ['at b', 'at c'], flags: [true, false], asked: 0 };
    expect(await told(['c', 'b', 'a'], { last: 2 }, true)).toEqual(backward);
    expect(await told(['c', 'b', 'a'], { last: 2, after: '0' }, true)).toEqual(backward);
  });

  it('asks what is behind the cursor that it began at, and nothing else', async () => {
    for (const isBehind of [true, false]) {
      expect(await told(['c'], { first: 2, after: 'b' }, isBehind)).toMatchObject({
        flags: [isBehind, false],
        asked: 1,
      });
      expect(await told(['c'], { last: 2, before: 'd' }, isBehind)).toMatchObject({
        flags: [false, isBehind],
        asked: 1,
      });
    }
  });

  it('may be empty', async () => {
    expect(await told([], { first: 2 }, true)).toMatchObject({ rows: [], cursors: [], flags: [false, false] });
    expect(await told([], { first: 2, after: 'z' }, true)).toMatchObject({ rows: [], flags: [true, false] });
    expect(await told([], { last: 2, before: 'a' }, true)).toMatchObject({ rows: [], flags: [false, true] });
  });

  it('can be one of other things', async () => {
    const page = mapPage(
      pageOf(read('a', 'b'), windowOf({ first: 1 }), async () => false),
      (row) => row.toUpperCase(),
    );
    expect([page.rows, page.cursors, await page.hasNextPage()]).toEqual([['A'], ['at a'], true]);
  });
});
