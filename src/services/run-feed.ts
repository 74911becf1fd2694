/**
 * Runs' logs as streams: one LISTEN per process, one read shared by all who follow a run from the same place.
 * It holds no events; a follower that is slow reads the log later.
 */
import { isLastEvent, type RunEvent } from '../core/events.ts';
import { type FollowOptions, followLog } from '../core/follow-log.ts';
import { isFinal } from '../core/run-state.ts';
import type { Db, Store } from '../store/db.ts';
import { RUN_CHANNEL, readEvents } from '../store/run-log.ts';
import { runById } from '../store/runs.ts';

/** A notice may be lost with its connection: followers look by themselves this often. */
const LOOK_MS = 5_000;

export class RunFeed implements AsyncDisposable {
  readonly #db: Db;
  readonly #followers = new Map<string, Set<() => void>>();
  /** Reads under way, by run and then by place. */
  readonly #reads = new Map<string, Map<string, Promise<RunEvent[]>>>();
  #unlisten: (() => Promise<void>) | undefined;
  #look: NodeJS.Timeout | undefined;

  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(store: Pick<Store, 'db' | 'listen'>): Promise<RunFeed> {
    const feed = new RunFeed(store.db);
    feed.#unlisten = await store.listen(RUN_CHANNEL, (payload) => feed.#tell(payload.replace(/:\d+$/, '')));
    feed.#look = setInterval(() => {
      for (const runId of feed.#followers.keys()) feed.#tell(runId);
    }, LOOK_MS);
    feed.#look.unref();
    return feed;
  }

  /** Streams that are open, for tests and metrics. */
  get followers(): number {
    let sum = 0;
    for (const set of this.#followers.values()) sum += set.size;
    return sum;
  }

  /** A run's events after `after`, then live, to its end. */
  follow(runId: string, options: FollowOptions): AsyncIterableIterator<RunEvent> {
    return followLog<RunEvent>(
      {
        read: (after, limit) => this.#read(runId, after, limit),
        onGrow: (grown) => this.onGrow(runId, grown),
        isLast: isLastEvent,
        isOver: async () => {
          const run = await runById(this.#db, runId);
          return run === undefined || isFinal(run.status);
        },
      },
      options,
    );
  }

  /** Calls `grown` after each new event of the run, perhaps more often. Gives back the end of it. */
  onGrow(runId: string, grown: () => void): () => void {
    const set = this.#followers.get(runId) ?? new Set();
    this.#followers.set(runId, set.add(grown));
    return () => {
      set.delete(grown);
      if (set.size === 0 && this.#followers.get(runId) === set) this.#followers.delete(runId);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#look);
    await this.#unlisten?.();
  }

  #tell(runId: string): void {
    // A read that began before this notice may not see what it is about: nobody may join it any more.
    this.#reads.delete(runId);
    for (const grown of [...(this.#followers.get(runId) ?? [])]) grown();
  }

  #read(runId: string, after: number, limit: number): Promise<RunEvent[]> {
    const reads = this.#reads.get(runId) ?? new Map<string, Promise<RunEvent[]>>();
    this.#reads.set(runId, reads);
    const place = `${after}:${limit}`;
    const known = reads.get(place);
    if (known !== undefined) return known;
    const reading = readEvents(this.#db, { runId, after, limit }).finally(() => {
      reads.delete(place);
      if (reads.size === 0 && this.#reads.get(runId) === reads) this.#reads.delete(runId);
    });
    reads.set(place, reading);
    return reading;
  }
}
