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
function gated(maxBatch: number, maxWaiting = 1_000) {
  const calls: Call[] = [];
  const batcher = new Batcher<string, string>({
    maxBatch,
    maxWaiting,
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
  return { batcher, calls, open };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const named = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i}`);

describe('Batcher', () => {
  it('puts requests made together into one batch and gives each its own results in order', async () => {
    const { batcher, calls, open } = gated(8);
    const both = Promise.all([batcher.run({ key: 'm', items: ['a', 'b'] }), batcher.run({ key: 'm', items: ['c'] })]);
    await turn();
    expect(calls.map(({ items }) => items)).toEqual([['a', 'c', 'b']]);
    await open(0);
    expect(await both).toEqual([['A', 'B'], ['C']]);
  });

  it('takes what waits each time the worker is free', async () => {
    const { batcher, calls, open } = gated(8);
    const first = batcher.run({ key: 'm', items: ['a'] });
    await turn();
    const later = ['b', 'c', 'd'].map((item) => batcher.run({ key: 'm', items: [item] }));
    expect(batcher.waiting).toBe(3);
    await open(0);
    expect(calls.map(({ items }) => items)).toEqual([['a'], ['b', 'c', 'd']]);
    await open(1);
    expect(await Promise.all([first, ...later])).toEqual([['A'], ['B'], ['C'], ['D']]);
    expect(batcher.waiting).toBe(0);
  });

  it('lets a small request share the next batch with large ones that came before', async () => {
    const { batcher, calls, open } = gated(4);
    const large = [batcher.run({ key: 'm', items: named('x', 8) }), batcher.run({ key: 'm', items: named('y', 8) })];
    const small = batcher.run({ key: 'm', items: ['z'] });
    await turn();
    expect(calls[0]?.items).toEqual(['x0', 'y0', 'z', 'x1']);
    await open(0);
    expect(await small).toEqual(['Z']);
    for (let i = 1; i < 5; i++) await open(i);
    expect(await Promise.all(large)).toEqual([named('X', 8), named('Y', 8)]);
  });

  it('keeps keys apart and serves the oldest request first', async () => {
    const { batcher, calls, open } = gated(2);
    const all = Promise.all([
      batcher.run({ key: 'm', items: named('a', 3) }),
      batcher.run({ key: 'n', items: ['b'] }),
      batcher.run({ key: 'm', items: ['c'] }),
    ]);
    await turn();
    for (let i = 0; i < 3; i++) await open(i);
    expect(calls.map(({ key, items }) => [key, ...items])).toEqual([
      ['m', 'a0', 'c'],
      ['m', 'a1', 'a2'],
      ['n', 'b'],
    ]);
    await all;
  });

  it('refuses what does not fit into the queue, and takes it later', async () => {
    const { batcher, open } = gated(1, 2);
    const first = batcher.run({ key: 'm', items: ['a'] });
    await turn();
    const second = batcher.run({ key: 'm', items: ['b', 'c'] });
    await expect(batcher.run({ key: 'm', items: ['d'] })).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryable: true,
    });
    await open(0);
    const third = batcher.run({ key: 'm', items: ['e'] });
    for (let i = 1; i < 4; i++) await open(i);
    expect(await Promise.all([first, second, third])).toEqual([['A'], ['B', 'C'], ['E']]);
  });

  it('lets an aborted request leave the queue at once', async () => {
    const { batcher, calls, open } = gated(2);
    const first = batcher.run({ key: 'm', items: ['a'] });
    await turn();
    const aborting = new AbortController();
    const waiting = batcher.run({ key: 'm', items: ['b'], signal: aborting.signal });
    const other = batcher.run({ key: 'm', items: ['c'] });
    aborting.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    expect(batcher.waiting).toBe(1);
    await open(0);
    await open(1);
    expect(await Promise.all([first, other])).toEqual([['A'], ['C']]);
    expect(calls.map(({ items }) => items)).toEqual([['a'], ['c']]);
    expect(getEventListeners(aborting.signal, 'abort')).toHaveLength(0);
  });

  it('takes its listener away after each request, and refuses an aborted signal', async () => {
    const { signal } = new AbortController();
    const batcher = new Batcher<number, number>({ maxBatch: 4, maxWaiting: 4, work: async (_key, items) => items });
    for (let i = 0; i < 100; i++) await batcher.run({ key: 'm', items: [i], signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await expect(batcher.run({ key: 'm', items: [1], signal: AbortSignal.abort() })).rejects.toThrow();
    expect(await batcher.run({ key: 'm', items: [] })).toEqual([]);
  });

  it('tells a failure to those in the batch only, and goes on', async () => {
    let calls = 0;
    const batcher = new Batcher<string, string>({
      maxBatch: 1,
      maxWaiting: 10,
      work: async (_key, items) => {
        calls += 1;
        if (items[0] === 'bad') throw new Error('no paint');
        return items;
      },
    });
    const [bad, good] = await Promise.allSettled([
      batcher.run({ key: 'm', items: ['bad', 'bad'] }),
      batcher.run({ key: 'm', items: ['good'] }),
    ]);
    expect(bad).toMatchObject({ status: 'rejected' });
    expect(good).toEqual({ status: 'fulfilled', value: ['good'] });
    expect(calls).toBe(2);
  });
});
