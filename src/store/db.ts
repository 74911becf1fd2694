/** The database: PGlite in the data folder, or any PostgreSQL. One Db type, one set of migrations, one way to listen. */
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { AppError } from '../core/errors.ts';
import { openPglite } from './pglite.ts';
import { openPostgres } from './postgres.ts';
import type * as tables from './tables.ts';

export type Db = PgDatabase<PgQueryResultHKT, typeof tables>;

export interface Store extends AsyncDisposable {
  readonly db: Db;
  /** For logs and the doctor only: nothing behaves differently by it. */
  readonly kind: 'pglite' | 'postgres';
  /** No other process can have this database open. */
  readonly soleOwner: boolean;
  /** Statements run so far, for tests that count them. */
  readonly statements: () => number;
  /** Calls back with the payload of every notice on `channel`; the result stops it. Notices may be lost with a connection. */
  listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>>;
}

export interface StoreOptions {
  readonly dataDir: string;
  /** Unset: PGlite in `dataDir`. */
  readonly databaseUrl?: string | undefined;
}

export const MIGRATIONS = fileURLToPath(new URL('./migrations', import.meta.url));

/** @throws AppError DATA_DIR_LOCKED, or DATABASE_UNAVAILABLE with what to do. */
export async function openStore({ dataDir, databaseUrl }: StoreOptions): Promise<Store> {
  return databaseUrl === undefined ? openPglite(dataDir, MIGRATIONS) : openPostgres(databaseUrl, MIGRATIONS);
}

/** Whether the database answers. @throws AppError DATABASE_UNAVAILABLE */
export async function ping(db: Db): Promise<void> {
  try {
    await db.execute(sql`select 1`);
  } catch (cause) {
    throw new AppError('DATABASE_UNAVAILABLE', 'The database does not answer.', { cause, retryable: true });
  }
}
