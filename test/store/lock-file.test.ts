import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDir } from '../../src/store/lock-file.ts';
import { type Owner, stateOf, thisProcess } from '../../src/store/lock-owner.ts';
import { waitFor } from '../helpers/wait-for.ts';

const HOLDER = fileURLToPath(new URL('./hold-lock-child.mjs', import.meta.url));
const ID = '00000000-0000-4000-8000-000000000000';
/** Short, for the tests that watch a silent or a beating owner. */
const TIMES = { heartbeatMs: 20, patienceMs: 400 };

let dataDir: string;
let path: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'artgan-lock-'));
  path = join(dataDir, 'artgan.lock');
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const lockOf = async (owner: Partial<Owner>) =>
  writeFile(path, JSON.stringify({ ...(await thisProcess(ID)), ...owner }));
const ownerNow = async (): Promise<Owner> => JSON.parse(await readFile(path, 'utf8'));
const isTaken = async () => {
  const unlock = await lockDataDir(dataDir, TIMES);
  expect(await ownerNow()).toMatchObject({ pid: process.pid });
  expect((await ownerNow()).id).not.toBe(ID);
  await unlock();
  expect(await readdir(dataDir)).toEqual([]);
};

describe('the lock of a data folder', () => {
  it('refuses a second owner, and names the first and what to do', async () => {
    const unlock = await lockDataDir(dataDir);
    const refusal = await lockDataDir(dataDir).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'DATA_DIR_LOCKED' });
    expect(String(refusal)).toContain(dataDir);
    expect(String(refusal)).toContain(`process ${process.pid} `);
    expect(String(refusal)).toMatch(/Stop it first, or .* another DATA_DIR/);
    expect(await readdir(dataDir)).toEqual(['artgan.lock']);
    await unlock();
    await isTaken();
  });

  it('refuses while another process lives, and is taken over when it is dead', async () => {
    const other = spawn(process.execPath, [HOLDER, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(other.stdout, 'data');
    const { pid, since } = await ownerNow();
    expect(pid).toBe(other.pid);
    const refusal = await lockDataDir(dataDir).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'DATA_DIR_LOCKED' });
    for (const told of [`process ${pid} `, since, 'hold-lock-child.mjs']) expect(String(refusal)).toContain(told);
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect((await ownerNow()).pid).toBe(pid);
    await isTaken();
  });

  it('leaves it to the heartbeat where a system does not tell when a process started', async () => {
    const owner = { ...(await thisProcess(ID)), started: null };
    expect(await stateOf(owner)).toBe('unknown');
    await lockOf(owner);
    await isTaken();
  });

  it('knows a process that has ended, though its parent has not heard of it, from one that lives', async () => {
    // Its child outlives the shell, which would bury it, and not the program that the shell becomes.
    const shell = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(shell.stdout, 'data');
    try {
      const stat = () => readFile(`/proc/${Number(line)}/stat`, 'utf8');
      await waitFor(async () => (await stat()).includes(') Z '));
      const started = (await stat()).split(') ')[1]?.split(' ')[19] ?? '';
      expect(await stateOf({ ...(await thisProcess(ID)), pid: Number(line), started })).toBe('dead');
    } finally {
      shell.kill('SIGKILL');
      await once(shell, 'exit');
    }
  });

  it('is taken over where the pid was given to another process', async () => {
    await lockOf({ started: 'long ago' });
    await isTaken();
  });

  it('watches an owner whose pid means nothing here: its heartbeat counts', async () => {
    const foreign = [{ host: 'elsewhere' }, { realm: 'another boot' }];
    for (const owner of foreign) {
      await lockOf(owner);
      const heart = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), TIMES.heartbeatMs);
      await expect(lockDataDir(dataDir, TIMES)).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' });
      clearInterval(heart);
      await isTaken();
    }
  });

  it('beats while it is held', async () => {
    const unlock = await lockDataDir(dataDir, TIMES);
    // As if seen from another container.
    await lockOf({ realm: 'another boot' });
    await expect(lockDataDir(dataDir, TIMES)).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' });
    await unlock();
  });

  it('takes over what a power cut left of a lock', async () => {
    for (const content of ['', '{"pid":', '{"pid":1}', 'null']) {
      await writeFile(path, content);
      await isTaken();
    }
  });

  it('has one winner, however many find a dead owner at once', async () => {
    for (let round = 0; round < 15; round++) {
      await lockOf({ started: `long ago ${round}` });
      const rivals = await Promise.allSettled(Array.from({ length: 12 }, () => lockDataDir(dataDir)));
      const winners = rivals.flatMap((rival) => (rival.status === 'fulfilled' ? [rival.value] : []));
      expect(winners).toHaveLength(1);
      for (const rival of rivals)
        if (rival.status === 'rejected') expect(rival.reason).toMatchObject({ code: 'DATA_DIR_LOCKED' });
      await winners[0]?.();
      expect(await readdir(dataDir)).toEqual([]);
    }
  });

  it('is not taken away from whoever has it now', async () => {
    const unlock = await lockDataDir(dataDir);
    await lockOf({ pid: 1 });
    await unlock();
    expect((await ownerNow()).pid).toBe(1);
  });
});
