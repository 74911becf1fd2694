/** What lists are asked for by: conditions that several of them share. What was not given is no condition. */
import { ilike, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { LabelKind } from '../core/labels.ts';
import { datasets, labels } from './tables.ts';

/** Null and undefined: not asked for. */
export type Asked<Value> = Value | null | undefined;

export function given<Value>(value: Asked<Value>, condition: (value: Value) => SQL | undefined): SQL | undefined {
  return value === null || value === undefined ? undefined : condition(value);
}

/** The column contains the text, in upper or lower case. Nothing in the text is a wildcard. */
export function contains(column: PgColumn, text: string): SQL {
  return ilike(column, `%${text.replace(/[\\%_]/g, '\\$&')}%`);
}

/** A moment as the database counts from the epoch: it reads fewer years as text than a Date has. */
export function momentOf(date: Date): SQL {
  return sql`('epoch'::timestamptz + ${date.getTime()}::float8 * interval '1 millisecond')`;
}

/** The id of a dataset, by its slug or its id; null where there is none. */
export function datasetNamed(text: string): SQL {
  const isNamed = sql`${datasets.slug} = ${text} or ${datasets.id} = ${text}`;
  return sql`(select ${datasets.id} from ${datasets} where ${isNamed} limit 1)`;
}

/** The id of a label of a kind, by its slug or its id; null where there is none. */
export function labelNamed(kind: LabelKind, text: string): SQL {
  const isNamed = sql`${labels.kind} = ${kind} and (${labels.slug} = ${text} or ${labels.id} = ${text})`;
  return sql`(select ${labels.id} from ${labels} where ${isNamed} limit 1)`;
}
