/** The open HTTP streams: a sign of life for each now and then, and the end of those that nobody reads. */
import type { HttpOutlet } from './http-outlet.ts';

export interface StreamTimes {
  readonly heartbeatMs: number;
  /** Whoever takes nothing for so long has left, or might as well. */
  readonly stalledMs: number;
}

const LOOK_MS = 1_000;

export class HttpStreams implements Disposable {
  readonly #outlets = new Set<HttpOutlet>();
  readonly #timers: NodeJS.Timeout[];

  constructor({ heartbeatMs, stalledMs }: StreamTimes, dropped: () => void) {
    const beat = setInterval(() => {
      for (const outlet of this.#outlets) outlet.heartbeat();
    }, heartbeatMs);
    const look = setInterval(() => {
      const now = performance.now();
      for (const outlet of this.#outlets) {
        if (outlet.fullForMs(now) < stalledMs) continue;
        dropped();
        outlet.destroy();
      }
    }, LOOK_MS);
    this.#timers = [beat.unref(), look.unref()];
  }

  get size(): number {
    return this.#outlets.size;
  }

  /** @returns the way out */
  add(outlet: HttpOutlet): () => void {
    this.#outlets.add(outlet);
    return () => this.#outlets.delete(outlet);
  }

  /** The server ends: its clients may come back to another one, or later. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const outlet of this.#outlets) outlet.destroy();
  }
}
