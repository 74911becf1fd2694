// npm run bench:soak [-- --minutes 60 --pictures 100000]
// Whether memory stays flat: a trainer child that trains for so long, then a generator child that paints so many pictures.
// Both tell what they use every second. The last line is JSON: bytes of memory and tensors after a warm-up and at the end.
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { built, packOf } from '../scripts/lib/built.mjs';
import { Stop } from '../scripts/lib/errors.mjs';
import { runScript, say } from '../scripts/lib/log.mjs';
import { dist, root } from '../scripts/lib/paths.mjs';
import { setUp } from '../scripts/lib/setup.mjs';
import { keepResult } from './results.mjs';

const settings = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    pictures: { type: 'string', default: '100000' },
    width: { type: 'string', default: '16' },
  },
}).values;
const AT_ONCE = 64;
/** The first tenth is warm-up: TensorFlow's own pools fill. */
const WARM_UP = 0.1;

/** @typedef {{ rss: number, tensors: number }} Use */
/** @param {readonly Use[]} uses */
function summary(uses) {
  const after = uses.slice(Math.floor(uses.length * WARM_UP));
  const tenth = Math.max(1, Math.floor(after.length / 10));
  const mean = (/** @type {readonly Use[]} */ some) => some.reduce((sum, { rss }) => sum + rss, 0) / some.length;
  const [first, last] = [mean(after.slice(0, tenth)), mean(after.slice(-tenth))];
  const tensors = after.map((use) => use.tensors);
  return {
    firstMiB: Math.round(first / 2 ** 20),
    lastMiB: Math.round(last / 2 ** 20),
    growth: Number((last / first - 1).toFixed(4)),
    fewestTensors: Math.min(...tensors),
    mostTensors: Math.max(...tensors),
  };
}

/** A child and what it says. @param {'trainer' | 'generator'} role */
function start(role) {
  const child = fork(join(dist, 'engine', 'child', 'main.js'), [role], { serialization: 'advanced' });
  /** @type {Use[]} */
  const uses = [];
  child.on('message', (/** @type {any} */ message) => {
    if (message.type === 'alive') uses.push(message);
  });
  return { child, uses };
}

/** @param {{ file: string, sha256: string }} pack @param {string} folder */
async function trainFor(pack, folder) {
  const { resolveConfig } = await built('core/presets.js');
  const config = resolveConfig({
    preset: 'studio',
    resolution: 64,
    config: { width: Number(settings.width), sampleEvery: 100, checkpointEvery: 500, evaluateEvery: 0 },
  });
  const { child, uses } = start('trainer');
  const checkpointsDir = join(folder, 'checkpoints');
  mkdirSync(checkpointsDir);
  const job = {
    ...{ name: 'soak', config, seed: 1, totalSteps: 10_000_000, pack: pack.file, checkpointsDir, resumeFrom: [] },
    packSha256: pack.sha256,
    ...{ classifiersDir: join(folder, 'classifiers'), measuredStep: 0, modelDir: join(folder, 'model') },
  };
  let steps = 0;
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
    child.on('message', (/** @type {any} */ message) => {
      if (message.type === 'hello') child.send({ type: 'train', job });
      if (message.type === 'metrics') steps = message.step;
      if (message.type === 'checkpoint') rmSync(message.dir, { recursive: true, force: true });
      if (message.type === 'ended' && message.reason !== 'cancel')
        reject(new Stop(`The training ended: ${message.message}`));
    });
    setTimeout(() => child.send({ type: 'stop', why: 'cancel' }), Number(settings.minutes) * 60_000);
  });
  return { minutes: Number(settings.minutes), steps, ...summary(uses) };
}

async function paintMany() {
  const { child, uses } = start('generator');
  const count = Number(settings.pictures);
  const modelDir = join(root, 'starter', 'model');
  let painted = 0;
  const ask = () => {
    const pictures = Array.from({ length: AT_ONCE }, (_, i) => ({
      conditions: { style: 'ukiyo-e' },
      seed: painted + i,
      truncation: 1,
    }));
    child.send({ type: 'paint', id: painted, modelDir, pictures });
  };
  const begin = performance.now();
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => reject(new Stop('The generator has ended')));
    child.on('message', (/** @type {any} */ message) => {
      if (message.type === 'refused') reject(new Stop(message.message));
      if (message.type !== 'hello' && message.type !== 'painted') return;
      if (message.type === 'painted') painted += AT_ONCE;
      if (painted < count) ask();
      else resolve(undefined);
    });
  });
  child.disconnect();
  const picturesPerSecond = (painted * 1000) / (performance.now() - begin);
  return { pictures: painted, picturesPerSecond: Math.round(picturesPerSecond), ...summary(uses) };
}

await runScript(async () => {
  await setUp();
  const folder = mkdtempSync(join(tmpdir(), 'artgan-soak-'));
  try {
    const pack = await packOf(join(root, 'starter', 'collection'));
    say(`Training for ${settings.minutes} minutes …`);
    const training = await trainFor(pack, folder);
    say(JSON.stringify(training));
    say(`Painting ${settings.pictures} pictures …`);
    const result = { training, painting: await paintMany() };
    keepResult('soak', result);
    console.log(JSON.stringify(result));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
