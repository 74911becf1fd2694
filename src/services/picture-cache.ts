/**
 * Encoded pictures by what was asked for, those that were not asked for lately leave first. Bounded by bytes; it holds no truth.
 *
 * The bodies lie in one block of memory, written round and round: as thousands of buffers that live for a while and then die,
 * they would have the garbage collector go through the whole heap every second.
 */
import type { Encoding } from './pictures.ts';
import { sha256Of } from './sha256.ts';

export interface Encoded {
  readonly body: Buffer;
  /** Of `body`. */
  readonly sha256: string;
}

interface Place {
  readonly from: number;
  /** Behind the last byte that is counted as its own. */
  readonly to: number;
  readonly length: number;
  readonly sha256: string;
}

/** What the hash, the entry and the key take besides the body, roughly: their share of the block stays empty. */
const ENTRY_BYTES = 400;

export class PictureCache {
  readonly #limit: number;
  #block: Buffer | undefined;
  /** In the order in which they were written, the newest last. */
  readonly #places = new Map<string, Place>();
  /** Where the next one is written. */
  #head = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** A copy, for what lies here is written over one day. */
  get(key: string): Encoded | undefined {
    const place = this.#places.get(key);
    if (place === undefined || this.#block === undefined) return undefined;
    const { from, length, sha256 } = place;
    const picture = { body: Buffer.from(this.#block.subarray(from, from + length)), sha256 };
    // What is asked for is written anew when half of the others are newer, and so stays.
    if (this.#writtenSince(from) > this.#limit / 2) this.set(key, picture);
    return picture;
  }

  set(key: string, { body, sha256 }: Encoded): void {
    this.#places.delete(key);
    const bytes = ENTRY_BYTES + key.length + body.byteLength;
    if (bytes > this.#limit) return;
    this.#block ??= Buffer.alloc(this.#limit);
    const from = this.#makeRoom(bytes);
    body.copy(this.#block, from);
    this.#places.set(key, { from, to: from + bytes, length: body.byteLength, sha256 });
    this.#head = from + bytes;
  }

  #writtenSince(from: number): number {
    return this.#head > from ? this.#head - from : this.#head - from + this.#limit;
  }

  /** -> the first of so many bytes that are nobody's now. */
  #makeRoom(bytes: number): number {
    if (this.#head + bytes > this.#limit) {
      this.#dropOldest(({ from }) => from >= this.#head);
      this.#head = 0;
    }
    const [from, to] = [this.#head, this.#head + bytes];
    this.#dropOldest((place) => place.from < to && place.to > from);
    return from;
  }

  #dropOldest(isInTheWay: (place: Place) => boolean): void {
    for (const [key, place] of this.#places) {
      if (!isInTheWay(place)) return;
      this.#places.delete(key);
    }
  }
}

export async function encoded(body: Buffer): Promise<Encoded> {
  return { body, sha256: await sha256Of(body) };
}

/** What an encoding of a picture is kept under, in memory and on the disk. `original`: the same text for the same pixels. */
export function encodingKey(original: string, { format, width }: Encoding): string {
  return `${original}.${format}.${width ?? ''}`;
}
