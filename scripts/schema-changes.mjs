// npm run schema:changes: fails where schema/schema.graphql would break clients of the last release, whose schema is
// schema/released.graphql. With --release it becomes the schema of the release that is made now.
import './lib/node-version.mjs';

const { copyFileSync, readFileSync } = await import('node:fs');
const { join } = await import('node:path');
const { Stop } = await import('./lib/errors.mjs');
const { runScript, say } = await import('./lib/log.mjs');
const { root } = await import('./lib/paths.mjs');
const { setUp } = await import('./lib/setup.mjs');

const released = join(root, 'schema', 'released.graphql');
const current = join(root, 'schema', 'schema.graphql');

await runScript(async () => {
  await setUp();
  const { buildSchema } = await import('graphql');
  const { faultsBetween } = await import('./lib/schema-changes.mjs');
  const schemaIn = (/** @type {string} */ path) => buildSchema(readFileSync(path, 'utf8'));
  const faults = faultsBetween(schemaIn(released), schemaIn(current), new Date());
  if (faults.length > 0)
    throw new Stop(`Clients of the last release would break:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  if (!process.argv.includes('--release')) return;
  copyFileSync(current, released);
  say('schema/released.graphql is now the schema of this release');
});
