// Files that are either whole or not there: written beside their place, then renamed into it; and hashes of files.
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, createReadStream, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** @param {string} path */
const beside = (path) => `${path}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;

/**
 * @param {string} path
 * @param {(temporary: string) => void} fill
 */
function whole(path, fill) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = beside(path);
  try {
    fill(temporary);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * @param {string} path
 * @param {unknown} value
 */
export function writeJson(path, value) {
  whole(path, (temporary) => writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`));
}

/**
 * @param {string} from
 * @param {string} to
 */
export function copyWhole(from, to) {
  whole(to, (temporary) => copyFileSync(from, temporary));
}

/**
 * The value in a JSON file; undefined when there is none, or it is damaged.
 * @param {string} path
 * @returns {any}
 */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {...(string | Uint8Array)} parts */
export function sha256(...parts) {
  const hash = createHash('sha256');
  // The length goes first: 'ab', 'c' and 'a', 'bc' must differ.
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}

/** @param {string} path  a file that may be too large for memory */
export async function sha256OfFile(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
