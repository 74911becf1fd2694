/** A channel: who gets which events, in what order, and what it costs when many ask the same. */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { EventStream, type LogEntry, type Pace } from '../../src/core/event-stream.ts';
import { Channel } from '../../src/server/streams/channel.ts';
import { Lane } from '../../src/server/streams/lane.ts';
import type { Outlet } from '../../src/server/streams/outlet.ts';
import type { Payload } from '../../src/server/streams/payload.ts';
import { Dice } from '../helpers/dice.ts';
import { MemoryLog, type Note } from '../helpers/memory-log.ts';
import { Line, Reader } from '../helpers/readers.ts';
import { waitFor } from '../helpers/wait-for.ts';

type Answer = (entry: LogEntry) => Promise<unknown>;

function channelOf(log: MemoryLog, execute: Answer = async ({ seq }) => ({ seq }), lane = new Lane()) {
  const parts = {
    log,
    lane,
    execute: vi.fn(execute),
    failed: (outlet: Outlet, error: unknown) => outlet.fail([{ message: String(error) }]),
    delivered: vi.fn<(count: number, lagMs?: number) => void>(),
    idle: vi.fn<() => void>(),
  };
  const channel = new Channel(parts);
  const watch = (reader: Reader, after = 0, pace?: Pace<Note>) =>
    // The channel asks a pace only about entries of its own log.
    channel.watch(new EventStream<Note>(log, after, pace) as unknown as EventStream, reader);
  return { channel, parts, watch };
}

/** What is left of a log: no metric sooner than this after the one before it, and all else. */
function thinned(notes: readonly Note[], minIntervalMs: number): number[] {
  let last = Number.NEGATIVE_INFINITY;
  return notes.flatMap(({ kind, at, seq }) => {
    if (kind !== 'metrics') return [seq];
    if (Number(at) < last + minIntervalMs) return [];
    last = Number(at);
    return [seq];
  });
}

const upTo = (end: number, start = 1) => Array.from({ length: Math.max(0, end - start + 1) }, (_, i) => start + i);
const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await turn();
};
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
/** Until nothing moves any more. */
const settle = () => turns(1_500);

describe('those who watch the same', () => {
  it('share one execution and one text of each event, however many they are', async () => {
    const log = new MemoryLog();
    const { parts, watch } = channelOf(log);
    const readers = Array.from({ length: 1_000 }, () => new Reader());
    for (const reader of readers) watch(reader);
    await settle();
    for (let i = 0; i < 5; i++) log.append();
    await settle();
    expect(parts.execute).toHaveBeenCalledTimes(5);
    const [first] = readers;
    for (const reader of readers) {
      expect(reader.seqs).toEqual(upTo(5));
      expect(reader.frames.every((payload, i) => payload === first?.frames[i])).toBe(true);
    }
    expect(parts.delivered.mock.calls.reduce((sum, [count]) => sum + count, 0)).toBe(5_000);
    expect(log.listeners).toBe(1);
  });

  it('begin where each of them left off, and end together with the log', async () => {
    const log = new MemoryLog();
    const { parts, watch } = channelOf(log);
    for (let i = 0; i < 200; i++) log.append();
    const readers = [0, 1, 57, 199, 200].map((after) => ({ after, reader: new Reader() }));
    for (const { after, reader } of readers) watch(reader, after);
    await settle();
    log.append();
    log.append('end');
    await settle();
    for (const { after, reader } of readers)
      expect([reader.seqs, reader.end]).toEqual([upTo(202, after + 1), 'complete']);
    expect(parts.idle).toHaveBeenCalledTimes(1);
    expect(log.listeners).toBe(0);
  });

  it('leave nothing behind when they go', async () => {
    const log = new MemoryLog();
    const { channel, parts, watch } = channelOf(log);
    const leave = [new Reader(), new Reader()].map((reader) => watch(reader));
    await settle();
    expect(log.listeners).toBe(1);
    leave[0]?.();
    await settle();
    expect([channel.size, log.listeners, parts.idle.mock.calls.length]).toEqual([1, 1, 0]);
    leave[1]?.();
    leave[1]?.();
    await settle();
    expect([channel.size, log.listeners, parts.idle.mock.calls.length]).toEqual([0, 0, 1]);
  });
});

