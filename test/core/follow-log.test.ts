import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type FollowOptions, followLog } from '../../src/core/follow-log.ts';

interface Entry {
  readonly seq: number;
  readonly last: boolean;
}

/** A log in memory that counts who listens and how often it was read. */
class MemoryLog {
  readonly entries: Entry[] = [];
  readonly listeners = new Set<() => void>();
  reads = 0;
  largestRead = 0;
  /** Runs in the middle of a read, after its snapshot was taken. */
  duringRead: (() => void) | undefined;
  fault: Error | undefined;

  append(count = 1, last = false): void {
    for (let i = 0; i < count; i++) this.entries.push({ seq: this.entries.length + 1, last: last && i === count - 1 });
    for (const listener of [...this.listeners]) listener();
  }

  follow(options: Partial<FollowOptions> = {}): AsyncIterableIterator<Entry> {
    return followLog<Entry>(
      {
        read: async (after, limit) => {
          this.reads += 1;
          if (this.fault !== undefined) throw this.fault;
          const page = this.entries.slice(after, after + limit);
          this.largestRead = Math.max(this.largestRead, page.length);
          const during = this.duringRead;
          this.duringRead = undefined;
          during?.();
          return page;
        },
        onGrow: (grown) => {
          this.listeners.add(grown);
          return () => this.listeners.delete(grown);
        },
        isLast: (entry) => entry.last,
        isOver: async () => this.entries.at(-1)?.last ?? false,
      },
      { after: 0, ...options },
    );
  }
}

async function seqs(follower: AsyncIterableIterator<Entry>, most = Number.POSITIVE_INFINITY): Promise<number[]> {
  const seen: number[] = [];
  for await (const { seq } of follower) {
    seen.push(seq);
    if (seen.length >= most) break;
  }
  return seen;
}
const upTo = (end: number, start = 1) => Array.from({ length: end - start + 1 }, (_, i) => start + i);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('followLog', () => {
  it('replays in pages of bounded size, follows, and ends with the log', async () => {
    const log = new MemoryLog();
    log.append(25);
    const all = seqs(log.follow({ pageSize: 10 }));
    for (let i = 0; i < 10; i++) {
      await turn();
      log.append(3);
    }
    log.append(1, true);
    expect(await all).toEqual(upTo(56));
    expect(log.largestRead).toBe(10);
    expect(log.listeners.size).toBe(0);
  });

  it('begins after the given place', async () => {
    const log = new MemoryLog();
    log.append(9);
    log.append(1, true);
    expect(await seqs(log.follow({ after: 6 }))).toEqual([7, 8, 9, 10]);
  });

  it('ends at once where it begins at or past the end of a log that is over', async () => {
    const log = new MemoryLog();
    log.append(3, true);
    expect(await seqs(log.follow({ after: 3 }))).toEqual([]);
    expect(await seqs(log.follow({ after: 99 }))).toEqual([]);
    expect(log.listeners.size).toBe(0);
  });

  it('misses nothing that is committed while it reads', async () => {
    const log = new MemoryLog();
    log.append(2);
    const follower = log.follow();
    log.duringRead = () => log.append(1, true);
    expect(await seqs(follower)).toEqual([1, 2, 3]);
  });

  it('misses nothing that is committed while it asks whether the log is over', async () => {
    const log = new MemoryLog();
    const follower = log.follow();
    log.duringRead = () => log.append(2, true);
    expect(await seqs(follower)).toEqual([1, 2]);
  });

  it('goes on past an end that was not the last: a failed run that was resumed', async () => {
    const log = new MemoryLog();
    log.append(3, true);
    log.append(2);
    const all = seqs(log.follow());
    await turn();
    log.append(1, true);
    expect(await all).toEqual(upTo(6));
  });

  it('reads once a notice, and not at all without one', async () => {
    const log = new MemoryLog();
    log.append(1);
    const follower = log.follow();
    await follower.next();
    const waiting = follower.next();
    await turn();
    const before = log.reads;
    await turn();
    expect(log.reads).toBe(before);
    log.append(1);
    expect((await waiting).value?.seq).toBe(2);
    expect(log.reads).toBe(before + 1);
    await follower.return?.();
  });

  it('settles a waiting next() when return() is called', async () => {
    const log = new MemoryLog();
    const follower = log.follow();
    const waiting = [follower.next(), follower.next()];
    await turn();
    expect(log.listeners.size).toBe(1);
    await follower.return?.();
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    expect(log.listeners.size).toBe(0);
    expect(await follower.next()).toEqual({ done: true, value: undefined });
  });

  it('ends on the signal, and takes its listener away', async () => {
    const log = new MemoryLog();
    const aborting = new AbortController();
    const follower = log.follow({ signal: aborting.signal });
    const waiting = follower.next();
    await turn();
    aborting.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(log.listeners.size).toBe(0);
    expect(getEventListeners(aborting.signal, 'abort')).toHaveLength(0);
    expect(await log.follow({ signal: aborting.signal }).next()).toEqual({ done: true, value: undefined });
    expect(log.listeners.size).toBe(0);
  });

  it('answers several next() calls in order', async () => {
    const log = new MemoryLog();
    const follower = log.follow();
    const asked = [follower.next(), follower.next(), follower.next()];
    log.append(2);
    await turn();
    log.append(1, true);
    expect((await Promise.all(asked)).map(({ value }) => value?.seq)).toEqual([1, 2, 3]);
    expect((await follower.next()).done).toBe(true);
  });

  it('tells a failed read to the one who waits, and is closed after it', async () => {
    const log = new MemoryLog();
    log.fault = new Error('the database is away');
    const follower = log.follow();
    await expect(follower.next()).rejects.toThrow('the database is away');
    expect((await follower.next()).done).toBe(true);
    expect(log.listeners.size).toBe(0);
  });

  it('leaves no listener behind: 10,000 times opened and closed', async () => {
    const log = new MemoryLog();
    const { signal } = new AbortController();
    for (let i = 0; i < 10_000; i++) {
      const follower = log.follow({ signal });
      const waiting = i % 3 === 0 ? undefined : follower.next();
      if (i % 3 === 2) await turn();
      await follower.return?.();
      await waiting;
    }
    expect(log.listeners.size).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
