import { describe, expect, it } from 'vitest';
import { deferred } from '../../src/core/deferred.ts';
import { SharedWork } from '../../src/core/shared-work.ts';

describe('SharedWork', () => {
  it('is done once for all who ask while it is under way', async () => {
    const shared = new SharedWork<string>();
    const work = deferred<string>();
    let begun = 0;
    const ask = (key: string) =>
      shared.run(key, undefined, () => {
        begun += 1;
        return work.promise;
      });
    const asked = [ask('a'), ask('a'), ask('b'), ask('a')];
    work.resolve('done');
    expect(await Promise.all(asked)).toEqual(['done', 'done', 'done', 'done']);
    expect([begun, shared.size]).toEqual([2, 0]);
    await ask('a');
    expect(begun).toBe(3);
  });

  it('tells all of them what was wrong', async () => {
    const shared = new SharedWork<string>();
    const fail = () => shared.run('a', undefined, () => Promise.reject(new Error('no')));
    expect(await Promise.allSettled([fail(), fail()])).toMatchObject([
      { status: 'rejected', reason: { message: 'no' } },
      { status: 'rejected', reason: { message: 'no' } },
    ]);
    expect(shared.size).toBe(0);
  });

  it('goes on while one of them waits, and is broken off when the last has left', async () => {
    const shared = new SharedWork<string>();
    const work = deferred<string>();
    const signals: AbortSignal[] = [];
    const ask = (signal: AbortSignal) =>
      shared.run('a', signal, (left) => {
        signals.push(left);
        return work.promise;
      });
    const [first, second] = [new AbortController(), new AbortController()];
    const asked = [ask(first.signal), ask(second.signal)];
    const settled = Promise.allSettled(asked);
    first.abort(new Error('first leaves'));
    await expect(asked[0]).rejects.toThrow('first leaves');
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    second.abort(new Error('second leaves'));
    await settled;
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(shared.size).toBe(0);
    // Who comes after that does not wait for what was broken off.
    const third = shared.run('a', undefined, () => Promise.resolve('anew'));
    expect(await third).toBe('anew');
    // And nobody is told that it failed in the end.
    work.reject(new Error('broken off'));
  });

  it('does not begin for who has left already', async () => {
    const shared = new SharedWork<string>();
    const run = shared.run('a', AbortSignal.abort(new Error('gone')), () => {
      throw new Error('begun');
    });
    await expect(run).rejects.toThrow('gone');
  });
});
