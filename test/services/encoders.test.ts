import { describe, expect, it } from 'vitest';
import { deferred } from '../../src/core/deferred.ts';
import { Encoders } from '../../src/services/encoders.ts';

/** More than are at work at once, whatever the machine. */
const BUSY = 2;

/** Encoders whose threads are all taken until `free`. */
function taken(): { readonly encoders: Encoders; readonly free: () => Promise<unknown> } {
  const encoders = new Encoders();
  const held = deferred<void>();
  const holding = Array.from({ length: BUSY }, () => encoders.run({ client: 'holder' }, () => held.promise));
  return {
    encoders,
    free: () => {
      held.resolve();
      return Promise.all(holding);
    },
  };
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

describe('Encoders', () => {
  it('give back what was made, and what was wrong with it to whom it belongs', async () => {
    const encoders = new Encoders();
    const fail = encoders.run({ client: 'a' }, () => Promise.reject(new Error('not a picture')));
    const succeed = encoders.run({ client: 'a' }, () => Promise.resolve('made'));
    await expect(fail).rejects.toThrow('not a picture');
    expect(await succeed).toBe('made');
    expect(await encoders.run({ client: 'a' }, () => Promise.resolve(undefined))).toBeUndefined();
  });

  it('do no more than two things at once', async () => {
    const encoders = new Encoders();
    let [now, most] = [0, 0];
    const work = async () => {
      now += 1;
      most = Math.max(most, now);
      await soon();
      now -= 1;
    };
    await Promise.all(Array.from({ length: 50 }, () => encoders.run({ client: 'a' }, work)));
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(2);
  });

  it('let clients take turns', async () => {
    const { encoders, free } = taken();
    await soon();
    const done: string[] = [];
    const ask = (client: string) => encoders.run({ client }, async () => void done.push(client));
    const asked = [...Array.from({ length: 100 }, () => ask('many')), ask('one')];
    await free();
    await Promise.all(asked);
    expect(done.indexOf('one')).toBeLessThan(4);
  });

  it('do nothing for who has left', async () => {
    const { encoders, free } = taken();
    await soon();
    const left = new AbortController();
    let done = false;
    const asked = encoders.run({ client: 'a', signal: left.signal }, async () => {
      done = true;
    });
    left.abort(new Error('left'));
    await expect(asked).rejects.toThrow('left');
    await free();
    expect([done, encoders.waiting]).toEqual([false, 0]);
  });

  it('refuse what would wait too long, and say when to come again', async () => {
    const { encoders, free } = taken();
    await soon();
    const ask = () => encoders.run({ client: 'a' }, () => Promise.resolve('made'));
    const asked = Promise.allSettled(Array.from({ length: 600 }, ask));
    await free();
    const answers = await asked;
    const refused = answers.filter(({ status }) => status === 'rejected');
    expect(answers.slice(0, 500).every(({ status }) => status === 'fulfilled')).toBe(true);
    // 512 wait, on a machine of one core one of those that hold it, too.
    expect(refused.length - 88).toBeLessThanOrEqual(1);
    expect(refused[0]).toMatchObject({
      reason: {
        code: 'OVERLOADED',
        retryable: true,
        retryAfterMs: expect.any(Number),
        message: '512 pictures are to be encoded first. Try again in a moment.',
      },
    });
    expect(await ask()).toBe('made');
  });
});
