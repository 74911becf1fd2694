/**
 * What graphql-ws is given for a subscription whose events go out by another way: an iterator that says nothing until the
 * stream is over, and tells when the client leaves.
 */
import type { GraphQLFormattedError } from 'graphql';

/** Ends a stream with errors as graphql-ws tells them: its `error` message. */
export class StreamFailure extends Error {
  override readonly name = 'StreamFailure';
  readonly errors: readonly GraphQLFormattedError[];

  constructor(errors: readonly GraphQLFormattedError[]) {
    super(errors[0]?.message ?? 'The stream broke');
    this.errors = errors;
  }
}

type Result = IteratorResult<never, undefined>;
const DONE: Result = { done: true, value: undefined };

export class SilentIterator implements AsyncGenerator<never, undefined, undefined> {
  readonly #left: () => void;
  #resolve: ((result: Result) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #state: 'open' | 'over' | StreamFailure = 'open';

  /** `left` is called once, however the stream ends. */
  constructor(left: () => void) {
    this.#left = left;
  }

  next(): Promise<Result> {
    if (this.#state === 'over') return Promise.resolve(DONE);
    if (this.#state !== 'open') return Promise.reject(this.#state);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  return(): Promise<Result> {
    this.end(undefined);
    return Promise.resolve(DONE);
  }

  throw(): Promise<Result> {
    return this.return();
  }

  /** The stream is over, by itself or with errors. */
  end(errors: readonly GraphQLFormattedError[] | undefined): void {
    if (this.#state !== 'open') return;
    this.#state = errors === undefined ? 'over' : new StreamFailure(errors);
    this.#left();
    if (this.#state instanceof StreamFailure) this.#reject?.(this.#state);
    else this.#resolve?.(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.end(undefined);
    return Promise.resolve();
  }
}