describe('answers that were given', () => {
  it('are not kept, though those who watch stay', async () => {
    const log = new MemoryLog();
    const { channel, watch } = channelOf(log);
    const given: WeakRef<Payload>[] = [];
    const forgetful = new Reader();
    forgetful.next = (payload) => void given.push(new WeakRef(payload));
    watch(forgetful);
    await settle();
    for (let i = 0; i < 100; i++) log.append();
    await settle();
    expect(given).toHaveLength(100);
    await waitFor(() => {
      collectGarbage();
      return given.every((one) => one.deref() === undefined);
    });
    expect(channel.size).toBe(1);
  });
});

describe('one who reads slowly', () => {
  it('is not buffered for, holds nobody up, and gets everything later from the log', async () => {
    const log = new MemoryLog();
    const { watch } = channelOf(log);
    const [slow, quick] = [new Reader(), new Reader()];
    watch(slow);
    watch(quick);
    await settle();
    slow.line.makeRoom(0);
    for (let i = 0; i < 2_000; i++) log.append();
    await turns(500);
    expect(quick.seqs).toEqual(upTo(2_000));
    expect(slow.seqs).toEqual([]);
    const { reads } = log;
    await settle();
    expect(log.reads).toBe(reads);
    slow.line.makeRoom(7);
    await settle();
    expect(slow.seqs).toEqual(upTo(7));
    slow.line.makeRoom(Number.POSITIVE_INFINITY);
    await turns(500);
    expect(slow.seqs).toEqual(upTo(2_000));
    log.append('end');
    await settle();
    expect([slow.seqs.length, slow.end, quick.end]).toEqual([2_001, 'complete', 'complete']);
  });

  it('holds up what else is sent on its connection, and is sent nothing beyond its room for all of it', async () => {
    const log = new MemoryLog();
    const { watch } = channelOf(log, async ({ seq }) => {
      await turn();
      return { seq };
    });
    const line = new Line();
    const streams = upTo(100).map((i) => ({ after: i % 3, reader: new Reader(line) }));
    for (const { after, reader } of streams) watch(reader, after);
    await settle();
    line.makeRoom(30);
    for (let i = 0; i < 10; i++) log.append();
    await settle();
    expect(streams.reduce((sum, { reader }) => sum + reader.seqs.length, 0)).toBe(30);
    line.makeRoom(45);
    await settle();
    expect(streams.reduce((sum, { reader }) => sum + reader.seqs.length, 0)).toBe(75);
    line.makeRoom(Number.POSITIVE_INFINITY);
    log.append('end');
    await settle();
    for (const { after, reader } of streams)
      expect([reader.seqs, reader.end, reader.excess]).toEqual([upTo(11, after + 1), 'complete', 0]);
  });

  it('may do without metrics that come too fast, and never without anything else', async () => {
    const log = new MemoryLog();
    const { watch } = channelOf(log);
    const pace: Pace<Note> = { minIntervalMs: 100, mayBeSkipped: ({ kind }) => kind === 'metrics' };
    const write = (from: number, to: number) => {
      // A metric every 10 ms; every seventh entry is a change of state.
      for (let i = from; i < to; i++) log.append(i % 7 === 0 ? 'state' : 'metrics', i * 10);
    };
    write(0, 100);
    const [live, late, whole] = [new Reader(), new Reader(), new Reader()];
    watch(live, 0, pace);
    watch(whole);
    await settle();
    write(100, 200);
    await settle();
    watch(late, 0, pace);
    await settle();
    expect(whole.seqs).toEqual(upTo(200));
    // The same log gives the same choice, read live or later.
    expect(live.seqs).toEqual(late.seqs);
    const kinds = live.seqs.map((seq) => log.notes[seq - 1]);
    const states = kinds.filter((note) => note?.kind === 'state');
    const metrics = kinds.filter((note) => note?.kind === 'metrics').map((note) => Number(note?.at));
    expect(states.length).toBe(log.notes.filter(({ kind }) => kind === 'state').length);
    for (const [i, at] of metrics.entries()) if (i > 0) expect(at - (metrics[i - 1] ?? 0)).toBeGreaterThanOrEqual(100);
    expect(metrics.length).toBeGreaterThan(15);
  });
});

