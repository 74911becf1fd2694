// npm run bench:train [-- --widths 16,64 --seconds 8 --rounds 3]
// A training step as a recorded graph against the same step as people write it with tfjs-node, in Python's tf.function
// and in PyTorch, and our own path operation by operation; generation against generation with tfjs-node. The last line is
// JSON: ratios of pictures per second, ours over theirs.
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../scripts/lib/command.mjs';
import { runScript, say } from '../scripts/lib/log.mjs';
import { tools } from '../scripts/lib/machine.mjs';
import { root, work } from '../scripts/lib/paths.mjs';
import { setUp } from '../scripts/lib/setup.mjs';
import { macsOfStep } from './macs.mjs';
import { keepResult } from './results.mjs';
import { measured as sideOf } from './side.mjs';

const LABELS = 10;
const sides = join(root, 'bench', 'sides');
const environment = join(work, 'bench-python');
const python = join(environment, 'bin', 'python');
const settings = parseArgs({
  options: {
    widths: { type: 'string', default: '16,32,64' },
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
  },
}).values;

/** @typedef {'graph' | 'plain' | 'ownEager' | 'tfFunction' | 'torch'} Side */

/** A Python with TensorFlow and PyTorch, made once. -> whether there is one */
async function pythonIsThere() {
  if (existsSync(join(environment, 'ready'))) return true;
  const { python: system } = await tools();
  if (!system) return false;
  say('Making a Python environment with TensorFlow and PyTorch for the comparison …');
  /** @param {string} program @param {readonly string[]} args */
  const done = async (program, args) => (await run(program, args, { output: 'inherit' })).code === 0;
  const file = join(sides, 'requirements.txt');
  return (
    (await done(system, ['-m', 'venv', environment])) &&
    (await done(python, ['-m', 'pip', 'install', '--quiet', '--only-binary=:all:', '-r', file])) &&
    (await done(python, ['-c', `open(r"${join(environment, 'ready')}", "w").close()`]))
  );
}

/** @param {string} program @param {readonly string[]} args @returns {Promise<Record<string, number>>} */
const measured = (program, args) => sideOf(program, args, { timeoutMs: 600_000 });

/** @param {Side} side @param {number} width */
async function stepRate(side, width) {
  const given = [String(width), settings.seconds];
  const { picturesPerSecond = Number.NaN } = await {
    graph: () => measured(process.execPath, [join(sides, 'step.mjs'), 'graph', ...given]),
    plain: () => measured(process.execPath, [join(sides, 'plain_step.mjs'), ...given]),
    ownEager: () => measured(process.execPath, [join(sides, 'step.mjs'), 'eager', ...given]),
    tfFunction: () => measured(python, [join(sides, 'tf_step.py'), ...given]),
    torch: () => measured(python, [join(sides, 'torch_step.py'), ...given]),
  }[side]();
  return picturesPerSecond;
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

const rounded = (/** @type {number} */ value) => Math.round(value * 1000) / 1000;

/**
 * Runs the sides in turn, round after round. -> ours over theirs, the median of the rounds; and ours
 * @template {string} S
 * @param {readonly S[]} names  ours first
 * @param {(side: S) => Promise<number>} rateOf
 */
async function compare(names, rateOf) {
  /** @type {Map<S, number[]>} */
  const rates = new Map(names.map((name) => [name, []]));
  for (let round = 0; round < Number(settings.rounds); round++) {
    for (const name of names) rates.get(name)?.push(await rateOf(name));
  }
  const ours = rates.get(/** @type {S} */ (names[0])) ?? [];
  const ratios = Object.fromEntries(
    names.slice(1).map((name) => [name, median(ours.map((rate, i) => rate / (rates.get(name)?.[i] ?? Number.NaN)))]),
  );
  for (const name of names)
    say(`  ${name}: ${(rates.get(name) ?? []).map((rate) => rate.toFixed(1)).join(', ')} pictures/s`);
  return { ours: median(ours), ratios };
}

await runScript(async () => {
  await setUp();
  const withPython = await pythonIsThere();
  say(`${cpus().length} cores: ${cpus()[0]?.model}`);
  /** @type {readonly Side[]} */
  const names = ['graph', 'plain', 'ownEager', ...(withPython ? /** @type {const} */ (['tfFunction', 'torch']) : [])];
  const orNull = (/** @type {number | undefined} */ ratio) => (ratio === undefined ? null : rounded(ratio));
  const rows = [];
  for (const width of settings.widths.split(',').map(Number)) {
    say(`Training step, width ${width}`);
    const { gmacPerSecond = Number.NaN } = await measured(process.execPath, [join(sides, 'matmul.mjs')]);
    const { ours, ratios } = await compare(names, (side) => stepRate(side, width));
    rows.push({
      width,
      picturesPerSecond: rounded(ours),
      vsEager: orNull(ratios['plain']),
      vsOwnEager: orNull(ratios['ownEager']),
      vsTfFunction: orNull(ratios['tfFunction']),
      vsTorch: orNull(ratios['torch']),
      matmulShare: rounded((ours * macsOfStep(width, LABELS)) / 1e9 / gmacPerSecond),
    });
  }
  const generate = [];
  for (const [width, n] of [
    [16, 8],
    [64, 8],
    [16, 1],
  ]) {
    say(`Generation, width ${width}, ${n} pictures`);
    const paint = async (/** @type {'graph' | 'plain' | 'ownEager'} */ side) => {
      const given = [String(width), String(n), settings.seconds];
      const args = {
        graph: ['paint.mjs', 'graph', ...given],
        plain: ['plain_paint.mjs', ...given],
        ownEager: ['paint.mjs', 'eager', ...given],
      }[side];
      const [program = '', ...rest] = args;
      const { picturesPerSecond = Number.NaN } = await measured(process.execPath, [join(sides, program), ...rest]);
      return picturesPerSecond;
    };
    const { ours, ratios } = await compare(/** @type {const} */ (['graph', 'plain', 'ownEager']), paint);
    generate.push({
      width,
      n,
      picturesPerSecond: rounded(ours),
      vsEager: orNull(ratios['plain']),
      vsOwnEager: orNull(ratios['ownEager']),
    });
  }
  keepResult('train', { rows, generate });
  console.log(JSON.stringify({ rows, generate }));
});
