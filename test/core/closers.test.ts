import { describe, expect, it } from 'vitest';
import { Closers } from '../../src/core/closers.ts';

/** Parts that write down when they are closed. */
function recorded() {
  const closed: string[] = [];
  const part = (name: string, error?: Error): AsyncDisposable => ({
    [Symbol.asyncDispose]: async () => {
      await Promise.resolve();
      closed.push(name);
      if (error !== undefined) throw error;
    },
  });
  return { closed, part };
}

describe('closers', () => {
  it('close in the reverse order of opening, one after the other', async () => {
    const { closed, part } = recorded();
    const closers = new Closers();
    const first = part('first');
    expect(closers.use(first)).toBe(first);
    closers.defer(() => void closed.push('deferred'));
    closers.use(part('last'));
    await closers[Symbol.asyncDispose]();
    expect(closed).toEqual(['last', 'deferred', 'first']);
  });

  it('close each part once', async () => {
    const { closed, part } = recorded();
    const closers = new Closers();
    closers.use(part('only'));
    await Promise.all([closers[Symbol.asyncDispose](), closers[Symbol.asyncDispose]()]);
    await closers[Symbol.asyncDispose]();
    expect(closed).toEqual(['only']);
  });

  it('close the rest where one fails, and say what failed', async () => {
    const { closed, part } = recorded();
    const [broken, torn] = [new Error('broken'), new Error('torn')];
    const one = new Closers();
    one.use(part('a'));
    one.use(part('b', broken));
    one.use(part('c'));
    await expect(one[Symbol.asyncDispose]()).rejects.toBe(broken);
    expect(closed).toEqual(['c', 'b', 'a']);
    const two = new Closers();
    two.use(part('d', broken));
    two.use(part('e', torn));
    const failure = await two[Symbol.asyncDispose]().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(AggregateError);
    expect(failure).toMatchObject({ errors: [torn, broken] });
    expect(closed).toEqual(['c', 'b', 'a', 'e', 'd']);
  });

  it('clean up a start that fails half-way, and leave a start that succeeds to its new owner', async () => {
    const { closed, part } = recorded();
    const start = async (fails: boolean) => {
      await using parts = new Closers();
      parts.use(part('database'));
      if (fails) throw new Error('no port');
      parts.use(part('server'));
      return parts.move();
    };
    await expect(start(true)).rejects.toThrow('no port');
    expect(closed.splice(0)).toEqual(['database']);
    const running = await start(false);
    expect(closed).toEqual([]);
    await running[Symbol.asyncDispose]();
    expect(closed).toEqual(['server', 'database']);
  });
});
