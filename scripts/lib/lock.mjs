// One set-up at a time: a lock file that names its owner. Its owner touches it; a lock that nobody touches is left over
// from a process that was killed, and is taken away.
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './log.mjs';

const TOUCH_MS = 2_000;
const STALE_MS = 30_000;

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** @param {string} content */
function owner(content) {
  const [, pid, host] = content.match(/"pid":(\d+),"host":"([^"]*)"/) ?? [];
  return `process ${pid ?? 'unknown'} on ${host ?? 'an unknown machine'}`;
}

/**
 * @param {string} path
 * @param {string} content
 */
function leftOver(path, content) {
  try {
    const { pid, host } = JSON.parse(content);
    if (host === hostname()) process.kill(pid, 0);
  } catch (error) {
    // EPERM: alive, but another user's. SyntaxError: not ours, or half written; its age decides.
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH') return true;
  }
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > STALE_MS;
}

/**
 * Takes away a lock that was judged left over; gives it back if another process was quicker and it is a new one.
 * @param {string} path
 * @param {string} content
 */
function takeAway(path, content) {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
    if (read(aside) !== content) linkSync(aside, path);
  } catch {
    // It is gone, or a third process holds a new one: the next try will tell.
  } finally {
    rmSync(aside, { force: true });
  }
}

/**
 * Runs `work` while holding the lock file at `path`; waits for another holder first.
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, work) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), id: randomUUID() });
  for (let told = false; ; ) {
    try {
      writeFileSync(path, mine, { flag: 'wx' });
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    const other = read(path);
    if (other !== undefined && leftOver(path, other)) {
      takeAway(path, other);
      continue;
    }
    if (!told && other) say(`Another set-up is at work here (${owner(other)}): waiting for it.`);
    told ||= other !== undefined && other !== '';
    await sleep(250);
  }
  const touch = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // Deleted by hand: nothing to keep alive.
    }
  }, TOUCH_MS);
  const release = () => {
    clearInterval(touch);
    if (read(path) === mine) rmSync(path, { force: true });
  };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}
