/** Files that are either whole or not there: written beside, flushed to disk, renamed, and the folder flushed too. */
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Makes `dir` with these files, all or nothing. An older folder of that name is replaced. */
export function writeFolder(dir: string, files: ReadonlyMap<string, Uint8Array>): void {
  const parent = dirname(dir);
  mkdirSync(parent, { recursive: true });
  const draft = join(parent, `.${basename(dir)}.${randomUUID()}`);
  try {
    mkdirSync(draft);
    for (const [name, bytes] of files) writeFlushed(join(draft, name), bytes);
    flushFolder(draft);
    // rename() does not replace a folder that holds something.
    rmSync(dir, { recursive: true, force: true });
    renameSync(draft, dir);
    flushFolder(parent);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
}

function writeFlushed(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'wx');
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function flushFolder(path: string): void {
  // Windows cannot open a folder; there the rename itself is what can be had.
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
