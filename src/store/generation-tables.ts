/** The table of jobs that paint many pictures. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { GENERATION_STATUSES } from '../core/generation-state.ts';
import type { Mix } from '../core/mix.ts';
import { models } from './tables.ts';

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });

export const generations = pgTable(
  'generations',
  {
    id: text('id').primaryKey(),
    /** Who asked for it (core/access.ts viewerId). */
    owner: text('owner').notNull(),
    /** Of its owner: the same key is the same job. */
    idempotencyKey: text('idempotency_key'),
    /** Of the request: the same key for another one is refused. */
    fingerprint: text('fingerprint').notNull(),
    name: text('name'),
    modelId: text('model_id')
      .notNull()
      .references(() => models.id),
    mix: jsonb('mix').$type<Mix>().notNull(),
    seed: bigint('seed', { mode: 'number' }).notNull(),
    truncation: doublePrecision('truncation').notNull(),
    n: integer('n').notNull(),
    /** The first so many pictures are there, as files. */
    done: integer('done').notNull().default(0),
    bytes: bigint('bytes', { mode: 'number' }).notNull().default(0),
    status: text('status', { enum: GENERATION_STATUSES }).notNull().default('QUEUED'),
    /** Why it failed, or what it waits for. */
    error: text('error'),
    picturesPerSecond: doublePrecision('pictures_per_second'),
    /** Faults in a row, without a picture in between. */
    failures: integer('failures').notNull().default(0),
    /** Grows with every claim; a write that names an older one is refused. */
    fence: integer('fence').notNull().default(0),
    leaseUntil: moment('lease_until'),
    /** Its turn: jobs are worked on in this order, and go to its end when their turn is over. */
    turnAt: moment('turn_at').notNull().default(sql`now()`),
    createdAt: moment('created_at').notNull().default(sql`now()`),
    startedAt: moment('started_at'),
    finishedAt: moment('finished_at'),
  },
  (t) => [
    index('generations_created').on(t.createdAt, t.id),
    index('generations_turn').on(t.status, t.turnAt, t.id),
    index('generations_model').on(t.modelId),
    uniqueIndex('generations_key').on(t.owner, t.idempotencyKey),
    check('generations_n', sql`${t.n} > 0 and ${t.done} between 0 and ${t.n}`),
  ],
);

export type GenerationRow = typeof generations.$inferSelect;
