import { describe, expect, it } from 'vitest';
import { PixelPool } from '../../src/engine/host/pixel-pool.ts';

describe('PixelPool', () => {
  it('gives copies, each in memory of its own', () => {
    const pool = new PixelPool();
    const [first, second] = [pool.copyOf(Uint8Array.of(1, 2, 3)), pool.copyOf(Uint8Array.of(4, 5, 6))];
    expect([...first.pixels]).toEqual([1, 2, 3]);
    expect([...second.pixels]).toEqual([4, 5, 6]);
  });

  it('uses memory again, once, when it was given back, however often that was said', () => {
    const pool = new PixelPool();
    const first = pool.copyOf(Uint8Array.of(1, 2, 3));
    const { buffer } = first.pixels;
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    const [second, third] = [pool.copyOf(Uint8Array.of(4, 5, 6, 7)), pool.copyOf(Uint8Array.of(8))];
    expect(second.pixels.buffer).toBe(buffer);
    expect(third.pixels.buffer).not.toBe(buffer);
    expect([...second.pixels]).toEqual([4, 5, 6, 7]);
  });

  it('keeps no more than 16 MiB', () => {
    const pool = new PixelPool();
    const large = Array.from({ length: 5 }, () => pool.copyOf(new Uint8Array(4 * 2 ** 20)));
    for (const borrowed of large) borrowed[Symbol.dispose]();
    const again = new Set(large.map(() => pool.copyOf(new Uint8Array(4 * 2 ** 20)).pixels.buffer));
    expect(large.filter(({ pixels }) => again.has(pixels.buffer))).toHaveLength(4);
  });
});
