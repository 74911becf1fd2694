/** Points that each API key may spend: so many at once, and so many a second. An open server keeps no accounts. */
import { LRUCache } from 'lru-cache';
import type { Viewer } from '../../core/access.ts';
import { type BucketSize, TokenBucket } from '../../core/token-bucket.ts';
import { refusalOf } from './refusals.ts';

export interface BudgetStatus {
  readonly capacity: number;
  readonly remaining: number;
  readonly refillPerSecond: number;
}

/** A key that has not asked for so long has a full budget again. */
const MOST_BUCKETS = 10_000;

export class Budgets {
  readonly #size: BucketSize;
  readonly #buckets = new LRUCache<string, TokenBucket>({ max: MOST_BUCKETS });

  constructor(size: BucketSize) {
    this.#size = size;
  }

  /** Takes the points. @throws Refusal RATE_LIMITED that says when to come again */
  spend(viewer: Viewer, cost: number, nowMs = performance.now()): void {
    const bucket = this.#bucketOf(viewer, nowMs);
    if (bucket === undefined) return;
    const { capacity } = bucket.size;
    const waitMs = bucket.take(Math.min(cost, capacity), nowMs);
    if (waitMs === 0) return;
    const message = `The budget of this API key is spent: the operation costs ${cost} points. Ask again in ${waitMs} ms.`;
    throw refusalOf('RATE_LIMITED', message, { retryable: true, retryAfterMs: waitMs });
  }

  /** Undefined where nothing is counted. */
  status(viewer: Viewer, nowMs = performance.now()): BudgetStatus | undefined {
    const bucket = this.#bucketOf(viewer, nowMs);
    return bucket && { ...bucket.size, remaining: Math.floor(bucket.remaining(nowMs)) };
  }

  #bucketOf(viewer: Viewer, nowMs: number): TokenBucket | undefined {
    if (viewer.kind !== 'key') return undefined;
    const known = this.#buckets.get(viewer.id);
    if (known !== undefined) return known;
    const capacity = viewer.budget ?? this.#size.capacity;
    // A key with its own budget refills in the same time as all others.
    const refillPerSecond = (capacity / this.#size.capacity) * this.#size.refillPerSecond;
    const bucket = new TokenBucket({ capacity, refillPerSecond }, nowMs);
    this.#buckets.set(viewer.id, bucket);
    return bucket;
  }
}
