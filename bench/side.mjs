// One side of a benchmark: a program of its own, whose last line is JSON.
import { run } from '../scripts/lib/command.mjs';
import { Stop } from '../scripts/lib/errors.mjs';

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ timeoutMs?: number }} [limits]
 */
export async function measured(program, args, limits) {
  const { code, stdout, stderr } = await run(program, args, limits);
  if (code !== 0) throw new Stop(`${[program, ...args].join(' ')} failed:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
