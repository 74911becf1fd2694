/** Once per test run: a folder for the embedded database that every test's own is a copy of; see database.ts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Absent in the project that runs on PostgreSQL. */
    templateFolder?: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'artgan-template-'));
  project.provide('templateFolder', folder);
  return () => rm(folder, { recursive: true, force: true });
}
