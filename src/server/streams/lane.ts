/**
 * Two speeds on one thread. What happens now goes first; what is read again later takes turns, a few milliseconds at a time,
 * in the order of asking, while nothing urgent is under way. So a hundred clients with a long history behind them, and a
 * database that answers without giving the thread away, hold up neither those who watch live nor anything else.
 */

/** Of the work in turns, before everything else gets its chance. */
const SLICE_MS = 2;

export class Lane {
  readonly #waiting: (() => void)[] = [];
  #urgent = 0;
  #sliceBegan = 0;
  #isScheduled = false;

  /** To be awaited between the pieces of work that is not urgent. */
  turn(): Promise<void> {
    if (this.#urgent === 0 && performance.now() - this.#sliceBegan < SLICE_MS) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  /** Everybody else waits meanwhile. */
  async urgently<T>(work: () => Promise<T>): Promise<T> {
    this.#urgent += 1;
    try {
      return await work();
    } finally {
      this.#urgent -= 1;
      if (this.#urgent === 0) this.#schedule();
    }
  }

  /** One waits no longer, once whatever else there is to do has been done. */
  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      // Where something urgent has begun, its end schedules again.
      if (this.#urgent > 0) return;
      this.#sliceBegan = performance.now();
      this.#waiting.shift()?.();
      this.#schedule();
    });
  }
}
