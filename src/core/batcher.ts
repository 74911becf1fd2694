/**
 * Hands over what waits as soon as the worker has room. There is no timer, so an idle server adds no delay, and a busy one
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
  /** Most items that are at work: with more than a batch, the worker finds the next ones at hand when it has done some. */
  readonly maxAtWork: number;
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
  /** Those that nobody has fetched yet, by the number of their item. */
  readonly results: Map<number, Result>;
  /** Items handed to the worker so far. */
  taken: number;
  failure: { readonly reason: unknown } | undefined;
  /** Settles with the next result or failure. */
  news: Deferred<void>;
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
  #atWork = 0;
  #isWoken = false;
  /** Of late, a batch; undefined until the first one is done. */
  #pace: { readonly ms: number; readonly items: number } | undefined;
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
  async run(request: BatchRequest<Item>): Promise<Result[]> {
    const results: Result[] = [];
    for await (const result of this.stream(request)) results.push(result);
    return results;
  }

  /** The results in order, each as soon as it is there. Who stops reading leaves the queue. @throws as `run` */
  async *stream({ key, client, items, signal }: BatchRequest<Item>): AsyncGenerator<Result, void, undefined> {
    signal?.throwIfAborted();
    if (items.length === 0) return;
    this.#checkRoom(items.length);
    const request: Waiting<Item, Result> = {
      key,
      client,
      items,
      results: new Map(),
      taken: 0,
      failure: undefined,
      news: deferred(),
    };
    const leave = () => this.#fail(request, signal?.reason);
    signal?.addEventListener('abort', leave, { once: true });
    const requests = this.#turns.get(client) ?? new Set();
    this.#turns.set(client, requests.add(request));
    this.#waiting += items.length;
    this.#wake();
    try {
      for (let i = 0; i < items.length; i++) yield await resultOf(request, i);
    } finally {
      signal?.removeEventListener('abort', leave);
      this.#drop(request);
    }
  }

  #checkRoom(items: number): void {
    const { maxWaiting, maxWaitMs } = this.#options;
    const { ms, items: paced } = this.#pace ?? { ms: 0, items: 1 };
    const waitMs = (this.#waiting * ms) / paced;
    if (this.#waiting + items <= maxWaiting && waitMs <= maxWaitMs) return;
    const message = `The engine has ${this.#waiting} pictures to paint first. Try again in a moment.`;
    // By then half of them are done.
    const retryAfterMs = Math.max(LEAST_RETRY_MS, Math.ceil(waitMs / 2));
    throw new AppError('OVERLOADED', message, { retryable: true, retryAfterMs });
  }

  /** One turn of the microtasks later: requests made together share the first batch. */
  #wake(): void {
    if (this.#isWoken || this.#waiting === 0) return;
    this.#isWoken = true;
    queueMicrotask(() => {
      this.#isWoken = false;
      for (let batch = this.#take(); batch.length > 0; batch = this.#take()) void this.#serve(batch);
    });
  }

  /** The next batch: items of the key whose turn it is, one of each client in turn until it is full, or the worker is. */
  #take(): Slot<Item, Result>[] {
    const { maxBatch, maxAtWork } = this.#options;
    const most = Math.min(maxBatch, maxAtWork - this.#atWork);
    const [first] = this.#turns.values();
    const [next] = first ?? [];
    if (next === undefined || most === 0) return [];
    const { key } = next;
    const batch: Slot<Item, Result>[] = [];
    for (let open = [...this.#turns.keys()]; open.length > 0; ) {
      const stillOpen: string[] = [];
      for (const client of open) {
        if (batch.length === most) return batch;
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
    this.#atWork += batch.length;
    try {
      const items = batch.map(({ item }) => item);
      const results = await this.#options.work(first.request.key, items);
      if (results.length !== batch.length) throw new Error(`Asked for ${batch.length} results, got ${results.length}`);
      results.forEach((result, i) => {
        const slot = batch[i];
        if (slot !== undefined) deliver(slot, result);
      });
    } catch (error) {
      for (const { request } of batch) this.#fail(request, error);
    } finally {
      this.#atWork -= batch.length;
      this.#learn(batch.length, begun);
      this.#wake();
    }
  }

  /** From the end of the batch before: of several that the worker has at once, it works on one. */
  #learn(items: number, begun: number): void {
    this.#freeSince = this.#options.now();
    const ms = Math.max(0, this.#freeSince - begun);
    const { ms: msBefore, items: itemsBefore } = this.#pace ?? { ms, items };
    // Each apart: batches that end together took what the first of them is said to have taken.
    this.#pace = { ms: msBefore + NEWEST * (ms - msBefore), items: itemsBefore + NEWEST * (items - itemsBefore) };
  }

  #fail(request: Waiting<Item, Result>, reason: unknown): void {
    this.#drop(request);
    request.failure ??= { reason };
    request.news.resolve();
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
  request.news.resolve();
}

async function resultOf<Item, Result>(request: Waiting<Item, Result>, index: number): Promise<Result> {
  const { results } = request;
  for (;;) {
    if (request.failure !== undefined) throw request.failure.reason;
    if (results.has(index)) break;
    await request.news.promise;
    request.news = deferred();
  }
  const result = results.get(index) as Result;
  results.delete(index);
  return result;
}
