// npm run bench:controlled [-- --minutes 10 --out DIR]
// Combinations that training never saw, on a collection painted by a script: studio learns from 48 of the 64 combinations
// of palette x stroke x motif; a classifier that knows all 64 reads what it paints. The last line is JSON.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packOf } from '../scripts/lib/built.mjs';
import { runScript, say } from '../scripts/lib/log.mjs';
import { work } from '../scripts/lib/paths.mjs';
import { setUp } from '../scripts/lib/setup.mjs';
import { keepResult } from './results.mjs';
import { measured } from './side.mjs';

const EACH = 12;
const settings = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    resolution: { type: 'string', default: '32' },
    out: { type: 'string', default: join(work, 'bench-controlled') },
  },
}).values;

await runScript(async () => {
  await setUp();
  const { combinations, paintCollection } = await import('./controlled/paint.mjs');
  const folders = { all: join(settings.out, 'all'), seen: join(settings.out, 'seen') };
  for (const [name, folder] of Object.entries(folders)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await paintCollection(folder, { each: EACH, withHeldOut: name === 'all' });
  }
  say(`Painted ${64 * EACH} pictures; ${48 * EACH} of them are for training.`);
  const request = {
    pack: await packOf(folders.seen),
    judge: await packOf(folders.all),
    classifiersDir: join(work, 'classifiers'),
    out: settings.out,
    minutes: Number(settings.minutes),
    name: 'controlled',
    resolution: Number(settings.resolution),
    config: { preset: 'studio' },
    combinations: combinations()
      .filter(({ heldOut }) => heldOut)
      .map(({ artist, style, genre }) => ({ artist, style, genre })),
  };
  const side = join(import.meta.dirname, 'sides', 'preset.mjs');
  const row = await measured(process.execPath, [side, JSON.stringify(request)]);
  for (const { seen, kinds } of row.measures.combinations) {
    const read = kinds.map((/** @type {any} */ one) => `${one.kind} ${(100 * one.accuracy).toFixed(0)} %`).join(', ');
    say(`${seen ? 'seen' : 'held out'}: ${read} (guessing: 25 %)`);
  }
  const result = { minutes: Number(settings.minutes), ...row };
  keepResult('controlled', result);
  console.log(JSON.stringify(result));
});
