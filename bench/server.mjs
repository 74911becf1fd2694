// The built server as a process of its own, and what the system says of it.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stop } from '../scripts/lib/errors.mjs';
import { dist } from '../scripts/lib/paths.mjs';

const START_MS = 120_000;
const READY = /^artgan is ready at (\S+)$/m;

/**
 * With a data folder of its own, which goes with it.
 * @param {Readonly<Record<string, string>>} settings
 */
export async function startServer(settings) {
  const dataDir = await mkdtemp(join(tmpdir(), 'artgan-bench-'));
  const env = { ...process.env, DATA_DIR: dataDir, PORT: '0', STARTER: 'off', LOG_LEVEL: 'warn', ...settings };
  const child = spawn(process.execPath, [join(dist, 'main.js')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (data) => {
    said += String(data);
  });
  const end = Date.now() + START_MS;
  while (!READY.test(said)) {
    if (Date.now() > end || child.exitCode !== null) throw new Stop(`The server did not start:\n${said}`);
    await sleep(50);
  }
  const close = async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { url: READY.exec(said)?.[1] ?? '', pid: child.pid ?? 0, dataDir, close };
}

/** @param {number} pid @returns {number[]} its children */
export function childrenOf(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const text = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')).join(' ');
  return text.split(/\s+/).filter(Boolean).map(Number);
}

/** @param {number} pid  in MiB */
export function memoryOf(pid) {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

/**
 * How many files, sockets and pipes it has open. Those of the embedded database do not count: it keeps open what it has used.
 * @param {number} pid
 */
export function descriptorsOf(pid) {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => {
    try {
      return !/\/database\/(base|global|pg_\w+)\//.test(readlinkSync(join(folder, name)));
    } catch {
      // It was closed meanwhile.
      return false;
    }
  }).length;
}
