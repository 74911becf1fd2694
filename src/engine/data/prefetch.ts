/**
 * Batches that are read while TensorFlow computes: a step blocks the thread that asked for it, so another thread reads
 * the next batch meanwhile. What is in a batch does not change by that: it is a function of (seed, step).
 */
import { Worker } from 'node:worker_threads';
import { type Deferred, deferred } from '../../core/deferred.ts';
import type { TrainConfig } from '../../core/presets.ts';
import type { Batch } from '../gan/step-inputs.ts';
import type { PixelRange } from './crops.ts';

/** From src/ and from dist/ alike: a thread needs the built file. */
const PROGRAM = new URL('../../../dist/engine/data/batch-worker.js', import.meta.url);

export interface PrefetchSource {
  /** The packed dataset's file. */
  readonly pack: string;
  readonly config: TrainConfig;
  readonly seed: number;
  readonly pixelRange: PixelRange;
}

interface Read {
  readonly step: number;
  readonly batch: Batch;
}

export class Prefetch implements AsyncDisposable {
  readonly #worker: Worker;
  /** Batches that were asked of the thread, by step. */
  readonly #asked = new Map<number, Deferred<Batch>>();

  constructor(source: PrefetchSource) {
    this.#worker = new Worker(PROGRAM, { workerData: source });
    this.#worker.on('message', ({ step, batch }: Read) => this.#asked.get(step)?.resolve(batch));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('The thread that reads batches has ended')));
  }

  /** The batch of a step; the thread goes on to the next one at once. @throws what reading it threw */
  async take(step: number): Promise<Batch> {
    const batch = this.#ask(step);
    void this.#ask(step + 1).catch(() => undefined);
    try {
      return await batch;
    } finally {
      this.#asked.delete(step);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker.removeAllListeners();
    await this.#worker.terminate();
  }

  #ask(step: number): Promise<Batch> {
    const known = this.#asked.get(step);
    if (known !== undefined) return known.promise;
    const asked = deferred<Batch>();
    this.#asked.set(step, asked);
    this.#worker.postMessage(step);
    return asked.promise;
  }

  #fail(error: Error): void {
    for (const asked of this.#asked.values()) asked.reject(error);
  }
}
