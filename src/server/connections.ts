/** How many sockets and streams are open: in all, from one address, and by one viewer. Whoever is one too many is refused. */
import { AppError } from '../core/errors.ts';

export interface ConnectionLimits {
  readonly sockets: number;
  readonly socketsPerAddress: number;
  readonly socketsPerKey: number;
}

/** Programs of this machine are not held back by their address. */
const LOOPBACK = /^(127\.|::1$)/;

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #addresses = new Map<string, number>();
  readonly #viewers = new Map<string, number>();
  #open = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#open;
  }

  /** One more from this address. @returns the way out. @throws AppError OVERLOADED or TOO_MANY_STREAMS */
  enter(address: string): () => void {
    const { sockets, socketsPerAddress } = this.#limits;
    if (this.#open >= sockets)
      throw new AppError('OVERLOADED', 'This server has as many connections as it may. Come again later.', {
        retryable: true,
        retryAfterMs: 5_000,
      });
    const leave = LOOPBACK.test(address)
      ? () => undefined
      : counted(this.#addresses, address, { most: socketsPerAddress, what: 'this address' });
    this.#open += 1;
    return once(() => {
      this.#open -= 1;
      leave();
    });
  }

  /** One more of this viewer. @returns the way out. @throws AppError TOO_MANY_STREAMS */
  enterAs(viewer: string): () => void {
    if (!viewer.startsWith('key:')) return () => undefined;
    return once(counted(this.#viewers, viewer, { most: this.#limits.socketsPerKey, what: 'this API key' }));
  }
}

function counted(counts: Map<string, number>, key: string, { most, what }: { most: number; what: string }): () => void {
  const count = counts.get(key) ?? 0;
  if (count >= most)
    throw new AppError('TOO_MANY_STREAMS', `${most} connections of ${what} are open: more are not allowed.`, {
      retryable: true,
      retryAfterMs: 5_000,
    });
  counts.set(key, count + 1);
  return () => {
    const left = (counts.get(key) ?? 1) - 1;
    if (left === 0) counts.delete(key);
    else counts.set(key, left);
  };
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
