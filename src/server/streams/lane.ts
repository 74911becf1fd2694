/**
 * Two speeds on one thread. What happens now goes first; what is read again later takes turns, a few milliseconds at
 * a time, in the order of asking, while nothing urgent is under way, and now and then even so. So a hundred clients
 * with a long history behind them, and a database that answers without giving the thread away, hold up neither those
 * who watch live nor anything else.
 */

/** Of the work in turns, before everything else gets its chance. */
const SLICE_MS = 2;
/** Where something urgent is always under way, one turn is given after this: nobody waits for ever. */
const PATIENCE_MS = 50;

export class Lane {
  readonly #waiting: (() => void)[] = [];
  #urgent = 0;
  #sliceBegan = 0;
  #isScheduled = false;
  #patience: NodeJS.Timeout | undefined;

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
      const now = performance.now();
      if (this.#urgent > 0 && now - this.#sliceBegan < PATIENCE_MS) return this.#wait();
      this.#sliceBegan = now;
      this.#waiting.shift()?.();
      this.#schedule();
    });
  }

  /** The end of what is urgent schedules again, and so does this. */
  #wait(): void {
    this.#patience ??= setTimeout(() => {
      this.#patience = undefined;
      this.#schedule();
    }, PATIENCE_MS);
  }
}
