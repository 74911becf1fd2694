import { describe, expect, it } from 'vitest';
import { Budget } from '../../src/datasets/budget.ts';

describe('Budget', () => {
  it('never gives out more than it has, first come, first served', async () => {
    const budget = new Budget(10);
    const order: string[] = [];
    const a = await budget.take(6);
    const large = budget.take(10).then((held) => {
      order.push('large');
      return held;
    });
    const small = budget.take(1).then((held) => {
      order.push('small');
      return held;
    });
    await Promise.resolve();
    expect(order).toEqual([]);
    a[Symbol.dispose]();
    a[Symbol.dispose]();
    (await large)[Symbol.dispose]();
    await small;
    expect(order).toEqual(['large', 'small']);
  });

  it('gives all that it has to a request for more', async () => {
    const budget = new Budget(10);
    const all = await budget.take(99);
    const next = budget.take(1);
    all[Symbol.dispose]();
    await next;
  });

  it('lets a waiting request go when it is told to, and those behind it pass', async () => {
    const budget = new Budget(10);
    const held = await budget.take(5);
    const leaving = new AbortController();
    const large = budget.take(10, leaving.signal);
    const behind = budget.take(5);
    leaving.abort(new Error('gone'));
    await expect(large).rejects.toThrow('gone');
    (await behind)[Symbol.dispose]();
    held[Symbol.dispose]();
    await expect(budget.take(1, leaving.signal)).rejects.toThrow('gone');
    await budget.take(10);
  });
});
