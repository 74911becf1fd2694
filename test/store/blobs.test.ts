import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Blobs } from '../../src/store/blobs.ts';

let dir: string;
let blobs: Blobs;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'artgan-blobs-'));
  blobs = new Blobs(join(dir, 'blobs'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('blobs', () => {
  it('are named by their SHA-256 and read back', async () => {
    const bytes = Buffer.from('a picture');
    const sha256 = await blobs.put(bytes, 'png');
    expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(await blobs.get(sha256, 'png')).toEqual(bytes);
    expect(await blobs.get(sha256, 'webp')).toBeUndefined();
    expect(await blobs.get('0'.repeat(64), 'png')).toBeUndefined();
    expect(blobs.path(sha256, 'png')).toBe(join(dir, 'blobs', sha256.slice(0, 2), `${sha256}.png`));
  });

  it('are stored once, also when many write the same at once, and leave nothing else behind', async () => {
    const bytes = Buffer.alloc(100_000, 7);
    const names = await Promise.all(Array.from({ length: 20 }, () => blobs.put(bytes, 'png')));
    expect(new Set(names).size).toBe(1);
    const sha256 = names[0] ?? '';
    expect(await readdir(join(dir, 'blobs', sha256.slice(0, 2)))).toEqual([`${sha256}.png`]);
    expect(await blobs.get(sha256, 'png')).toEqual(bytes);
  });

  it('never leave their folder', () => {
    for (const [name, extension] of [
      ['../../etc/passwd', 'png'],
      ['A'.repeat(64), 'png'],
      ['0'.repeat(64), '/../../x'],
      ['0'.repeat(64), ''],
    ] as const) {
      expect(() => blobs.path(name, extension)).toThrow('Not the name of a blob');
    }
  });
});
