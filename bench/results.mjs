// Results of the benchmarks as files, from which `npm run bench:page` makes docs/benchmarks.md.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'results');

/** @param {string} name @param {object} result */
export function keepResult(name, result) {
  mkdirSync(folder, { recursive: true });
  const machine = `${cpus().length} cores: ${cpus()[0]?.model.trim()}`;
  const whole = { date: new Date().toISOString().slice(0, 10), machine, ...result };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(whole, null, 2)}\n`);
}

/** Undefined where the benchmark has not been run. @param {string} name */
export function resultOf(name) {
  try {
    return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {readonly number[]} values */
export function medianOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
