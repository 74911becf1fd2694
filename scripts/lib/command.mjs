// Child processes: found on the PATH, run to their end, never through a shell.
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/**
 * The full path of a program on the PATH, or undefined.
 * @param {string} name
 */
export function which(name) {
  if (name === '') return undefined;
  const extensions = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const places = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name));
  return places.flatMap((place) => extensions.map((extension) => place + extension)).find(isProgram);
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
/** npm undoes half an installation when it is told to end. */
const GRACE_MS = 5_000;
/** @type {NodeJS.Signals | undefined} */
let ending;

/** When we are ended, what we started ends first. @param {NodeJS.Signals} signal */
function passOn(signal) {
  // The second time is meant: no more patience.
  for (const child of running) child.kill(ending ? 'SIGKILL' : signal);
  ending ??= signal;
  setTimeout(() => passOn(signal), GRACE_MS).unref();
  endIfLast();
}

function endIfLast() {
  if (!ending || running.size > 0) return;
  forgetSignals();
  process.kill(process.pid, ending);
}

function forwardSignals() {
  if (process.listeners('SIGTERM').includes(passOn)) return;
  for (const signal of SIGNALS) process.on(signal, passOn);
}

/** Leaves signals to whoever runs in this process next. */
export function forgetSignals() {
  for (const signal of SIGNALS) process.off(signal, passOn);
}

/** @type {Record<'collect' | 'stderr' | 'inherit', 'pipe' | 'inherit' | 2>} */
const OUTPUTS = { collect: 'pipe', stderr: 2, inherit: 'inherit' };

/**
 * @typedef {object} Outcome
 * @property {number} code  exit code; 127 when the program could not be started, 128 when a signal ended it
 * @property {string} ending  how it ended, in words
 * @property {string} stdout
 * @property {string} stderr
 * @property {string} output  both, in the order in which they came
 */

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, output?: 'collect' | 'stderr' | 'inherit', timeoutMs?: number }} [options]
 * @returns {Promise<Outcome>}
 */
export function run(program, args, options = {}) {
  forwardSignals();
  return new Promise((resolve) => {
    const output = OUTPUTS[options.output ?? 'collect'];
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', output, output],
      timeout: options.timeoutMs,
      windowsHide: true,
    });
    running.add(child);
    const outcome = { code: 0, ending: '', stdout: '', stderr: '', output: '' };
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      outcome.stdout += text;
      outcome.output += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      outcome.stderr += text;
      outcome.output += text;
    });
    /** @param {Partial<Outcome>} end */
    const settle = (end) => {
      running.delete(child);
      // Whoever waits for this child must not go on without it while everything ends.
      if (ending) endIfLast();
      else resolve({ ...outcome, ...end });
    };
    child.on('error', (error) =>
      settle({ code: 127, ending: 'it did not start', output: outcome.output + error.message }),
    );
    child.on('close', (code, signal) =>
      settle({ code: code ?? 128, ending: signal ? `ended by ${signal}` : `exit code ${code}` }),
    );
  });
}

/**
 * The last lines of an output, indented, for an error message.
 * @param {string} output
 * @param {number} [count]
 */
export function lastLines(output, count = 12) {
  return output
    .trim()
    .split('\n')
    .slice(-count)
    .map((line) => `    ${line}`)
    .join('\n');
}
