/** A bound on what is in use at once, in any unit. First come, first served, so that a large request is never starved. */
export class Budget {
  readonly #most: number;
  #used = 0;
  readonly #waiting: { readonly amount: number; readonly start: () => void }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Resolves once `amount` is free; disposing the answer gives it back. More than the whole waits for all of it. */
  async take(amount: number, signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted();
    const granted = Math.min(amount, this.#most);
    if (this.#waiting.length > 0 || this.#used + granted > this.#most) await this.#turn(granted, signal);
    else this.#used += granted;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#used -= granted;
        this.#next();
      },
    };
  }

  async #turn(amount: number, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        const place = this.#waiting.indexOf(entry);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(signal?.reason);
        this.#next();
      };
      const entry = {
        amount,
        start: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      this.#waiting.push(entry);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#used + first.amount > this.#most) return;
      this.#used += first.amount;
      this.#waiting.shift();
      first.start();
    }
  }
}
