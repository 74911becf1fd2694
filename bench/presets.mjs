// npm run bench:presets [-- --minutes 12 --out DIR --only studio,icip2017-narrow]
// The presets on the starter collection, each for the same time on the same cores, then measured. The last line is JSON.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packOf } from '../scripts/lib/built.mjs';
import { Stop } from '../scripts/lib/errors.mjs';
import { runScript, say } from '../scripts/lib/log.mjs';
import { root, work } from '../scripts/lib/paths.mjs';
import { setUp } from '../scripts/lib/setup.mjs';
import { keepResult } from './results.mjs';
import { measured } from './side.mjs';

/** Each as it comes, and the paper's networks at the width and batch that studio has: as the paper prints them, two
 * processor cores make a few dozen steps in the time. */
const SIDES = {
  studio: { preset: 'studio' },
  'icip2017-narrow': { preset: 'icip2017', width: 24, batchSize: 16 },
  icip2017: { preset: 'icip2017' },
};
const settings = parseArgs({
  options: {
    minutes: { type: 'string', default: '12' },
    out: { type: 'string', default: join(work, 'bench-presets') },
    only: { type: 'string', default: Object.keys(SIDES).join(',') },
  },
}).values;

await runScript(async () => {
  await setUp();
  say('Reading the starter collection …');
  const pack = await packOf(join(root, 'starter', 'collection'));
  mkdirSync(settings.out, { recursive: true });
  const rows = [];
  for (const name of settings.only.split(',')) {
    const config = SIDES[/** @type {keyof typeof SIDES} */ (name)];
    if (config === undefined) throw new Stop(`There is no side ${name}. Sides: ${Object.keys(SIDES).join(', ')}.`);
    say(`${name}: ${settings.minutes} minutes of processor time`);
    const side = join(import.meta.dirname, 'sides', 'preset.mjs');
    const request = {
      pack,
      classifiersDir: join(work, 'classifiers'),
      out: settings.out,
      minutes: Number(settings.minutes),
      name,
      resolution: 64,
      config,
    };
    const row = await measured(process.execPath, [side, JSON.stringify(request)]);
    const { kid, fidelity } = row.measures;
    const read = fidelity
      .map((/** @type {any} */ one) => `${one.kind} ${(100 * one.accuracy).toFixed(0)} %`)
      .join(', ');
    say(`  ${row.steps} steps, KID ${kid.value.toFixed(3)} (${kid.low.toFixed(3)} to ${kid.high.toFixed(3)}), ${read}`);
    rows.push(row);
  }
  const result = { minutes: Number(settings.minutes), rows };
  keepResult('presets', result);
  console.log(JSON.stringify(result));
});
