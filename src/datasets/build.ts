/**
 * A collection -> one packed training file: decodes several pictures at once within bounds of memory, and writes them
 * in the order of their paths, so that the file does not depend on how many were decoded at once. A bad picture is
 * passed over and told; the caller decides what becomes of the result.
 */
import { availableParallelism } from 'node:os';
import { LABEL_KINDS } from '../core/labels.ts';
import type { Resolution } from '../core/presets.ts';
import { Budget } from './budget.ts';
import type { Collection } from './collection.ts';
import { decodeTiles, type Header, inspect, MAX_DECODE_BYTES, planarTiles } from './decode.ts';
import { BadPicture, type Entry, type Issue } from './entry.ts';
import { type Label, LabelBook } from './layouts/vocabulary.ts';
import { type FinishedPack, type PackLevel, PackWriter, type WorkLabels } from './pack.ts';
import { MAX_FILE_BYTES, openInside } from './read-inside.ts';
import type { AllowedFolder } from './scan.ts';

export interface PackedWork {
  readonly entry: Entry;
  readonly labels: WorkLabels;
}

export interface BuiltPack {
  /** Undefined where no picture was good: nothing was written. */
  readonly pack: FinishedPack | undefined;
  /** In the order of the pack. */
  readonly works: readonly PackedWork[];
  readonly issues: readonly Issue[];
}

export interface BuildOptions {
  readonly collection: Collection;
  /** Where the pack goes. */
  readonly folder: string;
  readonly maxResolution: Resolution;
  /** Pictures under way at once; unless told, two more than there are cores, so that a slow one leaves none idle. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  /** Called after each picture: how many were looked at, and passed over. */
  readonly onProgress?: (processed: number, skipped: number) => void;
}

type Outcome = { readonly tiles: Uint8Array } | { readonly issue: Issue };

export async function buildPack(options: BuildOptions): Promise<BuiltPack> {
  const { collection, folder, maxResolution, signal, onProgress } = options;
  await using writer = await PackWriter.create(folder, maxResolution);
  const decoder = new Decoder(collection.folder, writer.levels, signal);
  const labelled = labelWorks(collection.entries);
  const works: PackedWork[] = [];
  const issues: Issue[] = [];
  let processed = 0;
  const concurrency = options.concurrency ?? availableParallelism() + 2;
  for await (const { item, result } of inOrder(labelled, concurrency, ({ entry }) => decoder.decode(entry))) {
    signal?.throwIfAborted();
    if ('issue' in result) issues.push(result.issue);
    else {
      await writer.add(result.tiles, item.labels);
      works.push(item);
    }
    onProgress?.(++processed, issues.length);
  }
  signal?.throwIfAborted();
  return { pack: works.length === 0 ? undefined : await writer.finish(), works, issues };
}

/** One spelling for each label, decided by the order of the works and not by which of them can be decoded. */
function labelWorks(entries: readonly Entry[]): PackedWork[] {
  const book = new LabelBook();
  return entries.map((entry) => {
    const labels: { -readonly [K in keyof WorkLabels]: Label } = {};
    for (const kind of LABEL_KINDS) {
      const label = book.of(kind, entry.labels[kind]);
      if (label !== undefined) labels[kind] = label;
    }
    return { entry, labels };
  });
}

/** Reads and decodes works; however many are asked for at once, memory is bounded by two budgets. */
class Decoder {
  readonly #folder: AllowedFolder;
  readonly #levels: readonly PackLevel[];
  readonly #largest: number;
  readonly #signal: AbortSignal | undefined;
  /** Bytes of files in memory. */
  readonly #files = new Budget(MAX_FILE_BYTES);
  /** Bytes that decoders use. Taken after the file's share and given back before it, so nobody waits in a circle. */
  readonly #pixels = new Budget(MAX_DECODE_BYTES);

  constructor(folder: AllowedFolder, levels: readonly PackLevel[], signal: AbortSignal | undefined) {
    this.#folder = folder;
    this.#levels = levels;
    this.#largest = levels.at(-1)?.size ?? 0;
    this.#signal = signal;
  }

  async decode(entry: Entry): Promise<Outcome> {
    try {
      return { tiles: entry.slice === undefined ? await this.#picture(entry.file) : await this.#record(entry.slice) };
    } catch (error) {
      if (!(error instanceof BadPicture)) throw error;
      return { issue: { file: entry.file, code: error.code, message: error.message } };
    }
  }

  async #picture(path: string): Promise<Uint8Array> {
    await using file = await openInside(this.#folder, path);
    if (file.size > MAX_FILE_BYTES)
      throw new BadPicture('TOO_LARGE', `It has ${file.size} bytes; at most ${MAX_FILE_BYTES} are read.`);
    using _file = await this.#files.take(file.size, this.#signal);
    const bytes = await file.read(0, file.size);
    try {
      return await this.#decodeOnce(bytes);
    } catch (error) {
      if (!(error instanceof BadPicture) || error.cause === undefined || error.code === 'TOO_SLOW') throw error;
    }
    // libvips keeps one text of errors for all its threads: only a picture decoded alone is told its own reason.
    using _alone = await this.#pixels.take(MAX_DECODE_BYTES, this.#signal);
    return await decodeTiles(bytes, await inspect(bytes, this.#largest), this.#levels);
  }

  async #decodeOnce(bytes: Uint8Array): Promise<Uint8Array> {
    const header = await this.#header(bytes);
    using _pixels = await this.#pixels.take(header.cost, this.#signal);
    return await decodeTiles(bytes, header, this.#levels);
  }

  async #header(bytes: Uint8Array): Promise<Header> {
    using _little = await this.#pixels.take(1, this.#signal);
    return await inspect(bytes, this.#largest);
  }

  async #record({ file: path, at, side }: NonNullable<Entry['slice']>): Promise<Uint8Array> {
    await using file = await openInside(this.#folder, path);
    return planarTiles(await file.read(at, side * side * 3), side, this.#levels);
  }
}

/**
 * Works on `concurrency` items at once and gives the results in the order of the items. Ends only when nothing is under
 * way any more, also after an error.
 */
async function* inOrder<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<{ item: T; result: R }> {
  const underWay: { item: T; result: Promise<R> }[] = [];
  let next = 0;
  try {
    while (next < items.length || underWay.length > 0) {
      for (const item of items.slice(next, next + concurrency - underWay.length)) {
        const result = work(item);
        result.catch(() => undefined); // told below, when its turn comes
        underWay.push({ item, result });
        next++;
      }
      const first = underWay.shift();
      if (first !== undefined) yield { item: first.item, result: await first.result };
    }
  } finally {
    await Promise.allSettled(underWay.map(({ result }) => result));
  }
}
