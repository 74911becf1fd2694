/**
 * Paints what jobs ask for, one job's turn after another's. A turn is a few chunks: while one is being written, the next is
 * being painted. A chunk's file is there before its row says so; whoever finds a job after a death goes on at its last chunk,
 * so that each picture is there once.
 */
import { type Deferred, deferred } from '../core/deferred.ts';
import { asAppError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Db } from '../store/db.ts';
import type { GenerationRow } from '../store/generation-tables.ts';
import {
  advanceGeneration,
  claimGeneration,
  freeGenerations,
  holdGeneration,
  moveGeneration,
  releaseGeneration,
} from '../store/generations.ts';
import type { GenerationFiles } from './generation-files.ts';
import { CHUNK, recipeAt } from './generation-jobs.ts';
import type { ModelService } from './models.ts';
import type { PaintingService } from './painting.ts';
import type { Encoded } from './picture-cache.ts';

export interface GenerationDriverOptions {
  readonly db: Db;
  readonly files: GenerationFiles;
  readonly models: ModelService;
  readonly painting: Pick<PaintingService, 'pngs'>;
  readonly log: Log;
  /** True where no other process can hold a job: what is held at the start was held by a server that died. */
  readonly soleOwner: boolean;
  /** Without a renewal for this long, another server may take the job. */
  readonly leaseMs?: number;
  /** How often the queue is looked at without being told. */
  readonly pollMs?: number;
}

/** After so long it is the next job's turn. */
const TURN_MS = 2_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** Faults in a row after which a job is given up; a full disk is waited for. */
const MOST_FAILURES = 10;

export class GenerationDriver implements AsyncDisposable {
  readonly #options: GenerationDriverOptions;
  readonly #leaseMs: number;
  readonly #pollMs: number;
  readonly #stop = new AbortController();
  #working: Promise<void> = Promise.resolve();
  #woken = false;
  #sleep: Deferred<void> | undefined;

  constructor(options: GenerationDriverOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? 10_000;
    this.#pollMs = options.pollMs ?? 1_000;
  }

  /** Frees what a dead server has held, then begins. */
  async start(): Promise<void> {
    const { db, soleOwner } = this.#options;
    if (soleOwner) await freeGenerations(db);
    this.#working = this.#work();
  }

  /** A job was queued. */
  wake(): void {
    this.#woken = true;
    this.#sleep?.resolve();
  }

  /** What is being painted is left; what is being written is written. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('The server is stopping'));
    this.wake();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { db, log } = this.#options;
    while (!this.#stop.signal.aborted) {
      this.#woken = false;
      try {
        const job = await claimGeneration(db, this.#leaseMs);
        if (job === undefined) await this.#rest();
        else await this.#turn(job);
      } catch (error) {
        log.error({ err: error }, 'The queue of jobs could not be worked on');
        await this.#rest();
      }
    }
  }

  async #turn(job: GenerationRow): Promise<void> {
    const { db, log } = this.#options;
    const renewing = setInterval(() => {
      holdGeneration(db, job, this.#leaseMs).catch((error: unknown) => {
        log.warn({ err: error, job: job.id }, 'A job could not be held on to');
      });
    }, this.#leaseMs / 4);
    try {
      await this.#paint(job);
      await releaseGeneration(db, job);
    } catch (error) {
      if (this.#stop.signal.aborted) await releaseGeneration(db, job);
      else await this.#failed(job, error);
    } finally {
      clearInterval(renewing);
    }
  }

  /** Chunk after chunk, until the turn is over, the job is, or it belongs to somebody else. */
  async #paint(job: GenerationRow): Promise<void> {
    const { models, painting } = this.#options;
    const model = await models.resolve(job.modelId);
    const asker = { client: `job:${job.id}`, signal: this.#stop.signal };
    const end = performance.now() + TURN_MS;
    let writing: Promise<boolean> = Promise.resolve(true);
    for (let first = job.done; first < job.n && (first === job.done || performance.now() < end); first += CHUNK) {
      const count = Math.min(CHUNK, job.n - first);
      const begun = performance.now();
      const recipes = Array.from({ length: count }, (_, i) => recipeAt(job, first + i));
      // Settled together: a fault of one is not left behind by a fault of the other.
      const [painted, isHeld] = await both(painting.pngs(model, recipes, asker), writing);
      if (!isHeld) return;
      writing = this.#write(job, { first, pictures: painted, begun });
      // Its fault is told by whoever waits for it.
      writing.catch(() => undefined);
    }
    await writing;
  }

  /** The file before the row that counts it. @returns whether the job is still ours */
  async #write(
    job: GenerationRow,
    { first, pictures, begun }: { first: number; pictures: readonly Encoded[]; begun: number },
  ): Promise<boolean> {
    const { db, files } = this.#options;
    const bytes = await files.write(job.id, first, pictures);
    const picturesPerSecond = (pictures.length * 1000) / Math.max(1, performance.now() - begun);
    const done = first + pictures.length;
    return (await advanceGeneration(db, job, { done, bytes, picturesPerSecond })) !== undefined;
  }

  async #failed(job: GenerationRow, error: unknown): Promise<void> {
    const { db, log } = this.#options;
    const told = asAppError(error);
    const reason = told?.message ?? 'Something went wrong in the server; its log says what.';
    const isFinal = told !== undefined && !told.retryable;
    const waitsForRoom = told?.code === 'DISK_FULL';
    log.warn({ err: error, job: job.id, failures: job.failures + 1 }, 'A job could not go on');
    if (isFinal || (!waitsForRoom && job.failures + 1 >= MOST_FAILURES)) {
      await moveGeneration(db, { id: job.id, action: 'fail', error: reason, fence: job.fence });
      return;
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(job.failures, 10));
    await releaseGeneration(db, job, { pauseMs, error: reason });
  }

  /** Waits for a while, or for being woken. */
  async #rest(): Promise<void> {
    if (this.#woken) return;
    const sleep = deferred<void>();
    this.#sleep = sleep;
    const timer = setTimeout(sleep.resolve, this.#pollMs);
    await sleep.promise;
    clearTimeout(timer);
  }
}

/** Both, or the first one's fault, once both are settled. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (b.status === 'rejected') throw b.reason;
  if (a.status === 'rejected') throw a.reason;
  return [a.value, b.value];
}
