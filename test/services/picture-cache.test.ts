import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { uniform } from '../../src/core/seeds.ts';
import { type Encoded, PictureCache } from '../../src/services/picture-cache.ts';

/** With its entry (400 bytes) and its key, which each has one character of, it takes `bytes`. */
function picture(bytes: number, filledWith = 0): Encoded {
  const body = Buffer.alloc(bytes - 401, filledWith);
  return { body, sha256: createHash('sha256').update(body).digest('hex') };
}

describe('PictureCache', () => {
  it('drops the oldest when it is full, but not what was asked for lately', () => {
    const cache = new PictureCache(10_000);
    for (const key of ['a', 'b', 'c']) cache.set(key, picture(4_000));
    expect(cache.get('a')).toBeUndefined();
    // The oldest of two, so that it is written anew.
    expect(cache.get('b')).toEqual(picture(4_000));
    cache.set('d', picture(4_000));
    expect(cache.get('c')).toBeUndefined();
    expect(cache.get('b')).toBeDefined();
    expect(cache.get('d')).toBeDefined();
  });

  it('replaces what has the same key and takes nothing above its size', () => {
    const cache = new PictureCache(10_000);
    cache.set('a', picture(4_000, 1));
    cache.set('a', picture(3_000, 2));
    cache.set('b', picture(10_001));
    expect(cache.get('a')).toEqual(picture(3_000, 2));
    expect(cache.get('b')).toBeUndefined();
  });

  it('counts what empty pictures take, too', () => {
    const cache = new PictureCache(10_000);
    for (let i = 10; i < 99; i++) cache.set(String(i), { body: Buffer.of(), sha256: '' });
    const kept = Array.from({ length: 89 }, (_, i) => cache.get(String(i + 10))).filter((found) => found !== undefined);
    expect(kept.length).toBeLessThanOrEqual(24);
  });

  it('gives each picture as it was set, whatever was written since, or nothing', () => {
    const cache = new PictureCache(50_000);
    const chances = uniform(7, 'shuffle', 0, 6_000);
    const chance = (i: number) => chances[i] ?? 0;
    const expected = new Map<string, Encoded>();
    const given: { readonly now: Encoded; readonly copy: Encoded }[] = [];
    let found = 0;
    for (let i = 0; i < 2_000; i++) {
      const key = String.fromCharCode(97 + Math.floor(chance(i) * 26));
      if (chance(2_000 + i) < 0.6) {
        const set = picture(401 + Math.floor(chance(4_000 + i) ** 4 * 30_000), i % 256);
        cache.set(key, set);
        expected.set(key, set);
      } else {
        const now = cache.get(key);
        if (now === undefined) continue;
        found += 1;
        expect(now).toEqual(expected.get(key));
        given.push({ now, copy: { body: Buffer.from(now.body), sha256: now.sha256 } });
      }
    }
    expect(found).toBeGreaterThan(100);
    // Nor does what was given change later.
    for (const { now, copy } of given) expect(now).toEqual(copy);
  });
});
