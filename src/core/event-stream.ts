/**
 * What a subscription field gives: a growing log, the place to begin, and which entries a slow watcher may do without.
 * Whoever serves it reads the log itself, so nothing is buffered for a client; as an async iterator it is read like any other.
 */
import { followLog, type GrowingLog } from './follow-log.ts';

export interface LogEntry {
  /** Grows by one per log, without a gap, from 1. */
  readonly seq: number;
  readonly at: Date;
}

/** Entries that a watcher may do without come at most this often; all others always. */
export interface Pace<Entry> {
  readonly minIntervalMs: number;
  readonly mayBeSkipped: (entry: Entry) => boolean;
}

export class EventStream<Entry extends LogEntry = LogEntry> implements AsyncIterable<Entry> {
  readonly log: GrowingLog<Entry>;
  /** Begin after this seq; 0: from the start. */
  readonly after: number;
  readonly pace: Pace<Entry> | undefined;

  constructor(log: GrowingLog<Entry>, after: number, pace?: Pace<Entry>) {
    this.log = log;
    this.after = after;
    this.pace = pace;
  }

  /** From its place to the log's end, every entry. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Entry> {
    return followLog(this.log, { after: this.after });
  }
}

/** One watcher's choice of entries, by the time at which they were written: the same log gives the same choice. */
export class Thinning<Entry extends LogEntry> {
  readonly #pace: Pace<Entry> | undefined;
  #last = Number.NEGATIVE_INFINITY;

  constructor(pace: Pace<Entry> | undefined) {
    this.#pace = pace;
  }

  /** Whether this watcher is to get the entry; to be asked in order. */
  wants(entry: Entry): boolean {
    if (this.#pace === undefined || !this.#pace.mayBeSkipped(entry)) return true;
    return entry.at.getTime() - this.#last >= this.#pace.minIntervalMs;
  }

  /** The watcher has got an entry that it wanted. */
  took(entry: Entry): void {
    if (this.#pace?.mayBeSkipped(entry) === true) this.#last = entry.at.getTime();
  }
}
