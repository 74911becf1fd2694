/**
 * Claims runs and trains them, one at a time on this process's device; the rest wait in the queue. It alone starts
 * trainer children. A run that it cannot finish goes back into the queue, with its last checkpoint.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Deferred, deferred } from '../core/deferred.ts';
import type { StopReason } from '../engine/protocol.ts';
import { claimNextRun, requeueAll, requeueExpired } from '../store/runs.ts';
import { resumeWhereRoom } from './disk-room.ts';
import { RunSession, type SessionParts } from './run-session.ts';

export interface RunDriverOptions extends Omit<SessionParts, 'leaseMs' | 'renewMs' | 'stopMs'> {
  /** True where no other process can own a run: what is RUNNING at the start was left by a server that died. */
  readonly soleOwner: boolean;
  /** Without a renewal for this long, another server may claim the run. */
  readonly leaseMs?: number;
  readonly renewMs?: number;
  /** How often the queue is looked at without being told; other servers' runs are not told. */
  readonly pollMs?: number;
  readonly stopMs?: { readonly [why in StopReason]: number };
}

/** A cancelled run has nothing to save; a paused one writes a checkpoint; the server has 10 s in all to end. */
const STOP_MS = { cancel: 5_000, pause: 60_000, shutdown: 8_000 };
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

export class RunDriver implements AsyncDisposable {
  readonly #options: RunDriverOptions;
  readonly #parts: SessionParts;
  readonly #owner = `${hostname()}:${process.pid}:${randomUUID()}`;
  readonly #pollMs: number;
  #session: RunSession | undefined;
  #working: Promise<void> = Promise.resolve();
  #sweep: NodeJS.Timeout | undefined;
  #stopping = false;
  #woken = false;
  #sleep: Deferred<void> | undefined;

  constructor(options: RunDriverOptions) {
    const { leaseMs = 8_000, renewMs = 2_000, pollMs = 1_000, stopMs = STOP_MS } = options;
    this.#options = options;
    this.#parts = { ...options, leaseMs, renewMs, stopMs };
    this.#pollMs = pollMs;
  }

  /** Puts back what a dead server left behind, then begins to claim. */
  async start(): Promise<void> {
    if (this.#options.soleOwner) await requeueAll(this.#options.db);
    this.#sweep = setInterval(() => void this.#look(), this.#pollMs);
    this.#sweep.unref();
    this.#working = this.#work();
  }

  /** The trainer child, while one runs. */
  get pid(): number | undefined {
    return this.#session?.pid;
  }

  /** A run was queued. */
  wake(): void {
    this.#woken = true;
    this.#sleep?.resolve();
  }

  /** A run's wish has changed: it is read at once, where this process trains the run. */
  nudge(runId: string): void {
    if (this.#session?.runId === runId) void this.#session.renew();
  }

  /** Stops claiming; the running child writes a checkpoint and leaves, or is killed after 8 s. The run is queued again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#sweep);
    this.#session?.stop('shutdown');
    this.wake();
    await this.#working;
  }

  async #work(): Promise<void> {
    while (!this.#stopping) {
      try {
        const deaths = await this.#next();
        if (deaths === undefined) await this.#rest(this.#pollMs);
        else if (deaths > 0) await this.#rest(Math.min(FIRST_PAUSE_MS * 2 ** deaths, LONGEST_PAUSE_MS), { deaf: true });
      } catch (error) {
        this.#options.log.error({ error }, 'The training queue could not be worked on');
        await this.#rest(this.#pollMs, { deaf: true });
      }
    }
  }

  /** Trains the next run of the queue. Undefined: there is none; else its child's deaths in a row. */
  async #next(): Promise<number | undefined> {
    const { db } = this.#options;
    this.#woken = false;
    const run = await claimNextRun(db, { owner: this.#owner, leaseMs: this.#parts.leaseMs });
    if (run === undefined) return undefined;
    const session = new RunSession(this.#parts, run);
    this.#session = session;
    // The server may have begun to stop while the run was claimed.
    if (this.#stopping) session.stop('shutdown');
    try {
      return await session.drive();
    } finally {
      this.#session = undefined;
    }
  }

  async #look(): Promise<void> {
    await this.#requeue();
    try {
      if ((await resumeWhereRoom(this.#options)) > 0) this.wake();
    } catch (error) {
      this.#options.log.warn({ error }, 'Runs that wait for room on the disk could not be looked for');
    }
  }

  async #requeue(): Promise<void> {
    // Nobody else can have left a run behind while this process trains one.
    if (this.#options.soleOwner && this.#session !== undefined) return;
    try {
      // After a suspended machine or a jump of the clock the own run must not look like a dead server's.
      await this.#session?.renew();
      const runs = await requeueExpired(this.#options.db);
      if (runs.length > 0) this.wake();
    } catch (error) {
      this.#options.log.warn({ error }, 'Runs of servers that died could not be looked for');
    }
  }

  /** Waits for a while, or for being woken; `deaf`: for the stop only. */
  async #rest(limitMs: number, { deaf = false } = {}): Promise<void> {
    const end = performance.now() + limitMs;
    while (!this.#stopping && (deaf || !this.#woken)) {
      const left = end - performance.now();
      if (left <= 0) return;
      const sleep = deferred<void>();
      this.#sleep = sleep;
      const timer = setTimeout(sleep.resolve, left);
      await sleep.promise;
      clearTimeout(timer);
    }
  }
}
