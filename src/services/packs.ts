/**
 * The packed training files in the data folder: single tiles out of them, and which of them may be deleted. Writes none.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { AppError } from '../core/errors.ts';
import { PACK_SUFFIX } from '../datasets/pack.ts';
import { PackReader } from '../datasets/pack-reader.ts';

const MOST_OPEN = 8;
/** Whoever writes a pack writes to it all the time, so one that was left alone this long has no writer any more. */
const ABANDONED_MS = 60 * 60 * 1000;

export class Packs implements Disposable {
  readonly #dataDir: string;
  /** Open packs by file, the one used last at the end. */
  readonly #open = new Map<string, PackReader>();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Folder of the packs. */
  get folder(): string {
    return join(this.#dataDir, 'datasets');
  }

  /** How a dataset's row names a pack: below the data folder, with `/`. */
  nameOf(file: string): string {
    return `datasets/${file}`;
  }

  /** The largest tile of a work. @throws AppError UNREADABLE_DATASET or NOT_FOUND */
  tile(packFile: string, place: number): { pixels: Uint8Array; size: number } {
    const reader = this.#reader(packFile);
    const level = reader.index.levels.at(-1);
    if (level === undefined || place >= reader.index.count)
      throw new AppError('NOT_FOUND', 'The dataset was imported again and this picture is no longer part of it.');
    const pixels = new Uint8Array(level.size * level.size * 3);
    reader.readTile(place, level, pixels, 0);
    return { pixels, size: level.size };
  }

  /** Deletes a pack; who has it open can go on reading. */
  async remove(packFile: string): Promise<void> {
    this.#open.get(packFile)?.[Symbol.dispose]();
    this.#open.delete(packFile);
    await rm(join(this.folder, basename(packFile)), { force: true });
  }

  /** Deletes what imports that were cut off left behind. */
  async sweep(): Promise<void> {
    const files = await readdir(this.folder).catch(() => []);
    for (const file of files.filter((name) => name.endsWith(`${PACK_SUFFIX}.tmp`))) {
      const path = join(this.folder, file);
      const written = await stat(path).catch(() => undefined);
      if (written !== undefined && Date.now() - written.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
    }
  }

  [Symbol.dispose](): void {
    for (const reader of this.#open.values()) reader[Symbol.dispose]();
    this.#open.clear();
  }

  #reader(packFile: string): PackReader {
    const reader = this.#open.get(packFile) ?? PackReader.open(resolve(this.#dataDir, packFile));
    this.#open.delete(packFile);
    this.#open.set(packFile, reader);
    for (const [file, oldest] of this.#open) {
      if (this.#open.size <= MOST_OPEN) break;
      oldest[Symbol.dispose]();
      this.#open.delete(file);
    }
    return reader;
  }
}
