/**
 * All who watch the same thing with the same question: each event is executed and serialised once for all of them.
 * Whoever is at the head of the log gets events as they come; whoever is behind, or whose connection is full, reads the log
 * by themselves, page by page, until they are there again. Nobody is buffered for, and nobody holds up another.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { type EventStream, type LogEntry, Thinning } from '../../core/event-stream.ts';
import { followLog, type GrowingLog } from '../../core/follow-log.ts';
import type { Lane } from './lane.ts';
import type { Outlet } from './outlet.ts';
import { Payload } from './payload.ts';

export interface ChannelParts {
  readonly log: GrowingLog<LogEntry>;
  /** Shared by all channels. */
  readonly lane: Lane;
  /** The answer to the question for one event. */
  readonly execute: (entry: LogEntry) => Promise<unknown>;
  /** Tells one whose stream has broken why. */
  readonly failed: (outlet: Outlet, error: unknown) => void;
  /** So many deliveries of an event; how long after it was written, where it came as it happened. */
  readonly delivered: (count: number, lagMs?: number) => void;
  /** Nobody watches any more. */
  readonly idle: () => void;
}

/** Events that a watcher who is behind reads at once. */
const PAGE = 50;
/** Answers are shared by those who are close together; later ones see what is then true, and nobody keeps the old ones. */
const SHARED = { max: 128, ttl: 1_000, ttlAutopurge: true } as const;
/** Deliveries in one go: other work gets its turn in between. */
const BATCH = 500;

export class Channel {
  readonly #parts: ChannelParts;
  readonly #payloads = new LRUCache<number, Promise<Payload>>(SHARED);
  readonly #watchers = new Set<Watcher>();
  /** Those at the head of the log. */
  readonly #live = new Set<Watcher>();
  /** The newest entry that those have been given, or are being given. */
  #head = 0;
  #pump: AbortController | undefined;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#watchers.size;
  }

  /** Begins at the stream's place. @returns the way to leave */
  watch({ after, pace }: EventStream, outlet: Outlet): () => void {
    const watcher: Watcher = { outlet, thinning: new Thinning(pace), cursor: after, isOpen: true };
    this.#watchers.add(watcher);
    void this.#catchUp(watcher);
    return () => this.#leave(watcher);
  }

  /** Ends everybody's stream with an error. */
  failAll(error: unknown): void {
    for (const watcher of [...this.#watchers]) this.#fail(watcher, error);
  }

  #leave(watcher: Watcher): void {
    if (!watcher.isOpen) return;
    watcher.isOpen = false;
    this.#watchers.delete(watcher);
    this.#unlive(watcher);
    if (this.#watchers.size === 0) this.#parts.idle();
  }

  #unlive(watcher: Watcher): void {
    if (this.#live.delete(watcher) && this.#live.size === 0) this.#pump?.abort();
  }

  /** Reads the log for one watcher until they are at its head; stops where they are full and goes on once they are not. */
  async #catchUp(watcher: Watcher): Promise<void> {
    try {
      while (watcher.isOpen) {
        if (watcher.outlet.isFull) return watcher.outlet.whenDrained(() => void this.#catchUp(watcher));
        await this.#parts.lane.turn();
        const entries = await this.#parts.log.read(watcher.cursor, PAGE);
        if (entries.length === 0) {
          if (this.#join(watcher)) return;
          continue;
        }
        for (const entry of entries) {
          await this.#parts.lane.turn();
          if (watcher.outlet.isFull) break;
          const payload = watcher.thinning.wants(entry) ? await this.#payload(entry) : undefined;
          if (!watcher.isOpen) return;
          if (payload === undefined) {
            watcher.cursor = entry.seq;
            continue;
          }
          // Other streams of the same connection have sent meanwhile.
          if (watcher.outlet.isFull) break;
          give(watcher, entry, payload);
          this.#parts.delivered(1);
        }
      }
    } catch (error) {
      this.#fail(watcher, error);
    }
  }

  /** @returns false where the head has moved on meanwhile */
  #join(watcher: Watcher): boolean {
    if (!watcher.isOpen) return true;
    if (this.#pump !== undefined && watcher.cursor < this.#head) return false;
    this.#live.add(watcher);
    if (this.#pump === undefined) {
      this.#head = watcher.cursor;
      void this.#run();
    }
    return true;
  }

  /** Follows the log for all who are at its head, while there is anybody. */
  async #run(): Promise<void> {
    const pump = new AbortController();
    this.#pump = pump;
    try {
      const entries = followLog(this.#parts.log, { after: this.#head, pageSize: PAGE, signal: pump.signal });
      for await (const entry of entries) {
        // Before anything is awaited: from here on, who joins must have seen it.
        this.#head = entry.seq;
        await this.#parts.lane.urgently(() => this.#spread(entry));
        if (pump.signal.aborted) break;
      }
      this.#stopped(pump);
      if (pump.signal.aborted) return;
      for (const watcher of [...this.#live]) this.#end(watcher);
    } catch (error) {
      this.#stopped(pump);
      for (const watcher of [...this.#live]) this.#fail(watcher, error);
    }
  }

  /** Whoever has joined while this one was being stopped gets another. */
  #stopped(pump: AbortController): void {
    if (this.#pump === pump) this.#pump = undefined;
    if (!pump.signal.aborted || this.#live.size === 0) return;
    for (const watcher of [...this.#live]) {
      this.#live.delete(watcher);
      void this.#catchUp(watcher);
    }
  }

  async #spread(entry: LogEntry): Promise<void> {
    const wanting: Watcher[] = [];
    for (const watcher of this.#live) {
      if (entry.seq <= watcher.cursor) continue;
      if (watcher.thinning.wants(entry)) wanting.push(watcher);
      else watcher.cursor = entry.seq;
    }
    if (wanting.length === 0) return;
    const payload = await this.#payload(entry);
    let delivered = 0;
    for (const [i, watcher] of wanting.entries()) {
      if (i % BATCH === BATCH - 1) await breathe();
      if (!watcher.isOpen) continue;
      // Also by what others have sent on the same connection: this entry is read again from the log.
      if (watcher.outlet.isFull) {
        this.#unlive(watcher);
        void this.#catchUp(watcher);
        continue;
      }
      give(watcher, entry, payload);
      delivered += 1;
    }
    this.#parts.delivered(delivered, Date.now() - entry.at.getTime());
  }

  #payload(entry: LogEntry): Promise<Payload> {
    const known = this.#payloads.get(entry.seq);
    if (known !== undefined) return known;
    const made = this.#parts.execute(entry).then((result) => new Payload(result));
    this.#payloads.set(entry.seq, made);
    return made;
  }

  #end(watcher: Watcher): void {
    if (!watcher.isOpen) return;
    this.#leave(watcher);
    watcher.outlet.complete();
  }

  #fail(watcher: Watcher, error: unknown): void {
    if (!watcher.isOpen) return;
    this.#leave(watcher);
    this.#parts.failed(watcher.outlet, error);
  }
}

function give(watcher: Watcher, entry: LogEntry, payload: Payload): void {
  watcher.cursor = entry.seq;
  watcher.thinning.took(entry);
  watcher.outlet.next(payload);
}

interface Watcher {
  readonly outlet: Outlet;
  readonly thinning: Thinning<LogEntry>;
  /** The last entry that was given, or left out. */
  cursor: number;
  isOpen: boolean;
}
