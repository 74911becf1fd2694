/** Bytes by their SHA-256, as files: `<dir>/ab/abcdef….png`. Whole or not there; the same bytes are stored once. */
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export class Blobs {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** On disk, also after a power cut, when this resolves. @returns the SHA-256, lower-case hexadecimal. */
  async put(bytes: Uint8Array, extension: string): Promise<string> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const path = this.path(sha256, extension);
    if (await exists(path)) return sha256;
    await makeFolder(dirname(path));
    const draft = join(dirname(path), `.${randomUUID()}`);
    try {
      await writeFlushed(draft, bytes);
      await rename(draft, path);
    } finally {
      await rm(draft, { force: true });
    }
    await flushFolder(dirname(path));
    return sha256;
  }

  async get(sha256: string, extension: string): Promise<Buffer | undefined> {
    try {
      return await readFile(this.path(sha256, extension));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  has(sha256: string, extension: string): Promise<boolean> {
    return exists(this.path(sha256, extension));
  }

  /** To be called once no row names it. */
  async remove(sha256: string, extension: string): Promise<void> {
    await rm(this.path(sha256, extension), { force: true });
  }

  /**
   * The SHA-256 of each file that was written before `moment` (in milliseconds since 1970). Drafts as old as that, which a
   * server that was killed has left, are deleted on the way.
   */
  async *writtenBefore(moment: number): AsyncGenerator<string> {
    for (const folder of await readdir(this.#dir).catch(() => [])) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      for (const name of await readdir(join(this.#dir, folder))) {
        const path = join(this.#dir, folder, name);
        const found = await stat(path).catch(() => undefined);
        if (found === undefined || found.mtimeMs >= moment) continue;
        const [, sha256] = /^([0-9a-f]{64})\.\w+$/.exec(name) ?? [];
        if (sha256 !== undefined) yield sha256;
        else if (name.startsWith('.')) await rm(path, { force: true });
      }
    }
  }

  path(sha256: string, extension: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256) || !/^[a-z0-9]+$/.test(extension)) throw new Error('Not the name of a blob');
    return join(this.#dir, sha256.slice(0, 2), `${sha256}.${extension}`);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Each folder that is new is an entry of the one above it. */
async function makeFolder(path: string): Promise<void> {
  const highest = await mkdir(path, { recursive: true });
  if (highest === undefined) return;
  for (let folder = path; folder.length >= highest.length; folder = dirname(folder)) await flushFolder(dirname(folder));
}

async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx');
  await file.writeFile(bytes);
  await file.sync();
}

export async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using folder = await open(path, 'r');
  await folder.sync();
}
