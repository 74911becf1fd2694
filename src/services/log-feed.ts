/**
 * Durable logs as streams: one LISTEN per process, one read shared by all who follow a log from the same place.
 * It holds no entries; a follower that is slow reads the log later.
 */
import type { LogEntry } from '../core/event-stream.ts';
import { isLastEvent, type RunEvent } from '../core/events.ts';
import { type FollowOptions, followLog, type GrowingLog } from '../core/follow-log.ts';
import { isFinal } from '../core/run-state.ts';
import type { Db, Store } from '../store/db.ts';
import { readEvents } from '../store/run-log.ts';
import { runById } from '../store/runs.ts';
import { LOG_CHANNEL, runTopic } from '../store/topic-log.ts';

/** A notice may be lost with its connection: followers look by themselves this often. */
const LOOK_MS = 5_000;

/** Where a topic's entries are read, and when there will be no more. */
export interface LogSource<Entry extends LogEntry> {
  readonly topic: string;
  readonly read: (after: number, limit: number) => Promise<readonly Entry[]>;
  readonly isLast: (entry: Entry) => boolean;
  readonly isOver: () => Promise<boolean>;
}

export class LogFeed implements AsyncDisposable {
  readonly #db: Db;
  readonly #followers = new Map<string, Set<() => void>>();
  /** Reads under way, by topic and then by place. */
  readonly #reads = new Map<string, Map<string, Promise<readonly LogEntry[]>>>();
  #unlisten: (() => Promise<void>) | undefined;
  #look: NodeJS.Timeout | undefined;

  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(store: Pick<Store, 'db' | 'listen'>): Promise<LogFeed> {
    const feed = new LogFeed(store.db);
    feed.#unlisten = await store.listen(LOG_CHANNEL, (payload) => feed.#tell(payload.replace(/:\d+$/, '')));
    feed.#look = setInterval(() => {
      for (const topic of feed.#followers.keys()) feed.#tell(topic);
    }, LOOK_MS);
    feed.#look.unref();
    return feed;
  }

  /** Followers of any log, for tests and metrics. */
  get followers(): number {
    let sum = 0;
    for (const set of this.#followers.values()) sum += set.size;
    return sum;
  }

  /** A log that tells when it grows, read once for all who stand at the same place. */
  log<Entry extends LogEntry>({ topic, read, isLast, isOver }: LogSource<Entry>): GrowingLog<Entry> {
    return {
      read: (after, limit) => this.#shared(topic, `${after}:${limit}`, () => read(after, limit)),
      onGrow: (grown) => this.onGrow(topic, grown),
      isLast,
      isOver,
    };
  }

  /** A run's log, which is over with the run. */
  ofRun(runId: string): GrowingLog<RunEvent> {
    return this.log<RunEvent>({
      topic: runTopic(runId),
      read: (after, limit) => readEvents(this.#db, { runId, after, limit }),
      isLast: isLastEvent,
      isOver: async () => {
        const run = await runById(this.#db, runId);
        return run === undefined || isFinal(run.status);
      },
    });
  }

  /** A run's events after `after`, then live, to its end. */
  follow(runId: string, options: FollowOptions): AsyncIterableIterator<RunEvent> {
    return followLog(this.ofRun(runId), options);
  }

  /** Calls `grown` after each new entry of the topic, perhaps more often. Gives back the end of it. */
  onGrow(topic: string, grown: () => void): () => void {
    const set = this.#followers.get(topic) ?? new Set();
    this.#followers.set(topic, set.add(grown));
    return () => {
      set.delete(grown);
      if (set.size === 0 && this.#followers.get(topic) === set) this.#followers.delete(topic);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#look);
    await this.#unlisten?.();
  }

  #tell(topic: string): void {
    // A read that began before this notice may not see what it is about: nobody may join it any more.
    this.#reads.delete(topic);
    for (const grown of [...(this.#followers.get(topic) ?? [])]) grown();
  }

  #shared<Entry extends LogEntry>(
    topic: string,
    place: string,
    read: () => Promise<readonly Entry[]>,
  ): Promise<readonly Entry[]> {
    const reads = this.#reads.get(topic) ?? new Map<string, Promise<readonly LogEntry[]>>();
    this.#reads.set(topic, reads);
    // A topic's entries are all of one kind: whoever reads it names the same source.
    const known = reads.get(place) as Promise<readonly Entry[]> | undefined;
    if (known !== undefined) return known;
    const reading = read().finally(() => {
      reads.delete(place);
      if (reads.size === 0 && this.#reads.get(topic) === reads) this.#reads.delete(topic);
    });
    reads.set(place, reading);
    return reading;
  }
}
