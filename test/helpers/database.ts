/**
 * The database of a test: a fresh PGlite in a fresh folder, or a fresh database of the shared PostgreSQL. To make a PGlite
 * takes seconds, to copy one does not: the first test that needs one makes it for all.
 */
import { randomUUID } from 'node:crypto';
import { access, cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { openStore, type Store, type StoreOptions } from '../../src/store/db.ts';
import './pglite-setup.ts';
import './postgres-setup.ts';

export interface TestDatabase extends AsyncDisposable {
  /** For openStore and for a server's configuration; may be opened again after it was closed. */
  readonly options: Required<Pick<StoreOptions, 'dataDir'>> & { readonly databaseUrl: string | undefined };
  readonly kind: Store['kind'];
}

export async function testDatabase(): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'artgan-test-'));
  const server = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  if (server !== undefined) await administer(server, `create database ${name}`);
  else await cp(join(await template(), 'database'), join(dataDir, 'database'), { recursive: true });
  const databaseUrl = server === undefined ? undefined : Object.assign(new URL(server), { pathname: `/${name}` }).href;
  return {
    options: { dataDir, databaseUrl },
    kind: server === undefined ? 'pglite' : 'postgres',
    [Symbol.asyncDispose]: async () => {
      if (server !== undefined) await administer(server, `drop database ${name} with (force)`);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A store on a fresh database; closing it takes the database away. */
export async function openTestStore(): Promise<Store & { readonly dataDir: string }> {
  const database = await testDatabase();
  const store = await openStore(database.options);
  return {
    ...store,
    dataDir: database.options.dataDir,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function template(): Promise<string> {
  const folder = inject('templateFolder');
  if (folder === undefined) throw new Error('The tests of this project have a PostgreSQL');
  const made = join(folder, 'made');
  const isMade = () =>
    access(made).then(
      () => true,
      () => false,
    );
  if (await isMade()) return made;
  const draft = await mkdtemp(join(folder, 'draft-'));
  await (await openStore({ dataDir: draft }))[Symbol.asyncDispose]();
  await rename(draft, made).catch(async (error: unknown) => {
    // Another test file was first.
    if (!(await isMade())) throw error;
  });
  return made;
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
