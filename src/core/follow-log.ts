/**
 * A growing log as an async iterator: replays what came after a place, then follows, then ends with the log.
 * It never buffers more than one page, never misses an entry between reading and waiting, and `return()` settles a
 * waiting `next()` at once (which an async generator cannot do while it awaits).
 */
import { type Deferred, deferred } from './deferred.ts';

export interface GrowingLog<Entry extends { readonly seq: number }> {
  /** The entries after `after`, in order, at most `limit`. */
  read(after: number, limit: number): Promise<readonly Entry[]>;
  /** Calls `grown` after every commit of new entries; calls may be merged, repeated or too many. Gives back the end of it. */
  onGrow(grown: () => void): () => void;
  /** Whether the log may be over after this entry. */
  isLast(entry: Entry): boolean;
  /** Whether nothing will follow what the log holds now. */
  isOver(): Promise<boolean>;
}

export interface FollowOptions {
  /** Begin after this seq; 0: from the start. */
  readonly after: number;
  /** Entries read at once. */
  readonly pageSize?: number;
  /** Ends the iteration, quietly, as `return()` does. */
  readonly signal?: AbortSignal | undefined;
}

export function followLog<Entry extends { readonly seq: number }>(
  log: GrowingLog<Entry>,
  options: FollowOptions,
): AsyncIterableIterator<Entry> {
  return new LogFollower(log, options);
}

class LogFollower<Entry extends { readonly seq: number }>
  implements AsyncIterableIterator<Entry, undefined, undefined>
{
  readonly #log: GrowingLog<Entry>;
  readonly #pageSize: number;
  readonly #signal: AbortSignal | undefined;
  /** Calls of next() that wait for their entry, in order. */
  readonly #asked: Deferred<IteratorResult<Entry, undefined>>[] = [];
  readonly #close = () => this.#end();
  #cursor: number;
  #last: Entry | undefined;
  #page: readonly Entry[] = [];
  #index = 0;
  /** True from a notice until the next read begins. */
  #grown = true;
  #opened = false;
  #closed = false;
  #pumping = false;
  #wake: (() => void) | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(log: GrowingLog<Entry>, { after, pageSize = 100, signal }: FollowOptions) {
    this.#log = log;
    this.#cursor = after;
    this.#pageSize = pageSize;
    this.#signal = signal;
  }

  next(): Promise<IteratorResult<Entry, undefined>> {
    this.#open();
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    const ask = deferred<IteratorResult<Entry, undefined>>();
    this.#asked.push(ask);
    if (!this.#pumping) void this.#pump();
    return ask.promise;
  }

  return(): Promise<IteratorResult<Entry, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: unknown): Promise<IteratorResult<Entry, undefined>> {
    this.#end();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
  }

  /** Listens from the first next() on, so that an iterator which nobody reads holds nothing. */
  #open(): void {
    if (this.#opened) return;
    this.#opened = true;
    if (this.#signal?.aborted) this.#end();
    if (this.#closed) return;
    this.#signal?.addEventListener('abort', this.#close, { once: true });
    this.#unsubscribe = this.#log.onGrow(() => {
      this.#grown = true;
      this.#wake?.();
    });
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal?.removeEventListener('abort', this.#close);
    this.#unsubscribe?.();
    this.#page = [];
    this.#wake?.();
    for (const ask of this.#asked.splice(0)) ask.resolve({ done: true, value: undefined });
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    try {
      while (!this.#closed && this.#asked.length > 0) {
        const entry = this.#page[this.#index];
        if (entry === undefined) {
          await this.#turnPage();
          continue;
        }
        this.#index += 1;
        this.#cursor = entry.seq;
        this.#last = entry;
        this.#asked.shift()?.resolve({ done: false, value: entry });
      }
    } catch (error) {
      const failed = this.#asked.shift();
      this.#end();
      failed?.reject(error);
    } finally {
      this.#pumping = false;
    }
  }

  /** Reads on; where there is nothing, ends or waits for a notice. */
  async #turnPage(): Promise<void> {
    const more = this.#page.length === this.#pageSize;
    const mayBeOver = this.#last === undefined || this.#log.isLast(this.#last);
    if (!this.#grown && !more && !mayBeOver) return this.#wait();
    await this.#read();
    if (this.#page.length > 0 || this.#closed) return;
    if (mayBeOver && (await this.#log.isOver())) {
      // The last entries may have come between the read and the answer.
      await this.#read();
      if (this.#page.length === 0) this.#end();
      return;
    }
    await this.#wait();
  }

  async #read(): Promise<void> {
    this.#grown = false;
    const page = await this.#log.read(this.#cursor, this.#pageSize);
    if (this.#closed) return;
    this.#page = page;
    this.#index = 0;
  }

  async #wait(): Promise<void> {
    if (this.#grown || this.#closed) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
