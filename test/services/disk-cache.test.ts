import { mkdir, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskCache } from '../../src/services/disk-cache.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { temporaryFolder } from '../helpers/scripted.ts';

const KIB = 1024;
/** With the hash before it a file is one block of 4 KiB. */
const BODY_BYTES = 4 * KIB - 32;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let dir: string;
let log = recordingLog();
beforeEach(async () => {
  folder = await temporaryFolder();
  dir = join(folder.path, 'cache');
  log = recordingLog();
});
afterEach(() => folder[Symbol.asyncDispose]());

const open = (limitBytes = 400 * KIB) => DiskCache.open({ dir, limitBytes, log });
const body = (fill: number, bytes = BODY_BYTES) => Buffer.alloc(bytes, fill);

async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Which of these keys it has. */
async function keysIn(cache: DiskCache, keys: readonly string[]): Promise<string[]> {
  const found = await Promise.all(keys.map(async (key) => ((await cache.get(key)) === undefined ? [] : [key])));
  return found.flat();
}

describe('DiskCache', () => {
  it('gives back what was put into it, also after a restart, and knows its hash without reading it', async () => {
    {
      await using cache = await open();
      expect(await cache.get('a')).toBeUndefined();
      cache.set('a', Buffer.from('abc'));
    }
    await using again = await open();
    expect(await again.get('a')).toEqual(Buffer.from('abc'));
    // SHA-256 of "abc": FIPS 180-2, appendix B.1
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(await again.peek('a')).toEqual({ sha256, bytes: 3 });
    expect(await again.peek('b')).toBeUndefined();
  });

  it('keeps large pictures whose hash is made elsewhere', async () => {
    await using cache = await open(2_048 * KIB);
    cache.set('large', body(7, 1_000 * KIB));
    await cache.flush();
    expect(body(7, 1_000 * KIB).equals((await cache.get('large')) ?? Buffer.of())).toBe(true);
  });

  it('stays within its limit on the disk, and lets the least recently used go', async () => {
    await using cache = await open(40 * KIB);
    for (let i = 0; i < 10; i++) cache.set(`k${i}`, body(i));
    await cache.flush();
    expect(cache.bytes).toBe(40 * KIB);
    await cache.get('k0');
    for (let i = 10; i < 15; i++) cache.set(`k${i}`, body(i));
    await cache.flush();
    expect(cache.bytes).toBe(40 * KIB);
    expect(await filesIn(dir)).toHaveLength(10);
    const all = Array.from({ length: 15 }, (_, i) => `k${i}`);
    expect(await keysIn(cache, all)).toEqual(['k0', 'k6', 'k7', 'k8', 'k9', 'k10', 'k11', 'k12', 'k13', 'k14']);
  });

  it('counts small files as what they take of the disk', async () => {
    await using cache = await open(400 * KIB);
    for (let i = 0; i < 200; i++) cache.set(String(i), Buffer.of(i));
    await cache.flush();
    expect(cache.bytes).toBe(400 * KIB);
    expect(await filesIn(dir)).toHaveLength(100);
  });

  it('takes nothing that is larger than the whole of it', async () => {
    await using cache = await open(40 * KIB);
    cache.set('large', body(1, 41 * KIB));
    await cache.flush();
    expect([cache.bytes, await cache.get('large')]).toEqual([0, undefined]);
  });

  it('knows after a restart what was used last, by the times of the files', async () => {
    {
      await using cache = await open();
      for (const key of ['old', 'middle', 'new']) cache.set(key, body(1));
    }
    const files = await filesIn(dir);
    for (const file of files) await utimes(file, 1_000, 1_000);
    {
      // What was not used for an hour is said to be used again.
      await using cache = await open();
      await cache.flush();
      expect(await keysIn(cache, ['new'])).toEqual(['new']);
    }
    await using smaller = await open(4 * KIB);
    await smaller.flush();
    expect(await keysIn(smaller, ['old', 'middle', 'new'])).toEqual(['new']);
    expect(await filesIn(dir)).toHaveLength(1);
  });

  it('takes torn and changed files for not there, and deletes them', async () => {
    await using cache = await open();
    for (const key of ['torn', 'short', 'empty', 'changed', 'gone', 'whole'])
      cache.set(key, Buffer.from(key.repeat(9)));
    await cache.flush();
    for (const file of await filesIn(dir)) {
      const text = (await readFile(file)).subarray(32).toString();
      if (text.startsWith('torn')) await truncate(file, 40);
      if (text.startsWith('short')) await truncate(file, 10);
      if (text.startsWith('empty')) await truncate(file, 0);
      if (text.startsWith('changed')) await writeFile(file, 'X', { flag: 'r+' });
      if (text.startsWith('gone')) await rm(file);
    }
    expect(await keysIn(cache, ['torn', 'short', 'empty', 'changed', 'gone', 'whole'])).toEqual(['whole']);
    await cache.flush();
    expect(await filesIn(dir)).toHaveLength(1);
    expect(cache.bytes).toBe(4 * KIB);
    // And it may be put there again.
    cache.set('torn', Buffer.from('again'));
    await cache.flush();
    expect(await cache.get('torn')).toEqual(Buffer.from('again'));
  });

  it('sweeps what a dead server left half-written, and leaves alone what is beside its folders', async () => {
    {
      await using cache = await open();
      cache.set('a', body(1));
    }
    const [file = ''] = await filesIn(dir);
    await writeFile(join(file, '..', '.8a2d'), 'half');
    await writeFile(join(dir, 'README'), 'kept');
    await using cache = await open();
    await cache.flush();
    expect((await filesIn(dir)).sort()).toEqual([file, join(dir, 'README')].sort());
    expect(cache.bytes).toBe(4 * KIB);
  });

  it('finds files before it has listed them all', async () => {
    {
      await using cache = await open();
      cache.set('a', body(1));
    }
    await using cache = await open();
    // Nothing was waited for.
    expect(cache.bytes).toBe(0);
    expect(await cache.get('a')).toEqual(body(1));
  });

  it('lives on when its folder is deleted under it', async () => {
    await using cache = await open();
    cache.set('a', body(1));
    await cache.flush();
    await rm(dir, { recursive: true });
    expect(await cache.get('a')).toBeUndefined();
    expect(cache.bytes).toBe(0);
    cache.set('a', body(2));
    await cache.flush();
    expect(await cache.get('a')).toEqual(body(2));
    expect(log.lines).toEqual([]);
  });

  it('is switched off by a folder that cannot be written to, with one line in the log', async () => {
    await using cache = await open();
    await rm(dir, { recursive: true });
    await writeFile(dir, 'a file where the folder should be');
    for (let i = 0; i < 50; i++) cache.set(`k${i}`, body(i));
    await cache.flush();
    expect(await keysIn(cache, ['k0', 'k49'])).toEqual([]);
    expect(cache.bytes).toBe(0);
    expect(log.lines).toEqual([{ level: 'warn', message: 'Pictures cannot be kept on the disk for now' }]);
    await rm(dir);
    // So soon it is not tried again.
    cache.set('k0', body(0));
    await cache.flush();
    expect(log.lines).toHaveLength(1);
  });

  it('opens where its folder cannot be made', async () => {
    await writeFile(dir, 'a file where the folder should be');
    await using cache = await open();
    await cache.flush();
    expect(await cache.get('a')).toBeUndefined();
    expect(log.lines).toHaveLength(1);
  });

  it('keeps nothing with a limit of 0, and takes away what was kept', async () => {
    {
      await using cache = await open();
      cache.set('a', body(1));
    }
    await using cache = await open(0);
    cache.set('b', body(1));
    await cache.flush();
    expect(await keysIn(cache, ['a', 'b'])).toEqual([]);
    await expect(readdir(dir)).rejects.toThrow('ENOENT');
  });

  it('holds no more than 32 MB of what is to be written', async () => {
    await using cache = await open(2 ** 30);
    for (let i = 0; i < 100; i++) cache.set(`k${i}`, body(i, 1_000_000));
    await cache.flush();
    // 32 * 2^20 / 1,000,032
    expect(await filesIn(dir)).toHaveLength(33);
    cache.set('k99', body(99, 1_000_000));
    await cache.flush();
    expect(body(99, 1_000_000).equals((await cache.get('k99')) ?? Buffer.of())).toBe(true);
  });

  it('stands many readers and writers of the same keys, within its limit, with no file left open', async () => {
    const openFiles = () => readdir('/proc/self/fd').then((names) => names.length);
    await mkdir(dir, { recursive: true });
    const before = await openFiles();
    await using cache = await open(40 * KIB);
    const wrong: number[] = [];
    for (let round = 0; round < 200; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const number = (round * 7 + i) % 25;
          cache.set(`k${number}`, body(number));
          const found = await cache.get(`k${number}`);
          if (found !== undefined && !found.equals(body(number))) wrong.push(number);
        }),
      );
    }
    await cache.flush();
    expect(wrong).toEqual([]);
    expect(cache.bytes).toBeLessThanOrEqual(40 * KIB);
    expect(await filesIn(dir)).toHaveLength(cache.bytes / (4 * KIB));
    expect(await openFiles()).toBeLessThanOrEqual(before + 1);
  });
});
