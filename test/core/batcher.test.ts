import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Batcher } from '../../src/core/batcher.ts';
import { type Deferred, deferred } from '../../src/core/deferred.ts';

interface Call {
  readonly key: string;
  readonly items: readonly string[];
  readonly gate: Deferred<void>;
}

/** A batcher whose worker answers only when the test opens the gate. */
function gated(maxBatch: number, { maxWaiting = 1_000, maxTurn = 1, maxAtWork = maxBatch, maxWaitMs = 1_000 } = {}) {
  const clock = { ms: 0 };
  const calls: Call[] = [];
  const batcher = new Batcher<string, string>({
    maxBatch,
    maxTurn,
    maxWaiting,
    maxWaitMs,
    maxAtWork,
    now: () => clock.ms,
    work: async (key, items) => {
      const call = { key, items, gate: deferred<void>() };
      calls.push(call);
      await call.gate.promise;
      return items.map((item) => item.toUpperCase());
    },
  });
  const open = async (index: number) => {
    calls[index]?.gate.resolve();
    await turn();
  };
  return { batcher, calls, clock, open };
}
const LIMITS = { maxTurn: 1, maxWaitMs: 1_000, maxAtWork: 1, now: () => 0 };
const turn = () => new Promise((resolve) => setImmediate(resolve));
const named = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i}`);

describe('Batcher', () => {
  it('puts requests made together into one batch and gives each its own results in order', async () => {
    const { batcher, calls, open } = gated(8);
    const both = Promise.all([
      batcher.run({ key: 'm', client: 'c', items: ['a', 'b'] }),
      batcher.run({ key: 'm', client: 'c', items: ['c'] }),
    ]);
    await turn();
    expect(calls.map(({ items }) => items)).toEqual([['a', 'c', 'b']]);
    await open(0);
    expect(await both).toEqual([['A', 'B'], ['C']]);
  });

  it('takes what waits each time the worker has room', async () => {
    const { batcher, calls, open } = gated(4);
    const first = batcher.run({ key: 'm', client: 'c', items: named('a', 3) });
    await turn();
    const later = ['b', 'c', 'd'].map((item) => batcher.run({ key: 'm', client: 'c', items: [item] }));
    await turn();
    expect(batcher.waiting).toBe(2);
    await open(0);
    expect(calls.map(({ items }) => items)).toEqual([['a0', 'a1', 'a2'], ['b'], ['c', 'd']]);
    await open(1);
    await open(2);
    expect(await Promise.all([first, ...later])).toEqual([named('A', 3), ['B'], ['C'], ['D']]);
    expect(batcher.waiting).toBe(0);
  });

  it('lets a small request share the next batch with large ones that came before', async () => {
    const { batcher, calls, open } = gated(4);
    const large = [
      batcher.run({ key: 'm', client: 'c', items: named('x', 8) }),
      batcher.run({ key: 'm', client: 'c', items: named('y', 8) }),
    ];
    const small = batcher.run({ key: 'm', client: 'c', items: ['z'] });
    await turn();
    expect(calls[0]?.items).toEqual(['x0', 'y0', 'z', 'x1']);
    await open(0);
    expect(await small).toEqual(['Z']);
    for (let i = 1; i < 5; i++) await open(i);
    expect(await Promise.all(large)).toEqual([named('X', 8), named('Y', 8)]);
  });

  it('keeps keys apart, and gives each its turn', async () => {
    const { batcher, calls, open } = gated(2);
    const all = Promise.all([
      batcher.run({ key: 'm', client: 'c', items: named('a', 3) }),
      batcher.run({ key: 'n', client: 'c', items: ['b'] }),
      batcher.run({ key: 'm', client: 'c', items: ['c'] }),
    ]);
    await turn();
    for (let i = 0; i < 4; i++) await open(i);
    expect(calls.map(({ key, items }) => [key, ...items])).toEqual([
      ['m', 'a0', 'c'],
      ['n', 'b'],
      ['m', 'a1'],
      ['m', 'a2'],
    ]);
    await all;
  });

  it('refuses what does not fit into the queue, and takes it later', async () => {
    const { batcher, open } = gated(1, { maxWaiting: 2 });
    const first = batcher.run({ key: 'm', client: 'c', items: ['a'] });
    await turn();
    const second = batcher.run({ key: 'm', client: 'c', items: ['b', 'c'] });
    await expect(batcher.run({ key: 'm', client: 'c', items: ['d'] })).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryable: true,
    });
    await open(0);
    const third = batcher.run({ key: 'm', client: 'c', items: ['e'] });
    for (let i = 1; i < 4; i++) await open(i);
    expect(await Promise.all([first, second, third])).toEqual([['A'], ['B', 'C'], ['E']]);
  });

  it('lets an aborted request leave the queue at once', async () => {
    const { batcher, calls, open } = gated(2);
    const first = batcher.run({ key: 'm', client: 'c', items: ['a', 'b'] });
    await turn();
    const aborting = new AbortController();
    const waiting = batcher.run({ key: 'm', client: 'c', items: ['left'], signal: aborting.signal });
    const other = batcher.run({ key: 'm', client: 'c', items: ['c'] });
    aborting.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    expect(batcher.waiting).toBe(1);
    await open(0);
    await open(1);
    expect(await Promise.all([first, other])).toEqual([['A', 'B'], ['C']]);
    expect(calls.map(({ items }) => items)).toEqual([['a', 'b'], ['c']]);
    expect(getEventListeners(aborting.signal, 'abort')).toHaveLength(0);
  });

  it('takes its listener away after each request, and refuses an aborted signal', async () => {
    const { signal } = new AbortController();
    const batcher = new Batcher<number, number>({
      ...{ ...LIMITS, maxBatch: 4, maxWaiting: 4 },
      work: async (_key, items) => items,
    });
    for (let i = 0; i < 100; i++) await batcher.run({ key: 'm', client: 'c', items: [i], signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await expect(batcher.run({ key: 'm', client: 'c', items: [1], signal: AbortSignal.abort() })).rejects.toThrow();
    expect(await batcher.run({ key: 'm', client: 'c', items: [] })).toEqual([]);
  });

  it('tells a failure to those in the batch only, and goes on', async () => {
    let calls = 0;
    const batcher = new Batcher<string, string>({
      ...{ ...LIMITS, maxBatch: 1, maxWaiting: 10 },
      work: async (_key, items) => {
        calls += 1;
        if (items[0] === 'bad') throw new Error('no paint');
        return items;
      },
    });
    const [bad, good] = await Promise.allSettled([
      batcher.run({ key: 'm', client: 'c', items: ['bad', 'bad'] }),
      batcher.run({ key: 'm', client: 'c', items: ['good'] }),
    ]);
    expect(bad).toMatchObject({ status: 'rejected' });
    expect(good).toEqual({ status: 'fulfilled', value: ['good'] });
    expect(calls).toBe(2);
  });

  it('gives every client as much, however much one of them asks for', async () => {
    const { batcher, calls, open } = gated(4);
    const greedy = Array.from({ length: 3 }, (_, i) =>
      batcher.run({ key: 'm', client: 'greedy', items: named(`g${i}.`, 4) }),
    );
    const modest = batcher.run({ key: 'm', client: 'modest', items: named('m', 4) });
    await turn();
    await open(0);
    // Half of each batch is for either.
    expect(calls.map(({ items }) => items)).toEqual([
      ['g0.0', 'm0', 'g1.0', 'm1'],
      ['g2.0', 'm2', 'g0.1', 'm3'],
    ]);
    await open(1);
    expect(await modest).toEqual(named('M', 4));
    for (let i = 2; i < 4; i++) await open(i);
    expect(await Promise.all(greedy)).toEqual([0, 1, 2].map((i) => named(`G${i}.`, 4)));
  });

  it('ends the requests of one client one after another, some items at a time', async () => {
    const { batcher, calls, open } = gated(4, { maxTurn: 2 });
    const all = Promise.all(
      ['a', 'b', 'c'].map((name, i) => batcher.run({ key: 'm', client: 'c', items: named(name, i === 0 ? 3 : 2) })),
    );
    await turn();
    for (let i = 0; i < 2; i++) await open(i);
    expect(calls.map(({ items }) => items)).toEqual([
      ['a0', 'a1', 'b0', 'b1'],
      ['c0', 'c1', 'a2'],
    ]);
    await all;
  });

  it('lets a client of another model have its turn, too', async () => {
    const { batcher, calls, open } = gated(2);
    const all = Promise.all([
      batcher.run({ key: 'm', client: 'a', items: named('a', 6) }),
      batcher.run({ key: 'n', client: 'b', items: named('b', 2) }),
    ]);
    await turn();
    for (let i = 0; i < 4; i++) await open(i);
    expect(calls.map(({ key }) => key)).toEqual(['m', 'n', 'm', 'm']);
    await all;
  });

  it('has as many items at work as it may, and no more', async () => {
    const { batcher, calls, open } = gated(2, { maxAtWork: 3 });
    const all = batcher.run({ key: 'm', client: 'c', items: named('a', 6) });
    await turn();
    expect(calls.map(({ items }) => items)).toEqual([['a0', 'a1'], ['a2']]);
    await open(1);
    expect(calls.map(({ items }) => items)).toEqual([['a0', 'a1'], ['a2'], ['a3']]);
    await open(0);
    expect(calls.at(-1)?.items).toEqual(['a4', 'a5']);
    await open(2);
    await open(3);
    expect(await all).toEqual(named('A', 6));
  });

  it('gives each result as soon as it is there, in order', async () => {
    const { batcher, calls, open } = gated(1, { maxAtWork: 3 });
    const stream = batcher.stream({ key: 'm', client: 'c', items: ['a', 'b', 'c'] });
    const first = stream.next();
    await turn();
    expect(calls).toHaveLength(3);
    await open(0);
    expect(await first).toEqual({ done: false, value: 'A' });
    const second = stream.next();
    await open(2);
    await open(1);
    expect(await second).toEqual({ done: false, value: 'B' });
    expect(await stream.next()).toEqual({ done: false, value: 'C' });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('lets who stops reading leave the queue', async () => {
    const { batcher, calls, open } = gated(1);
    const stream = batcher.stream({ key: 'm', client: 'c', items: ['a', 'b', 'c'] });
    const first = stream.next();
    await turn();
    await open(0);
    expect(await first).toMatchObject({ value: 'A' });
    await stream.return();
    expect(batcher.waiting).toBe(0);
    await open(1);
    expect(calls.map(({ items }) => items)).toEqual([['a'], ['b']]);
  });

  it('refuses by the pace of late who would wait too long, and says when to come again', async () => {
    const { batcher, clock, open } = gated(2, { maxWaitMs: 1_000 });
    const slow = batcher.run({ key: 'm', client: 'c', items: ['a', 'b'] });
    await turn();
    clock.ms = 2_000;
    await open(0);
    await slow;
    // A second each: with two at work, nobody waits yet; then one; then two.
    const working = batcher.run({ key: 'm', client: 'c', items: ['c', 'd'] });
    await turn();
    const waiting = ['e', 'f'].map((item) => batcher.run({ key: 'm', client: 'c', items: [item] }));
    await expect(batcher.run({ key: 'm', client: 'c', items: ['g'] })).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryAfterMs: 1_000,
    });
    await open(1);
    await open(2);
    expect(await Promise.all([working, ...waiting])).toEqual([['C', 'D'], ['E'], ['F']]);
  });
});
