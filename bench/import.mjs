// npm run bench:import [-- --collection DIR --rounds 3]
// How fast a collection becomes a packed training file. The last line is JSON.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packOf } from '../scripts/lib/built.mjs';
import { runScript, say } from '../scripts/lib/log.mjs';
import { root } from '../scripts/lib/paths.mjs';
import { setUp } from '../scripts/lib/setup.mjs';
import { keepResult } from './results.mjs';

const settings = parseArgs({
  options: {
    collection: { type: 'string', default: join(root, 'starter', 'collection') },
    rounds: { type: 'string', default: '3' },
  },
}).values;

/** @param {string} folder */
const bytesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0);

await runScript(async () => {
  await setUp();
  const source = resolve(settings.collection);
  const megabytes = bytesIn(source) / 1e6;
  const rounds = [];
  for (let round = 0; round < Number(settings.rounds); round++) {
    const folder = mkdtempSync(join(tmpdir(), 'artgan-bench-'));
    const begin = performance.now();
    const { count } = await packOf(source, folder);
    const seconds = (performance.now() - begin) / 1000;
    rmSync(folder, { recursive: true, force: true });
    rounds.push({ pictures: count, seconds });
    say(`${count} pictures in ${seconds.toFixed(1)} s`);
  }
  const [median = { pictures: 0, seconds: 1 }] = rounds.sort((a, b) => a.seconds - b.seconds).slice(rounds.length >> 1);
  const { pictures, seconds } = median;
  const result = { pictures, seconds, picturesPerSecond: pictures / seconds, megabytesPerSecond: megabytes / seconds };
  keepResult('import', result);
  console.log(JSON.stringify(result));
});
