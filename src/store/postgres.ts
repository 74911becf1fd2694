/** A PostgreSQL server by its URL; several artgan servers may share it. */
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { AppError } from '../core/errors.ts';
import type { Store } from './db.ts';
import { KEEP_ALIVE_MS, Listener } from './listener.ts';
import { reasonOf } from './reason.ts';
import { StatementCount } from './statement-count.ts';
import * as tables from './tables.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** Far above what any statement here takes: a bound for a server that has stopped answering, and for forgotten locks. */
const STATEMENT_TIMEOUT_MS = 60_000;
/** Any number, the same in every server: one of them migrates while the others wait. */
const MIGRATION_LOCK = 728_364_501;

export async function openPostgres(connectionString: string, migrationsFolder: string): Promise<Store> {
  const pool = new pg.Pool({
    connectionString,
    application_name: 'artgan',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    max: 10,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  const listener = new Listener(connectionString);
  try {
    await migrateAlone(connectionString, migrationsFolder);
  } catch (cause) {
    await pool.end();
    throw unavailable(connectionString, cause);
  }
  const statements = new StatementCount();
  return {
    db: drizzle(pool, { schema: tables, logger: statements }),
    kind: 'postgres',
    soleOwner: false,
    statements: () => statements.count,
    listen: (channel, heard) => listener.listen(channel, heard),
    [Symbol.asyncDispose]: async () => {
      await listener[Symbol.asyncDispose]();
      await pool.end();
    },
  };
}

/** On a connection of its own, whose end gives the lock back whatever happens; it may wait as long as another migrates. */
async function migrateAlone(connectionString: string, migrationsFolder: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await migrate(drizzle(client), { migrationsFolder });
  } finally {
    await client.end();
  }
}

/** Names the server and the database, never the password. */
function unavailable(connectionString: string, cause: unknown): AppError {
  const { host, pathname } = new URL(connectionString);
  const advice = 'Check DATABASE_URL and that the server runs.';
  const message = `PostgreSQL at ${host}${pathname} cannot be used: ${reasonOf(cause)}. ${advice}`;
  return new AppError('DATABASE_UNAVAILABLE', message, { cause });
}
