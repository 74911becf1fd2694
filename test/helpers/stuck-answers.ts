/**
 * A server that has done what a mutation asks for and gets no further: its database holds up, or refuses, the writing of
 * the answer, so that it can be killed between doing and answering.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import pg from 'pg';
import { type Db, openStore } from '../../src/store/db.ts';
import type { TestDatabase } from './database.ts';

/** It leaves a mark where the database keeps its files, then sleeps longer than any test. */
const SLEEP = `
  execute format('copy (select 1) to %L', current_setting('data_directory') || '/stuck-' || current_database());
  perform pg_sleep(3600);`;
const REFUSE = "raise exception 'no answer is written';";

async function onAnswer(db: Db, body: string): Promise<void> {
  await db.execute(
    sql.raw(`create function on_answer() returns trigger language plpgsql as $$ begin ${body} return new; end $$`),
  );
  const when = 'before update on idempotency_keys for each row when (new.answer is not null)';
  await db.execute(sql.raw(`create trigger on_answer ${when} execute function on_answer()`));
}

async function noMore(db: Db): Promise<void> {
  await db.execute(sql`drop function on_answer cascade`);
}

/** While it works, no answer can be written. */
export async function withoutAnswers<T>(db: Db, work: () => Promise<T>): Promise<T> {
  await onAnswer(db, REFUSE);
  try {
    return await work();
  } finally {
    await noMore(db);
  }
}

/** To be called while no server runs. */
export async function holdAnswers({ options }: TestDatabase): Promise<void> {
  await using store = await openStore(options);
  await onAnswer(store.db, SLEEP);
}

export async function isHoldingAnswer({ kind, options }: TestDatabase): Promise<boolean> {
  if (kind === 'postgres') return (await askPostgres(options.databaseUrl, STUCK)) === 1;
  return access(join(options.dataDir, 'database', 'stuck-postgres')).then(
    () => true,
    () => false,
  );
}

/** To be called when the server has been killed: a PostgreSQL would go on without it. */
export async function letAnswersGo({ kind, options }: TestDatabase): Promise<void> {
  if (kind === 'postgres') await askPostgres(options.databaseUrl, END_OTHERS);
  await using store = await openStore(options);
  await noMore(store.db);
}

const OTHERS = 'pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
const STUCK = `select from ${OTHERS} and wait_event = 'PgSleep'`;
const END_OTHERS = `select pg_terminate_backend(pid) from ${OTHERS}`;

/** @returns how many rows the answer has */
async function askPostgres(connectionString: string | undefined, statement: string): Promise<number> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(statement)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
