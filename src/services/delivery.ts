/**
 * Pictures as they are given out: each encoding made once, however many ask at the same time, and kept in memory and on the
 * disk for as long as there is room. The hash of what was given out is remembered longer, so that whoever has a picture
 * already is told so without it being read, painted or encoded.
 */
import { setMaxListeners } from 'node:events';
import { LRUCache } from 'lru-cache';
import { SharedWork } from '../core/shared-work.ts';
import type { CachedHash, DiskCache } from './disk-cache.ts';
import type { Encoders } from './encoders.ts';
import type { Asker } from './painting.ts';
import { type Encoded, encoded, encodingKey, PictureCache } from './picture-cache.ts';
import { checkWidth, type Encoding } from './pictures.ts';

/** A picture as far as it can be named without having been made. */
export interface Original {
  /** The same text for the same pixels, for ever. */
  readonly key: string;
  /**
   * Waits for what there is to wait for: files, the engine. Answers with the finished file, or with the work that makes it,
   * which is done when its turn has come.
   */
  prepare(encoding: Encoding, asker: Asker): Promise<Encoded | (() => Promise<Buffer>)>;
}

export interface DeliveryOptions {
  readonly disk: DiskCache;
  readonly encoders: Encoders;
}

const CACHE_BYTES = 32 * 2 ** 20;
/** Of remembered hashes: some 20,000. */
const HASHES_BYTES = 8 * 2 ** 20;
const HASH_BYTES = 200;

export class DeliveryService {
  readonly #options: DeliveryOptions;
  readonly #cache = new PictureCache(CACHE_BYTES);
  readonly #hashes = new LRUCache<string, CachedHash>({
    maxSize: HASHES_BYTES,
    sizeCalculation: (_hash, key) => key.length + HASH_BYTES,
  });
  readonly #making = new SharedWork<Encoded>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Files that are kept on the disk, in bytes, and encodings that wait for their turn. */
  get load(): { readonly diskBytes: number; readonly waiting: number } {
    return { diskBytes: this.#options.disk.bytes, waiting: this.#options.encoders.waiting };
  }

  /** The hash and length of an encoding that was given out before; undefined where they are not remembered. */
  async known({ key }: Pick<Original, 'key'>, encoding: Encoding): Promise<CachedHash | undefined> {
    const name = encodingKey(key, encoding);
    const remembered = this.#hashes.get(name) ?? (await this.#options.disk.peek(name));
    if (remembered !== undefined) this.#hashes.set(name, remembered);
    return remembered;
  }

  /**
   * The file of a picture in a format and width.
   * @throws AppError INVALID_INPUT for the width, OVERLOADED, or what the original threw
   */
  async bytes(original: Original, encoding: Encoding, asker: Asker): Promise<Encoded> {
    checkWidth(encoding.width);
    const name = encodingKey(original.key, encoding);
    const cached = this.#cache.get(name);
    if (cached !== undefined) return cached;
    const made = await this.#making.run(name, asker.signal, async (signal) => {
      // Each picture of a sheet waits by itself.
      setMaxListeners(0, signal);
      const stored = await this.#options.disk.get(name);
      if (stored !== undefined) return this.#keep(name, await encoded(stored));
      const picture = await this.#make(original, encoding, { ...asker, signal });
      this.#options.disk.set(name, picture.body);
      return picture;
    });
    this.#hashes.set(name, { sha256: made.sha256, bytes: made.body.byteLength });
    return made;
  }

  async #make(original: Original, encoding: Encoding, asker: Asker): Promise<Encoded> {
    const prepared = await original.prepare(encoding, asker);
    // What is finished before has a cache of its own.
    if (typeof prepared !== 'function') return prepared;
    const body = await this.#options.encoders.run(asker, prepared);
    return this.#keep(encodingKey(original.key, encoding), await encoded(body));
  }

  #keep(name: string, picture: Encoded): Encoded {
    this.#cache.set(name, picture);
    return picture;
  }
}
