// Programs of a benchmark that stay: the parent asks, the child answers, over the channel of `fork`.
import { fork } from 'node:child_process';

/** A benchmark that breaks off takes its children with it. @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
process.once('exit', () => {
  for (const child of children) child.kill();
});

/**
 * @typedef {object} Child
 * @property {(what: string, args?: object) => Promise<any>} ask
 * @property {() => Promise<void>} end
 */

/** @param {string} program @param {Readonly<Record<string, string>>} [env] @returns {Promise<Child>} */
export async function startChild(program, env = {}) {
  const child = fork(program, [], { execArgv: ['--expose-gc'], env: { ...process.env, ...env } });
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  const waiting = new Map();
  let last = 0;
  child.on('message', (/** @type {any} */ { id, result, error }) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(result);
    else asked?.reject(new Error(error));
  });
  children.add(child);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.once('exit', (code) => {
    children.delete(child);
    for (const { reject } of waiting.values()) reject(new Error(`${program} ended with ${code}`));
  });
  /** @type {Child['ask']} */
  const ask = (what, args = {}) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      child.send({ id: last, what, args });
    });
  await ask('ready');
  return {
    ask,
    end: async () => {
      child.disconnect();
      await gone;
    },
  };
}

/**
 * The child's part: what it can be asked, until its parent leaves.
 * @param {Readonly<Record<string, (args: any) => unknown>>} answers
 * @param {() => Promise<void>} [close]
 */
export function serve(answers, close = () => Promise.resolve()) {
  /** @type {Readonly<Record<string, (args: any) => unknown>>} */
  const all = { ready: () => true, ...answers };
  process.on('message', async (/** @type {any} */ { id, what, args }) => {
    try {
      process.send?.({ id, result: await all[what]?.(args) });
    } catch (error) {
      process.send?.({ id, error: String(error instanceof Error ? error.stack : error) });
    }
  });
  process.on('disconnect', () => void close().finally(() => process.exit(0)));
}

/** What this process has used so far, after its garbage is gone. */
export function use() {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return { rss, heapUsed, external, cpuSeconds: (user + system) / 1e6 };
}

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
