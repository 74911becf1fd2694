/** The embedded database: PGlite in `<dataDir>/database`, for this process alone. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { migrate } from 'drizzle-orm/pglite/migrator';
import { AppError } from '../core/errors.ts';
import type { Store } from './db.ts';
import { lockDataDir } from './lock-file.ts';
import { reasonOf } from './reason.ts';
import { StatementCount } from './statement-count.ts';
import * as tables from './tables.ts';

export async function openPglite(dataDir: string, migrationsFolder: string): Promise<Store> {
  const folder = join(dataDir, 'database');
  const unlock = await lock(dataDir);
  let client: PGlite | undefined;
  const close = async () => {
    try {
      await client?.close();
    } finally {
      await unlock();
    }
  };
  try {
    if (await isEmpty(folder)) await makeDatabase(folder);
    client = await PGlite.create({ dataDir: folder });
    const statements = new StatementCount();
    const db = drizzle(client, { schema: tables, logger: statements });
    await migrate(db, { migrationsFolder });
    const { listen } = client;
    return {
      db,
      kind: 'pglite',
      soleOwner: true,
      statements: () => statements.count,
      listen: listen.bind(client),
      [Symbol.asyncDispose]: close,
    };
  } catch (cause) {
    // A database that cannot be opened may not be closable either; what it says first is what matters.
    await close().catch(() => {});
    throw unusable(folder, cause);
  }
}

async function lock(dataDir: string): Promise<() => Promise<void>> {
  try {
    await mkdir(dataDir, { recursive: true });
    return await lockDataDir(dataDir);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const advice = 'Give this user the right to write there, or choose another DATA_DIR.';
    const message = `The data folder ${dataDir} cannot be used: ${reasonOf(cause)}. ${advice}`;
    throw new AppError('INVALID_CONFIG', message, { cause });
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries.length === 0;
}

/** To make one takes seconds, and one that is half made can never be opened: it gets its name when it is whole. */
async function makeDatabase(folder: string): Promise<void> {
  const draft = `${folder}.new`;
  // Of a start that was ended in the middle; the lock says that it is nobody's now.
  await rm(draft, { recursive: true, force: true });
  const made = await PGlite.create({ dataDir: draft });
  await made.close();
  await rename(draft, folder);
}

function unusable(folder: string, cause: unknown): AppError {
  const advice =
    'Nothing was deleted. Put a backup of the folder back, or move it away to begin with an empty database.';
  const message = `The database in ${folder} cannot be used: ${reasonOf(cause)}. ${advice}`;
  return new AppError('DATABASE_UNAVAILABLE', message, { cause });
}
