/** Scalars of the schema, and the one place that says how a value looks on the wire. */
import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { MAX_SEED } from '../core/seeds.ts';

export const DateTimeScalar = new GraphQLScalarType({ ...GraphQLDateTimeISO.toConfig(), name: 'DateTime' });
export const JsonScalar = GraphQLJSON;

function seedOf(value: unknown): number {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new GraphQLError(`A seed is a whole number from 0 to ${MAX_SEED}.`, { extensions: { code: 'BAD_USER_INPUT' } });
}

export const SeedScalar = new GraphQLScalarType({
  name: 'Seed',
  description: `An integer from 0 to 2^53 - 1. Every image has its own; same model + same inputs + same seed = same bytes.`,
  serialize: seedOf,
  parseValue: seedOf,
  parseLiteral: (node) => seedOf(node.kind === Kind.INT || node.kind === Kind.STRING ? node.value : undefined),
});

/** An absolute URL. Only ever given out, so what comes in is not opened, fetched or followed. */
export const UrlScalar = new GraphQLScalarType({
  name: 'URL',
  description: 'An absolute URL.',
  serialize: String,
  parseValue: (value) => new URL(String(value)).href,
});
