/**
 * Gathers what waits each time the worker is free. There is no timer, so an idle server adds no delay, and a busy one
 * fills its batches by itself. Clients take turns, item by item, and so do the requests of a client, some items at a
 * time; the queue is bounded in items and in time, and who does not fit in is told so at once, and when to come again.
 */
import { type Deferred, deferred } from './deferred.ts';
import { AppError } from './errors.ts';

export interface BatcherOptions<Item, Result> {
  /** Most items in one call of `work`. */
  readonly maxBatch: number;
  /**
   * Items of a request before the next one of the same client has its turn. Item by item, all that a client waits for would
   * end together and late; request by request, a small one would wait for all of a large one.
   */
  readonly maxTurn: number;
  /** Most items that wait; a request above that is refused with OVERLOADED. */
  readonly maxWaiting: number;
  /** A request that would wait longer, by the pace of late, is refused with OVERLOADED. */
  readonly maxWaitMs: number;
  /**
   * Calls of `work` at once: with two the worker finds the next one at hand when it has done the first. There is none beside
   * others for less than a full turn: so few items had better wait for company while the worker is busy.
   */
  readonly atOnce: number;
  /** Works on items of one key; gives one result per item, in order. */
  work(key: string, items: readonly Item[]): Promise<readonly Result[]>;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

export interface BatchRequest<Item> {
  /** Only items with the same key share a batch. */
  readonly key: string;
  /** Whose turn it is. */
  readonly client: string;
  readonly items: readonly Item[];
  /** Leaves the queue; what is already in work is finished and thrown away. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiting<Item, Result> extends Pick<BatchRequest<Item>, 'key' | 'client' | 'items'> {
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

/** How much of the measured pace the newest batch is. */
const NEWEST = 0.2;
const LEAST_RETRY_MS = 50;

export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  /** Per client its requests with items that no batch has taken yet. Whose turn is next comes first, in both. */
  readonly #turns = new Map<string, Set<Waiting<Item, Result>>>();
  #waiting = 0;
  #working = 0;
  #isWoken = false;
  /** Of late; undefined until the first batch is done. */
  #msPerItem: number | undefined;
  #freeSince = 0;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /** Items that wait for a batch. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * One result per item, in order.
   * @throws AppError OVERLOADED (retryable) where the queue is full, the signal's reason, or what `work` threw.
   */
  async run({ key, client, items, signal }: BatchRequest<Item>): Promise<Result[]> {
    signal?.throwIfAborted();
    if (items.length === 0) return [];
    this.#checkRoom(items.length);
    const request = { key, client, items, results: new Map<number, Result>(), answer: deferred<Result[]>(), taken: 0 };
    const leave = () => {
      this.#drop(request);
      request.answer.reject(signal?.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    const requests = this.#turns.get(client) ?? new Set();
    this.#turns.set(client, requests.add(request));
    this.#waiting += items.length;
    this.#wake();
    try {
      return await request.answer.promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #checkRoom(items: number): void {
    const { maxWaiting, maxWaitMs } = this.#options;
    const waitMs = this.#waiting * (this.#msPerItem ?? 0);
    if (this.#waiting + items <= maxWaiting && waitMs <= maxWaitMs) return;
    const message = `The engine has ${this.#waiting} pictures to paint first. Try again in a moment.`;
    // By then half of them are done.
    const retryAfterMs = Math.max(LEAST_RETRY_MS, Math.ceil(waitMs / 2));
    throw new AppError('OVERLOADED', message, { retryable: true, retryAfterMs });
  }

  get #mayCall(): boolean {
    const { atOnce, maxTurn } = this.#options;
    return this.#working === 0 || (this.#working < atOnce && this.#waiting >= maxTurn);
  }

  /** One turn of the microtasks later: requests made together share the first batch. */
  #wake(): void {
    if (this.#isWoken || !this.#mayCall) return;
    this.#isWoken = true;
    queueMicrotask(() => {
      this.#isWoken = false;
      while (this.#mayCall) {
        const batch = this.#take();
        if (batch.length === 0) return;
        void this.#serve(batch);
      }
    });
  }

  /** The next batch: items of the key whose turn it is, one of each client in turn until it is full. */
  #take(): Slot<Item, Result>[] {
    const [first] = this.#turns.values();
    const [next] = first ?? [];
    if (next === undefined) return [];
    const { key } = next;
    const batch: Slot<Item, Result>[] = [];
    for (let open = [...this.#turns.keys()]; open.length > 0; ) {
      const stillOpen: string[] = [];
      for (const client of open) {
        if (batch.length === this.#options.maxBatch) return batch;
        const slot = this.#takeOne(client, key);
        if (slot === undefined) continue;
        batch.push(slot);
        stillOpen.push(client);
      }
      open = stillOpen;
    }
    return batch;
  }

  /** The next item with the key of a client, whose turn then is after all others'. */
  #takeOne(client: string, key: string): Slot<Item, Result> | undefined {
    const requests = this.#turns.get(client);
    if (requests === undefined) return undefined;
    for (const request of requests) {
      const index = request.taken;
      const item = request.items[index];
      if (request.key !== key || item === undefined) continue;
      request.taken += 1;
      this.#waiting -= 1;
      this.#turns.delete(client);
      const isTaken = request.taken === request.items.length;
      if (isTaken || request.taken % this.#options.maxTurn === 0) requests.delete(request);
      if (!isTaken) requests.add(request);
      if (requests.size > 0) this.#turns.set(client, requests);
      return { request, index, item };
    }
    return undefined;
  }

  async #serve(batch: readonly Slot<Item, Result>[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const begun = Math.max(this.#options.now(), this.#freeSince);
    this.#working += 1;
    try {
      const items = batch.map(({ item }) => item);
      const results = await this.#options.work(first.request.key, items);
      if (results.length !== batch.length) throw new Error(`Asked for ${batch.length} results, got ${results.length}`);
      results.forEach((result, i) => {
        const slot = batch[i];
        if (slot !== undefined) deliver(slot, result);
      });
    } catch (error) {
      for (const { request } of batch) {
        this.#drop(request);
        request.answer.reject(error);
      }
    } finally {
      this.#working -= 1;
      this.#learn(batch.length, begun);
      this.#wake();
    }
  }

  /** From the end of the batch before: of two that the worker has at once, it works on one. */
  #learn(items: number, begun: number): void {
    this.#freeSince = this.#options.now();
    const msPerItem = Math.max(0, this.#freeSince - begun) / items;
    this.#msPerItem =
      this.#msPerItem === undefined ? msPerItem : this.#msPerItem + NEWEST * (msPerItem - this.#msPerItem);
  }

  /** Out of the queue, with what of it no batch has taken yet. */
  #drop(request: Waiting<Item, Result>): void {
    const requests = this.#turns.get(request.client);
    if (requests?.delete(request) !== true) return;
    this.#waiting -= request.items.length - request.taken;
    if (requests.size === 0) this.#turns.delete(request.client);
  }
}

function deliver<Item, Result>({ request, index }: Slot<Item, Result>, result: Result): void {
  request.results.set(index, result);
  if (request.results.size < request.items.length) return;
  const inOrder = [...request.results].sort(([a], [b]) => a - b).map(([, value]) => value);
  request.answer.resolve(inOrder);
}
