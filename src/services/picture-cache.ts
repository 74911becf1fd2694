/** Encoded pictures by what was asked for, the least recently used leave first. Bounded by bytes; it holds no truth. */

export interface Encoded {
  readonly body: Buffer;
  /** Of `body`. */
  readonly sha256: string;
}

export class PictureCache {
  readonly #limit: number;
  /** In the order of use, the newest last. */
  readonly #entries = new Map<string, Encoded>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Encoded | undefined {
    const found = this.#entries.get(key);
    if (found !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, found);
    }
    return found;
  }

  set(key: string, picture: Encoded): void {
    this.#drop(key);
    if (picture.body.byteLength > this.#limit) return;
    this.#entries.set(key, picture);
    this.#bytes += picture.body.byteLength;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.body.byteLength ?? 0;
    this.#entries.delete(key);
  }
}
