/**
 * What a field says of itself for the pipeline before it runs: who may ask for it, what it costs, how many entries it can
 * have, how long it may take, and how long its answer stays true. Kept beside the field, in its GraphQL extensions.
 */
import type { GraphQLField } from 'graphql';
import { Extensions } from 'type-graphql';
import type { Scope } from '../core/access.ts';

export type FieldArgs = Readonly<Record<string, unknown>>;

export interface FieldPolicy {
  /** What a key must be for; null: any key will do. Queries and subscriptions that do not say: read. */
  readonly scope?: Scope | null;
  /** Points of the field itself; 1 where it does not say. One point is a value read from what is in memory. */
  readonly cost?: number | ((args: FieldArgs) => number);
  /** Points of a statement that serves all parents at once, however many there are. */
  readonly once?: number;
  /** The most entries of a list: what is selected below costs so many times as much. */
  readonly size?: number | ((args: FieldArgs) => number);
  /** How long it may take beyond what every operation may. */
  readonly waitMs?: (args: FieldArgs) => number;
  /** How long its answer stays true. */
  readonly cacheSeconds?: number | ((args: FieldArgs) => number);
}

/** Points of a statement that finds rows by their parents, and of one that counts what may be all there is. */
export const STATEMENT_COST = 30;
export const COUNT_COST = 100;

const KEY = 'artgan';

export function Policy(policy: FieldPolicy) {
  return Extensions({ [KEY]: policy });
}

const NONE: FieldPolicy = {};

export function policyOf(field: Pick<GraphQLField<unknown, unknown>, 'extensions'>): FieldPolicy {
  return (field.extensions[KEY] as FieldPolicy | undefined) ?? NONE;
}

/** An argument as a number; `otherwise` where it is null or was left out. */
export function numberIn(args: FieldArgs, name: string, otherwise: number): number {
  const value = args[name];
  return typeof value === 'number' ? value : otherwise;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** How long a list in an input is. */
export function lengthIn(input: unknown, name: string): number {
  return listOf(fieldIn(input, name)).length;
}

/** What an input holds under a name. */
export function fieldIn(input: unknown, name: string): unknown {
  return typeof input === 'object' && input !== null ? (input as FieldArgs)[name] : undefined;
}
