// npm run bench:scale [-- --seconds 4]
// How the time of a training step of studio grows with width, resolution and batch, one at a time from 16 channels,
// 64 pixels and 16 pictures. The last line is JSON.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runScript, say } from '../scripts/lib/log.mjs';
import { setUp } from '../scripts/lib/setup.mjs';
import { keepResult } from './results.mjs';
import { measured } from './side.mjs';

const USUAL = { width: 16, resolution: 64, batch: 16 };
const POINTS = { width: [8, 16, 24, 32, 48, 64], resolution: [32, 64, 128, 256], batch: [2, 4, 8, 16, 32, 64] };
const { seconds } = parseArgs({ options: { seconds: { type: 'string', default: '4' } } }).values;

/** @param {typeof USUAL} point @returns {Promise<{ msPerStep: number, picturesPerSecond: number }>} */
function timeOf({ width, resolution, batch }) {
  const side = join(import.meta.dirname, 'sides', 'scale.mjs');
  return measured(process.execPath, [side, ...[width, resolution, batch].map(String), seconds]);
}

await runScript(async () => {
  await setUp();
  /** @type {Record<string, object[]>} */
  const result = {};
  for (const [name, values] of Object.entries(POINTS)) {
    const points = [];
    for (const value of values) {
      const time = await timeOf({ ...USUAL, [name]: value });
      say(`${name} ${value}: ${time.msPerStep.toFixed(1)} ms a step, ${time.picturesPerSecond.toFixed(0)} pictures/s`);
      points.push({ [name]: value, ...time });
    }
    result[name] = points;
  }
  keepResult('scale', result);
  console.log(JSON.stringify(result));
});
