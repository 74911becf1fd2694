/**
 * Encoding, decoding and resizing take turns. sharp works on libuv's threads, of which there are four unless the system is told
 * otherwise, and files are read on them, too: so half of them are the most that are at work at once. What waits is bounded, and
 * clients take turns: who asks for a thousand AVIFs does not hold up who asks for one.
 */
import { availableParallelism } from 'node:os';
import { Batcher } from '../core/batcher.ts';
import { AppError } from '../core/errors.ts';
import type { Asker } from './painting.ts';

/** Its result goes to whoever waits for it. */
type Work = () => Promise<void>;

const MOST_AT_ONCE = 2;
const MOST_WAITING = 512;
const ANY = '';

export class Encoders {
  readonly #turns: Batcher<Work, void>;

  constructor() {
    this.#turns = new Batcher({
      maxBatch: 1,
      maxTurn: 1,
      maxWaiting: MOST_WAITING,
      // A film takes as long as a thousand thumbnails: by the pace of late it cannot be told how long others would wait.
      maxWaitMs: Number.POSITIVE_INFINITY,
      maxAtWork: Math.min(MOST_AT_ONCE, availableParallelism()),
      now: () => performance.now(),
      work: (_key, batch) => Promise.all(batch.map((work) => work())),
    });
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#turns.waiting;
  }

  /**
   * Does it when it is the client's turn. Who leaves before does not have it done.
   * @throws AppError OVERLOADED (retryable), the signal's reason, or what `work` threw
   */
  async run<T>({ client, signal }: Asker, work: () => Promise<T>): Promise<T> {
    let done: { readonly value: T } | undefined;
    const item = async () => {
      done = { value: await work() };
    };
    // Told at once, while so many wait.
    const { waiting } = this;
    try {
      await this.#turns.run({ key: ANY, client, items: [item], signal });
    } catch (error) {
      throw error instanceof AppError && error.code === 'OVERLOADED' ? busy(waiting, error) : error;
    }
    if (done === undefined) throw new Error('What was done has no result');
    return done.value;
  }
}

function busy(waiting: number, cause: AppError): AppError {
  const { retryAfterMs = 0 } = cause;
  const message = `${waiting} pictures are to be encoded first. Try again in a moment.`;
  return new AppError('OVERLOADED', message, { retryable: true, retryAfterMs, cause });
}
