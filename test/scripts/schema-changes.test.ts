/** What may change between releases of the schema: nothing that clients rely on, until its day has come. */
import { readFileSync } from 'node:fs';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { describe, expect, it } from 'vitest';

type FaultsBetween = (released: GraphQLSchema, current: GraphQLSchema, today: Date) => string[];
const { faultsBetween }: { faultsBetween: FaultsBetween } = await import(
  new URL('../../scripts/lib/schema-changes.mjs', import.meta.url).href
);

const today = new Date('2027-06-01');
const faults = (released: string, current: string) => faultsBetween(buildSchema(released), buildSchema(current), today);
const deprecated = (reason: string) => `type Query { old: Int @deprecated(reason: "${reason}") new: Int }`;
const without = 'type Query { new: Int }';

describe('a new schema', () => {
  it('may offer more', () => {
    expect(
      faults(
        'enum Mood { WARM } type Query { a(b: Int): Int mood: Mood }',
        'enum Mood { WARM COLD } type Query { a(b: Int, c: Int): Int mood: Mood d: Int }',
      ),
    ).toEqual([]);
  });

  it.each([
    ['without a field', 'type Query { a: Int b: Int }', 'type Query { a: Int }', 'Query.b was removed.'],
    ['with a field of another type', 'type Query { a: Int }', 'type Query { a: String }', /Query\.a changed type/],
    ['with more that must be given', 'type Query { a: Int }', 'type Query { a(b: Int!): Int }', /required arg b/],
    ['with another default', 'type Query { a(b: Int = 1): Int }', 'type Query { a(b: Int = 2): Int }', /defaultValue/],
    ['without a value', 'enum E { A B } type Query { e: E }', 'enum E { A } type Query { e: E }', /B was removed/],
  ])('is refused %s', (_what, released, current, fault) => {
    expect(faults(released, current)).toEqual([expect.stringMatching(fault)]);
  });

  it('may leave out what was deprecated, once the day that was told has passed', () => {
    expect(faults(deprecated('Use new. Goes after 2027-05-01.'), without)).toEqual([]);
    expect(faults(deprecated('Use new. Goes after 2027-07-01.'), without)).toEqual(['Query.old was removed.']);
    const value = 'enum E { A B @deprecated(reason: "Use A. Goes after 2027-05-01.") } type Query { e: E }';
    expect(faults(value, 'enum E { A } type Query { e: E }')).toEqual([]);
  });

  it('says of what is deprecated what to use instead, and until when it stays', () => {
    expect(faults(without, deprecated('Use new. Goes after 2028-01-01.'))).toEqual([]);
    for (const reason of ['Not good.', 'Use new.', 'Goes after 2028-01-01.'])
      expect(faults(without, deprecated(reason))).toEqual([expect.stringContaining('Query.old is deprecated')]);
  });
});

it('the schema keeps what the last release promised', () => {
  const schemaIn = (name: string) =>
    buildSchema(readFileSync(new URL(`../../schema/${name}.graphql`, import.meta.url), 'utf8'));
  expect(faultsBetween(schemaIn('released'), schemaIn('schema'), new Date())).toEqual([]);
});
