/**
 * Random access to a packed training file without loading it whole. Used by trainer children, so it imports nothing
 * that decodes pictures; its reads are synchronous because the trainer's thread has nothing else to do meanwhile.
 */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { AppError } from '../core/errors.ts';
import { PACK_MAGIC, type PackIndex, type PackLevel, packIndex } from './pack.ts';

const MAGIC = Buffer.from(PACK_MAGIC);
const TAIL = 8 + MAGIC.length;
/** A million works with three labels each have an index of about 10 MB. */
const MAX_INDEX_BYTES = 512 * 1024 * 1024;

export class PackReader implements Disposable {
  readonly index: PackIndex;
  readonly #file: number;
  #open = true;

  private constructor(file: number, index: PackIndex) {
    this.#file = file;
    this.index = index;
  }

  /** @throws AppError UNREADABLE_DATASET where the file is missing, damaged, or not a pack. */
  static open(path: string): PackReader {
    const file = openFile(path);
    try {
      return new PackReader(file, readIndex(file, path));
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** The level to train at `resolution` pixels. @throws AppError INVALID_INPUT where the pack has none. */
  level(resolution: number): PackLevel {
    const found = this.index.levels.find((level) => level.resolution === resolution);
    if (found !== undefined) return found;
    const known = this.index.levels.map((level) => level.resolution).join(', ');
    throw new AppError('INVALID_INPUT', `The dataset was packed for ${known} pixels, not for ${resolution}.`, {
      path: ['input', 'resolution'],
    });
  }

  /**
   * Copies work `i`'s tile (size x size x 3 bytes, RGB, row by row) to `into` from byte `at` on.
   * @throws RangeError where `i` or `at` are out of bounds; AppError UNREADABLE_DATASET where the file ends too soon.
   */
  readTile(i: number, level: PackLevel, into: Uint8Array, at: number): void {
    const bytes = level.size * level.size * 3;
    if (!Number.isInteger(i) || i < 0 || i >= this.index.count) throw new RangeError(`No work ${i} in the pack`);
    if (at < 0 || at + bytes > into.length) throw new RangeError('The tile does not fit');
    readFully(this.#file, into.subarray(at, at + bytes), MAGIC.length + i * this.index.stride + level.offset);
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#file);
  }
}

/** Lower-case hexadecimal SHA-256 of a file's bytes, read in a stream. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw unreadable(`The packed file ${path} cannot be opened; import the dataset again.`, cause);
  }
}

function readIndex(file: number, path: string): PackIndex {
  const size = fstatSync(file).size;
  const head = Buffer.alloc(MAGIC.length);
  const tail = Buffer.alloc(TAIL);
  if (size < MAGIC.length + TAIL) throw damaged(path, 'it is too short');
  readFully(file, head, 0);
  readFully(file, tail, size - TAIL);
  if (!head.equals(MAGIC) || !tail.subarray(8).equals(MAGIC)) throw damaged(path, 'it does not begin and end as one');
  const length = Number(tail.readBigUInt64LE(0));
  const start = size - TAIL - length;
  if (length > MAX_INDEX_BYTES || start < MAGIC.length) throw damaged(path, 'its index has an impossible length');
  const text = Buffer.alloc(length);
  readFully(file, text, start);
  const index = parseIndex(text, path);
  if (MAGIC.length + index.count * index.stride !== start) throw damaged(path, 'its tiles are not complete');
  return index;
}

function parseIndex(text: Buffer, path: string): PackIndex {
  let json: unknown;
  try {
    json = JSON.parse(text.toString('utf8'));
  } catch (cause) {
    throw unreadable(`${path} is damaged: its index is not JSON. Import the dataset again.`, cause);
  }
  const parsed = packIndex.safeParse(json);
  if (!parsed.success) throw damaged(path, 'its index has missing or wrong fields');
  const { count, stride, levels, labels, works } = parsed.data;
  const fits = levels.every((level) => level.offset + level.size * level.size * 3 <= stride);
  const labelled = (['artist', 'style', 'genre'] as const).every(
    (kind) => works[kind].length === count && works[kind].every((label) => label < labels[kind].length),
  );
  if (!fits || !labelled) throw damaged(path, 'its index contradicts itself');
  return parsed.data;
}

function readFully(file: number, into: Uint8Array, position: number): void {
  for (let at = 0; at < into.length; ) {
    const read = readSync(file, into, at, into.length - at, position + at);
    if (read === 0) throw unreadable('The packed file ends too soon; import the dataset again.');
    at += read;
  }
}

function damaged(path: string, why: string): AppError {
  return unreadable(`${path} is not a packed dataset, or it is damaged: ${why}. Import the dataset again.`);
}

function unreadable(message: string, cause?: unknown): AppError {
  return new AppError('UNREADABLE_DATASET', message, { cause });
}
