/** What the cache on the disk does with files: lists them, looks at their first bytes, writes them. */
import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface CachedFile {
  readonly name: string;
  readonly bytes: number;
  readonly usedMs: number;
}

/** Each waits for the disk, not for the processor. */
const LOOKED_AT_ONCE = 32;
const NAME = /^[0-9a-f]{64}$/;

/** The files of a cache's folder, the longest unused first. Anything else in its folders is deleted. */
export async function cachedFiles(dir: string, isOver: () => boolean): Promise<CachedFile[]> {
  const found: CachedFile[] = [];
  for (const folder of await readdir(dir).catch(() => [])) {
    const names = await readdir(join(dir, folder)).catch(() => []);
    for (let at = 0; at < names.length && !isOver(); at += LOOKED_AT_ONCE) {
      const some = names.slice(at, at + LOOKED_AT_ONCE);
      const files = await Promise.all(some.map((name) => cachedFile(join(dir, folder), name)));
      found.push(...files.filter((file) => file !== undefined));
    }
  }
  return found.sort((a, b) => a.usedMs - b.usedMs);
}

async function cachedFile(folder: string, name: string): Promise<CachedFile | undefined> {
  const path = join(folder, name);
  if (NAME.test(name)) {
    const found = await stat(path).catch(() => undefined);
    return found === undefined ? undefined : { name, bytes: found.size, usedMs: found.mtimeMs };
  }
  await rm(path, { force: true, recursive: true }).catch(() => undefined);
  return undefined;
}

/** Undefined where a file has no more than these. */
export async function firstBytes(
  path: string,
  n: number,
): Promise<{ readonly first: Buffer; readonly fileBytes: number } | undefined> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const { bytesRead, buffer } = await file.read(Buffer.alloc(n), 0, n, 0);
  return bytesRead === n && size > n ? { first: buffer, fileBytes: size } : undefined;
}

/** A new file of several parts, without one copy of them all. */
export async function writeParts(path: string, parts: readonly Uint8Array[]): Promise<void> {
  await using file = await open(path, 'wx');
  for (const part of parts) await file.writeFile(part);
}
