/** Once per test run: starts the PostgreSQL that the tests of the project `postgres` share, and ends it. */
import type { TestProject } from 'vitest/node';
import { findPostgres, startPostgres } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where databases can be made; absent in the project that runs on the embedded database. */
    postgresUrl?: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const binaries = await findPostgres();
  if (binaries === undefined) throw new Error('PostgreSQL was there a moment ago');
  const server = await startPostgres(binaries);
  project.provide('postgresUrl', server.url);
  return async () => server[Symbol.asyncDispose]();
}
