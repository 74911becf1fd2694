import { describe, expect, it } from 'vitest';
import { reasonOf } from '../../src/store/reason.ts';

describe('the reason of a failure', () => {
  it('is what happened first, not the statement that it happened to', () => {
    const cause = new Error('permission denied for database gallery');
    expect(reasonOf(new Error('Failed query: create schema x', { cause }))).toBe(cause.message);
    expect(reasonOf(new Error('plain'))).toBe('plain');
    expect(reasonOf(new TypeError())).toBe('TypeError');
    expect(reasonOf('a text')).toBe('a text');
  });

  it('is that of every address where a name has several: the error that gathers them says nothing', () => {
    const refused = (address: string) => new Error(`connect ECONNREFUSED ${address}`);
    expect(reasonOf(new AggregateError([refused('::1'), refused('127.0.0.1'), refused('::1')]))).toBe(
      'connect ECONNREFUSED ::1; connect ECONNREFUSED 127.0.0.1',
    );
  });
});
