/** The set-up lock: one holder at a time, and what a killed holder leaves does not stop the next. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';

type WithLock = <T>(path: string, work: () => Promise<T>) => Promise<T>;
const { withLock }: { withLock: WithLock } = await import(new URL('../../scripts/lib/lock.mjs', import.meta.url).href);

let folder: string;
let lock: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'artgan-lock-'));
  lock = join(folder, 'setup.lock');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('one after the other', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await sleep(20);
    inside -= 1;
  };
  await Promise.all([withLock(lock, work), withLock(lock, work), withLock(lock, work)]);
  expect(most).toBe(1);
  expect(existsSync(lock)).toBe(false);
});

test('a failed holder lets go', async () => {
  const broken = withLock(lock, async () => {
    throw new Error('broken');
  });
  await expect(broken).rejects.toThrow('broken');
  expect(await withLock(lock, async () => 'next')).toBe('next');
});

test('the lock of a process that is gone is taken over', async () => {
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'exit');
  writeFileSync(lock, JSON.stringify({ pid: gone.pid, host: hostname(), id: 'gone' }));
  const owner = await withLock(lock, async () => JSON.parse(readFileSync(lock, 'utf8')).pid);
  expect(owner).toBe(process.pid);
});

test('a lock from another machine is taken over when nobody touches it', async () => {
  writeFileSync(lock, JSON.stringify({ pid: 1, host: 'elsewhere', id: 'old' }));
  const longAgo = new Date(Date.now() - 120_000);
  utimesSync(lock, longAgo, longAgo);
  expect(await withLock(lock, async () => 'mine')).toBe('mine');
});
