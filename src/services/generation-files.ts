/**
 * What a job has painted, as files of many pictures each: one write and one flush for a whole chunk.
 *
 *   <dataDir>/generations/<job>/<index of the first picture>.pack
 *     "ARTGAN-PACK 1\n"   length of the index, 4 bytes   index, JSON: [{ bytes, sha256 }]   the PNGs   SHA-256 of all before
 *
 * A file is there whole or not at all, and a picture is a function of its recipe: a chunk that is made again is the same file.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../core/errors.ts';
import { flushFolder } from '../store/blobs.ts';

const MAGIC = Buffer.from('ARTGAN-PACK 1\n');
const CHECK_BYTES = 32;
const index = z.array(z.object({ bytes: z.int().positive(), sha256: z.string() }));

export interface PackedPicture {
  readonly body: Buffer;
  readonly sha256: string;
}

export class GenerationFiles {
  readonly #dir: string;

  constructor(dataDir: string) {
    this.#dir = join(dataDir, 'generations');
  }

  /** On disk, also after a power cut, when this resolves. @returns its length in bytes */
  async write(job: string, first: number, pictures: readonly PackedPicture[]): Promise<number> {
    const folder = join(this.#dir, job);
    if ((await mkdir(folder, { recursive: true })) !== undefined) {
      for (const path of [this.#dir, join(this.#dir, '..')]) await flushFolder(path);
    }
    const file = packOf(pictures);
    const draft = join(folder, `.${randomUUID()}`);
    try {
      {
        await using handle = await open(draft, 'wx');
        await handle.writeFile(file);
        await handle.sync();
      }
      await rename(draft, this.#path(job, first));
    } finally {
      await rm(draft, { force: true });
    }
    await flushFolder(folder);
    return file.length;
  }

  /** @throws AppError DAMAGED_FILE where a byte is not as it was written, or the file is gone */
  async read(job: string, first: number): Promise<PackedPicture[]> {
    const file = await readFile(this.#path(job, first)).catch(() => undefined);
    const pictures = file === undefined ? undefined : picturesIn(file);
    if (pictures !== undefined) return pictures;
    throw new AppError('DAMAGED_FILE', `The pictures from number ${first + 1} on are damaged or gone.`);
  }

  /** All that a job has left. */
  async remove(job: string): Promise<void> {
    await rm(join(this.#dir, job), { recursive: true, force: true });
  }

  #path(job: string, first: number): string {
    return join(this.#dir, job, `${String(first).padStart(6, '0')}.pack`);
  }
}

function packOf(pictures: readonly PackedPicture[]): Buffer {
  const entries = Buffer.from(JSON.stringify(pictures.map(({ body, sha256 }) => ({ bytes: body.length, sha256 }))));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(entries.length);
  const parts = [MAGIC, length, entries, ...pictures.map(({ body }) => body)];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return Buffer.concat([...parts, hash.digest()]);
}

function picturesIn(file: Buffer): PackedPicture[] | undefined {
  const content = file.subarray(0, -CHECK_BYTES);
  const check = file.subarray(content.length);
  if (!content.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (!createHash('sha256').update(content).digest().equals(check)) return undefined;
  // From here on it is what was written.
  const begin = MAGIC.length + 4;
  const end = begin + content.readUInt32BE(MAGIC.length);
  let place = end;
  return index.parse(JSON.parse(content.subarray(begin, end).toString())).map(({ bytes, sha256 }) => {
    const body = content.subarray(place, place + bytes);
    place += bytes;
    return { body, sha256 };
  });
}
