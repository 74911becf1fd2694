/**
 * Signed, expiring addresses for what is not public: whoever was given one may open it without a key until its time is up.
 * The time is rounded up to the hour, so that an address stays the same for a while and browsers keep what they have.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface Signature {
  /** Seconds since 1970. */
  readonly expires: number;
  readonly mark: string;
}

const HOUR_S = 3_600;
const MARK_BYTES = 16;

export class Signatures {
  readonly #secret: Buffer;
  readonly #lifetimeS: number;

  constructor(secret: Buffer, lifetimeS: number) {
    this.#secret = secret;
    this.#lifetimeS = lifetimeS;
  }

  /** `what`: the path with whatever of its query changes the answer. */
  sign(what: string, nowMs = Date.now()): Signature {
    const expires = Math.ceil((nowMs / 1000 + this.#lifetimeS) / HOUR_S) * HOUR_S;
    return { expires, mark: this.#markOf(what, expires) };
  }

  isGood(what: string, { expires, mark }: Signature, nowMs = Date.now()): boolean {
    if (!Number.isSafeInteger(expires) || expires * 1000 < nowMs) return false;
    const [given, right] = [Buffer.from(mark), Buffer.from(this.#markOf(what, expires))];
    return given.length === right.length && timingSafeEqual(given, right);
  }

  #markOf(what: string, expires: number): string {
    const mac = createHmac('sha256', this.#secret).update(`${expires} ${what}`).digest();
    return mac.subarray(0, MARK_BYTES).toString('base64url');
  }
}
