/**
 * Memory for pixels, used again and again. What a promise that has waited for a while is resolved with becomes garbage that
 * only a collection of the whole heap finds. At a thousand pictures a second there would be one every second, with everybody
 * waiting for it.
 */

/** Pixels until they are disposed of: then their memory is somebody else's. Without that, they are ordinary garbage. */
export interface BorrowedPixels extends Disposable {
  readonly pixels: Uint8Array;
}

/** The most that waits to be used again. */
const FREE_BYTES = 16 * 2 ** 20;

export class PixelPool {
  /** By their size, a power of two. */
  readonly #free = new Map<number, Uint8Array[]>();
  #freeBytes = 0;

  copyOf(pixels: Uint8Array): BorrowedPixels {
    const block = this.#take(2 ** Math.ceil(Math.log2(pixels.length)));
    block.set(pixels);
    let isBorrowed = true;
    return {
      pixels: block.subarray(0, pixels.length),
      [Symbol.dispose]: () => {
        if (isBorrowed) this.#give(block);
        isBorrowed = false;
      },
    };
  }

  #take(size: number): Uint8Array {
    const block = this.#free.get(size)?.pop();
    if (block === undefined) return new Uint8Array(size);
    this.#freeBytes -= size;
    return block;
  }

  #give(block: Uint8Array): void {
    const size = block.byteLength;
    if (this.#freeBytes + size > FREE_BYTES) return;
    const blocks = this.#free.get(size) ?? [];
    blocks.push(block);
    this.#free.set(size, blocks);
    this.#freeBytes += size;
  }
}
