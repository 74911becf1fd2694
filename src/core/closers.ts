/** Things to be closed, in the reverse order of their opening. Node 20 has no AsyncDisposableStack. */
export class Closers implements AsyncDisposable {
  #parts: AsyncDisposable[] = [];

  /** Takes the part over and gives it back. */
  use<T extends AsyncDisposable>(part: T): T {
    this.#parts.push(part);
    return part;
  }

  defer(close: () => void | Promise<void>): void {
    this.#parts.push({
      [Symbol.asyncDispose]: async () => {
        await close();
      },
    });
  }

  /** Hands everything to a new owner: from here on this one closes nothing. */
  move(): Closers {
    const moved = new Closers();
    moved.#parts = this.#parts;
    this.#parts = [];
    return moved;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      try {
        await part[Symbol.asyncDispose]();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0)
      throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'Several parts failed to close');
  }
}
