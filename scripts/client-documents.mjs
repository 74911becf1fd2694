// npm run client:documents: writes what client/ knows of the schema. With --check it writes nothing and fails where it differs.
import './lib/node-version.mjs';

const { existsSync, readFileSync, writeFileSync } = await import('node:fs');
const { join } = await import('node:path');
const { Stop } = await import('./lib/errors.mjs');
const { runScript, say } = await import('./lib/log.mjs');
const { installPackages, packagesReady } = await import('./lib/packages.mjs');
const { root } = await import('./lib/paths.mjs');

await runScript(async () => {
  if (!packagesReady()) await installPackages();
  const { clientFiles } = await import('./lib/client-documents.mjs');
  for (const [file, text] of await clientFiles()) {
    const path = join(root, file);
    const isSame = existsSync(path) && readFileSync(path, 'utf8') === text;
    if (process.argv.includes('--check')) {
      if (!isSame) throw new Stop(`${file} is not what the schema says: run npm run client:documents.`);
    } else if (!isSame) {
      writeFileSync(path, text);
      say(`Wrote ${file}`);
    }
  }
});
