import { describe, expect, it } from 'vitest';
import { checkedFirst, decodeCursor, encodeCursor, pageOf } from '../../src/core/paging.ts';

const refusedFor = (path: string) => expect.objectContaining({ code: 'INVALID_INPUT', path: [path] });
const raw = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a cursor', () => {
  it('gives back the keys that it was made of', () => {
    for (const keys of [['2026-01-02T03:04:05.678Z', 'id'], ['Ásgrímur "quoted" 浮世絵 🎨', ''], [-1.5, 0], []]) {
      const cursor = encodeCursor('label', keys);
      expect(cursor).toMatch(/^[\w-]+$/);
      expect(decodeCursor('label', cursor, keys.length)).toEqual(keys);
    }
  });

  it('is of one order, one version and one number of keys', () => {
    const cursor = encodeCursor('label', ['a', 'b']);
    expect(() => decodeCursor('image', cursor, 2)).toThrow(refusedFor('after'));
    expect(() => decodeCursor('label', cursor, 1)).toThrow(refusedFor('after'));
    expect(() => decodeCursor('label', cursor, 3)).toThrow(refusedFor('after'));
    for (const version of [0, 2, '1', true, null]) {
      expect(() => decodeCursor('label', raw([version, 'label', 'a', 'b']), 2)).toThrow(refusedFor('after'));
    }
  });

  it('is refused where a key is neither a text nor a number, or where it is nothing at all', () => {
    for (const key of [null, true, ['a'], { a: 1 }]) {
      expect(() => decodeCursor('label', raw([1, 'label', key]), 1)).toThrow(refusedFor('after'));
    }
    const nothing = ['', ' ', '%', 'null', raw(null), raw('label'), raw({}), raw([]), raw([1]), raw([1, 2, 'a'])];
    const deep = Buffer.from('['.repeat(100_000)).toString('base64url');
    for (const text of [...nothing, deep, '\0', 'é', raw([1, 'label', 'a']).slice(0, -2)]) {
      expect(() => decodeCursor('label', text, 1)).toThrow(refusedFor('after'));
    }
  });
});

describe('first', () => {
  it('is from 1 to 100', () => {
    expect([1, 50, 100].map(checkedFirst)).toEqual([1, 50, 100]);
    for (const first of [0, -1, 101, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => checkedFirst(first)).toThrow(refusedFor('first'));
    }
  });
});

describe('a page', () => {
  const cursorOf = (row: string) => `after ${row}`;

  it('knows of the next one by the row that is too many, and does not show it', () => {
    expect(pageOf(['a', 'b', 'c'], { first: 2 }, cursorOf)).toEqual({
      rows: ['a', 'b'],
      cursors: ['after a', 'after b'],
      hasNextPage: true,
      hasPreviousPage: false,
    });
    expect(pageOf(['c'], { first: 2, after: 'b' }, cursorOf)).toEqual({
      rows: ['c'],
      cursors: ['after c'],
      hasNextPage: false,
      hasPreviousPage: true,
    });
  });

  it('may be empty', () => {
    const empty = { rows: [], cursors: [], hasNextPage: false };
    expect(pageOf([], { first: 2 }, cursorOf)).toEqual({ ...empty, hasPreviousPage: false });
    expect(pageOf([], { first: 2, after: 'z' }, cursorOf)).toEqual({ ...empty, hasPreviousPage: true });
  });
});