describe('a channel whose question cannot be answered', () => {
  it('tells all who ask it, and stops', async () => {
    const log = new MemoryLog();
    const fault = new Error('no');
    const { channel, watch } = channelOf(log, async ({ seq }) => {
      if (seq === 3) throw fault;
      return { seq };
    });
    const [live, behind] = [new Reader(), new Reader()];
    watch(live);
    await settle();
    for (let i = 0; i < 4; i++) log.append();
    watch(behind);
    await settle();
    for (const { seqs, end } of [live, behind]) expect([seqs, end]).toEqual([[1, 2], [{ message: 'Error: no' }]]);
    expect([channel.size, log.listeners]).toEqual([0, 0]);
  });

  it('ends nobody who asks another, on the same connection too', async () => {
    const log = new MemoryLog();
    const [lane, line] = [new Lane(), new Line()];
    const broken = channelOf(log, () => Promise.reject(new Error('no')), lane);
    const sound = channelOf(log, async ({ seq }) => ({ seq }), lane);
    const [one, other] = [new Reader(line), new Reader(line)];
    broken.watch(one);
    sound.watch(other);
    await settle();
    for (let i = 0; i < 3; i++) log.append();
    await settle();
    expect([one.seqs, one.end, broken.channel.size]).toEqual([[], [{ message: 'Error: no' }], 0]);
    expect([other.seqs, other.end, sound.channel.size, log.listeners]).toEqual([upTo(3), undefined, 1, 1]);
  });
});

describe('in whatever order things happen', () => {
  it.each(upTo(40))('everybody gets all of theirs once, in order (%i)', async (seed) => {
    const dice = new Dice(seed);
    let clock = 0;
    const log = new MemoryLog();
    const { channel, watch } = channelOf(log, async ({ seq }) => {
      if (dice.happens(0.3)) await turn();
      return { seq };
    });
    const write = () => log.append(dice.happens(0.3) ? 'state' : 'metrics', clock++);
    const all: {
      after: number;
      minIntervalMs: number;
      reader: Reader;
      leave: () => void;
      leftAt: number | undefined;
    }[] = [];
    const join = () => {
      // Some of them have a connection in common.
      const reader = new Reader(all.length > 0 && dice.happens(0.3) ? dice.one(all).reader.line : new Line());
      const after = dice.below(log.notes.length + 1);
      const minIntervalMs = dice.happens(0.4) ? 1 + dice.below(20) : 0;
      const leave = watch(reader, after, { minIntervalMs, mayBeSkipped: ({ kind }) => kind === 'metrics' });
      all.push({ after, minIntervalMs, reader, leave, leftAt: undefined });
    };
    const acts = [
      join,
      write,
      () => {
        for (let more = dice.below(120); more > 0; more--) write();
      },
      () => all.length > 0 && dice.one(all).reader.line.makeRoom(dice.below(3)),
      () => all.length > 0 && dice.one(all).reader.line.makeRoom(Number.POSITIVE_INFINITY),
      () => {
        const some = dice.happens(0.2) ? all.filter(({ leftAt }) => leftAt === undefined) : [];
        if (some.length === 0) return;
        const one = dice.one(some);
        one.leave();
        one.leftAt = one.reader.seqs.length;
      },
    ];
    for (let i = 0; i < 150; i++) {
      dice.one(acts)();
      await turns(dice.below(4));
    }
    log.append('end', clock);
    for (const { reader } of all) reader.line.makeRoom(Number.POSITIVE_INFINITY);
    await turns(4_000);
    for (const { after, minIntervalMs, reader, leftAt } of all) {
      const theirs = thinned(log.notes.slice(after), minIntervalMs);
      expect(reader.seqs).toEqual(theirs.slice(0, leftAt));
      expect(reader.end).toBe(leftAt === undefined ? 'complete' : undefined);
      expect(reader.excess).toBe(0);
    }
    expect([channel.size, log.listeners]).toEqual([0, 0]);
  });
});
