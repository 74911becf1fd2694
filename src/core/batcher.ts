/**
 * Gathers what waits each time the worker is free. There is no timer, so an idle server adds no delay, and a busy one
 * fills its batches by itself. Large requests take turns with small ones, item by item; the queue is bounded.
 */
import { type Deferred, deferred } from './deferred.ts';
import { AppError } from './errors.ts';

export interface BatcherOptions<Item, Result> {
  /** Most items in one call of `work`. */
  readonly maxBatch: number;
  /** Most items that wait; a request above that is refused with OVERLOADED. */
  readonly maxWaiting: number;
  /** Works on items of one key; gives one result per item, in order. */
  work(key: string, items: readonly Item[]): Promise<readonly Result[]>;
}

export interface BatchRequest<Item> {
  /** Only items with the same key share a batch. */
  readonly key: string;
  readonly items: readonly Item[];
  /** Leaves the queue; what is already in work is finished and thrown away. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiting<Item, Result> {
  readonly key: string;
  readonly items: readonly Item[];
  readonly results: Map<number, Result>;
  readonly answer: Deferred<Result[]>;
  /** Items handed to the worker so far. */
  taken: number;
}

interface Slot<Item, Result> {
  readonly request: Waiting<Item, Result>;
  readonly index: number;
  readonly item: Item;
}

export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  /** Requests with items that no batch has taken yet, oldest first. */
  readonly #queue = new Set<Waiting<Item, Result>>();
  #busy = false;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /** Items that wait for a batch. */
  get waiting(): number {
    let sum = 0;
    for (const { items, taken } of this.#queue) sum += items.length - taken;
    return sum;
  }

  /**
   * One result per item, in order.
   * @throws AppError OVERLOADED (retryable) where the queue is full, the signal's reason, or what `work` threw.
   */
  async run({ key, items, signal }: BatchRequest<Item>): Promise<Result[]> {
    signal?.throwIfAborted();
    if (items.length === 0) return [];
    const { maxWaiting } = this.#options;
    if (this.waiting + items.length > maxWaiting) {
      throw new AppError(
        'OVERLOADED',
        `The engine has ${this.waiting} pictures to paint first. Try again in a moment.`,
        {
          retryable: true,
        },
      );
    }
    const request = { key, items, results: new Map<number, Result>(), answer: deferred<Result[]>(), taken: 0 };
    const leave = () => {
      this.#queue.delete(request);
      request.answer.reject(signal?.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    this.#queue.add(request);
    if (!this.#busy) void this.#pump();
    try {
      return await request.answer.promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  async #pump(): Promise<void> {
    this.#busy = true;
    // One turn of the microtasks: requests made together share the first batch.
    await Promise.resolve();
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) await this.#serve(batch);
    this.#busy = false;
  }

  /** The next batch: the oldest request's key; requests of that key give one item each in turn until it is full. */
  #take(): Slot<Item, Result>[] {
    const [oldest] = this.#queue;
    if (oldest === undefined) return [];
    const sharing = [...this.#queue].filter(({ key }) => key === oldest.key);
    const batch: Slot<Item, Result>[] = [];
    for (let open = sharing; open.length > 0 && batch.length < this.#options.maxBatch; ) {
      for (const request of open) {
        if (batch.length === this.#options.maxBatch) break;
        const item = request.items.slice(request.taken, request.taken + 1);
        for (const one of item) batch.push({ request, index: request.taken, item: one });
        request.taken += 1;
      }
      open = open.filter(({ taken, items }) => taken < items.length);
    }
    for (const request of sharing) if (request.taken >= request.items.length) this.#queue.delete(request);
    return batch;
  }

  async #serve(batch: readonly Slot<Item, Result>[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    try {
      const results = await this.#options.work(
        first.request.key,
        batch.map(({ item }) => item),
      );
      if (results.length !== batch.length) throw new Error(`Asked for ${batch.length} results, got ${results.length}`);
      results.forEach((result, i) => {
        const slot = batch[i];
        if (slot !== undefined) this.#deliver(slot, result);
      });
    } catch (error) {
      for (const { request } of batch) {
        this.#queue.delete(request);
        request.answer.reject(error);
      }
    }
  }

  #deliver({ request, index }: Slot<Item, Result>, result: Result): void {
    request.results.set(index, result);
    if (request.results.size < request.items.length) return;
    const inOrder = [...request.results].sort(([a], [b]) => a - b).map(([, value]) => value);
    request.answer.resolve(inOrder);
  }
}
