// npm run schema: prints schema/schema.graphql from the resolvers. With --check it writes nothing and fails where it differs.
import './lib/node-version.mjs';

const { readFileSync, writeFileSync } = await import('node:fs');
const { join } = await import('node:path');
const { pathToFileURL } = await import('node:url');
const { Stop } = await import('./lib/errors.mjs');
const { runScript, say } = await import('./lib/log.mjs');
const { dist, root } = await import('./lib/paths.mjs');
const { setUp } = await import('./lib/setup.mjs');

await runScript(async () => {
  await setUp();
  /** @param {string} file  below dist/ */
  const load = (file) => import(pathToFileURL(join(dist, file)).href);
  const { makeSchema } = await load('resolvers/schema.js');
  const { printedSchema } = await load('resolvers/print.js');
  const text = printedSchema(await makeSchema());
  const path = join(root, 'schema', 'schema.graphql');
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
    say('Wrote schema/schema.graphql');
  } else if (readFileSync(path, 'utf8') !== text) {
    throw new Stop('schema/schema.graphql is not what the resolvers say: run npm run schema.');
  }
});
