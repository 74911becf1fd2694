/**
 * Work that many may ask for at once and that is done once for all of them. It is broken off when the last of them has left,
 * and remembered no longer than it takes.
 */
interface Flight<T> {
  readonly result: Promise<T>;
  /** Ends the work. */
  readonly left: AbortController;
  waiting: number;
}

export class SharedWork<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /** How many different things are at work. */
  get size(): number {
    return this.#flights.size;
  }

  /**
   * The result of `work`, which is begun unless it is under way for somebody else with this key.
   * @throws what `work` threw, or the signal's reason
   */
  async run(key: string, signal: AbortSignal | undefined, work: (left: AbortSignal) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#begin(key, work);
    flight.waiting += 1;
    try {
      return await unlessLeft(flight.result, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        this.#forget(key, flight);
        flight.left.abort(signal?.reason);
      }
    }
  }

  #begin(key: string, work: (left: AbortSignal) => Promise<T>): Flight<T> {
    const left = new AbortController();
    const flight = { result: work(left.signal), left, waiting: 0 };
    this.#flights.set(key, flight);
    // Also where nobody is left to hear that it failed.
    const forget = () => this.#forget(key, flight);
    flight.result.then(forget, forget);
    return flight;
  }

  /** Another one may have begun with this key. */
  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

function unlessLeft<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return result;
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
