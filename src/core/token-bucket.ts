/** A budget that refills: so many tokens at once, so many a second. Its clock is given to it. */

export interface BucketSize {
  readonly capacity: number;
  readonly refillPerSecond: number;
}

export class TokenBucket {
  readonly size: BucketSize;
  #tokens: number;
  #at: number;

  constructor(size: BucketSize, nowMs: number) {
    this.size = size;
    this.#tokens = size.capacity;
    this.#at = nowMs;
  }

  /** What is there now. */
  remaining(nowMs: number): number {
    const { capacity, refillPerSecond } = this.size;
    const refilled = (Math.max(0, nowMs - this.#at) / 1000) * refillPerSecond;
    this.#tokens = Math.min(capacity, this.#tokens + refilled);
    this.#at = Math.max(this.#at, nowMs);
    return this.#tokens;
  }

  /** Takes the tokens, or none at all. @returns 0, or in how many milliseconds they will be there. */
  take(tokens: number, nowMs: number): number {
    const missing = tokens - this.remaining(nowMs);
    if (missing > 0) return Math.ceil((missing / this.size.refillPerSecond) * 1000);
    this.#tokens -= tokens;
    return 0;
  }
}
