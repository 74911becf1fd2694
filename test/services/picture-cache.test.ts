import { describe, expect, it } from 'vitest';
import { PictureCache } from '../../src/services/picture-cache.ts';

const picture = (bytes: number) => ({ body: Buffer.alloc(bytes), sha256: String(bytes) });

describe('PictureCache', () => {
  it('drops the least recently used when it is full', () => {
    const cache = new PictureCache(100);
    for (const key of ['a', 'b', 'c']) cache.set(key, picture(40));
    expect(cache.get('a')).toBeUndefined();
    expect(cache.get('b')?.sha256).toBe('40');
    cache.set('d', picture(40));
    expect(cache.get('c')).toBeUndefined();
    expect(cache.get('b')).toBeDefined();
    expect(cache.bytes).toBe(80);
  });

  it('replaces what has the same key and takes nothing above its size', () => {
    const cache = new PictureCache(100);
    cache.set('a', picture(60));
    cache.set('a', picture(70));
    cache.set('b', picture(101));
    expect(cache.bytes).toBe(70);
    expect(cache.get('b')).toBeUndefined();
  });
});
