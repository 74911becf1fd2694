/** A server in a process of its own, sent what was made to do harm: it refuses it, stays small, and leaves nothing behind. */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { flat, noisy, quarters } from '../datasets/fixtures.ts';
import { testDatabase } from '../helpers/database.ts';
import { HOSTILE, MOST_BYTES } from '../helpers/hostile-pictures.ts';
import { ask, Processes, ready } from '../helpers/process.ts';

const MOST_GROWN_MB = 200;
const AT_ONCE = 8;
const STATUSES = { READY: 200, TOO_LARGE: 413, UNSUPPORTED_PICTURE: 415, BAD_PICTURE: 422 };

interface Sent {
  readonly name: string;
  readonly body: () => Promise<Uint8Array | ReadableStream> | Uint8Array | ReadableStream;
  readonly headers?: Readonly<Record<string, string>>;
  /** One of these; 0: the connection was closed. */
  readonly statuses: readonly number[];
}

const running = new Processes();
afterEach(() => running.kill());

/** As fast as the server reads. */
const endless = () => new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(65_536).fill(65)) });

const SENT: readonly Sent[] = [
  ...HOSTILE.map(({ name, bytes, told }) => ({ name, body: bytes, statuses: told.map((code) => STATUSES[code]) })),
  { name: 'a byte too many', body: () => Buffer.alloc(MOST_BYTES + 1), statuses: [413] },
  { name: 'a body without an end', body: endless, statuses: [413, 0] },
  { name: 'another one', body: endless, statuses: [413, 0] },
  {
    name: 'a gzip bomb as an encoding',
    body: () => gzipSync(Buffer.alloc(64 * 2 ** 20), { level: 9 }),
    headers: { 'content-encoding': 'gzip' },
    statuses: [415],
  },
];

async function put(url: string, { body, headers = {} }: Pick<Sent, 'body' | 'headers'>): Promise<number> {
  const request = { method: 'PUT', body: await body(), headers, duplex: 'half' } as RequestInit;
  try {
    const response = await fetch(url, request);
    const answer = (await response.json()) as { error?: { code: string; message: string } };
    if (response.status !== 200) expect(answer.error).toMatchObject({ message: expect.stringMatching(/\w \w/) });
    return response.status;
  } catch (error) {
    if (error instanceof TypeError) return 0;
    throw error;
  }
}

async function announce(url: string): Promise<{ readonly id: string; readonly url: string }> {
  const { data } = await ask(url, 'create-upload', { filename: '../../../tmp/evil.png' });
  expect(data.createUpload.userErrors).toEqual([]);
  return data.createUpload.upload;
}

/** Sends everything, some at once. @returns what was told of it */
async function sendAll(url: string, sent: readonly Sent[]): Promise<string[]> {
  const left = sent.values();
  const wrong: string[] = [];
  const worker = async () => {
    for (const one of left) {
      const upload = await announce(url);
      const status = await put(upload.url, one);
      if (!one.statuses.includes(status)) wrong.push(`${one.name}: ${status}, not ${one.statuses.join(' or ')}`);
      if (status !== 200) await ask(url, 'delete-upload', { id: upload.id });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return wrong;
}

/** In MB; 0 where the system does not tell, or the process has ended. */
function memoryOf(pid: number | undefined, field: 'VmRSS' | 'VmHWM' | 'RssAnon'): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1_000;
  } catch {
    return 0;
  }
}

/** The processes that decode for a server. */
function decodersOf(pid: number | undefined): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    return children.filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('upload-child'));
  } catch {
    return [];
  }
}

/** What a server has by itself and what its decoders have besides the program that they share with it, at the highest. */
function watchMemory(pid: number | undefined): { readonly highest: () => number } & Disposable {
  let highest = 0;
  const timer = setInterval(() => {
    const decoding = decodersOf(pid).map((child) => memoryOf(child, 'RssAnon'));
    highest = Math.max(
      highest,
      decoding.reduce((sum, one) => sum + one, memoryOf(pid, 'VmRSS')),
    );
  }, 5);
  return { highest: () => highest, [Symbol.dispose]: () => clearInterval(timer) };
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

describe('a server that is sent hostile files', () => {
  it('refuses each with a reason, grows by 200 MB at most, and keeps good pictures alone', {
    timeout: 300_000,
  }, async () => {
    await using database = await testDatabase();
    const { dataDir } = database.options;
    const [home, temporary] = [join(dataDir, 'home'), join(dataDir, 'tmp')];
    for (const folder of [home, temporary]) await mkdir(folder);
    const project = await readdir('.');
    const server = running.start(database, { HOME: home, TMPDIR: temporary, LOG_LEVEL: 'warn', STARTER: 'off' });
    const url = await ready(server);
    const { pid } = server.child;
    const good: Sent[] = await Promise.all(
      [quarters(64).png(), flat(3_000, 2_000).jpeg(), noisy(400, 300).webp()].map(async (picture, i) => {
        const bytes = await picture.toBuffer();
        return { name: `good ${i}`, body: () => bytes, statuses: [200] };
      }),
    );
    expect(await sendAll(url, [...good, ...good])).toEqual([]);
    const topLevel = await readdir(dataDir);
    const before = memoryOf(pid, 'VmRSS');
    // The highest from now on.
    if (before > 0) writeFileSync(`/proc/${pid}/clear_refs`, '5');

    using memory = watchMemory(pid);
    expect(await sendAll(url, SENT)).toEqual([]);
    expect(await sendAll(url, good)).toEqual([]);

    expect(memoryOf(pid, 'VmHWM') - before).toBeLessThan(MOST_GROWN_MB / 2);
    expect(memory.highest() - before).toBeLessThan(MOST_GROWN_MB);
    expect(decodersOf(pid)).toEqual([]);
    // Pictures of ours that are named by what is in them, and nothing else, here or elsewhere.
    const stored = await filesBelow(join(dataDir, 'uploads'));
    expect(stored.filter((name) => !/^[0-9a-f]{64}\.png$/.test(name))).toEqual([]);
    expect(stored.length).toBeGreaterThan(good.length);
    expect((await readdir(dataDir)).sort()).toEqual(topLevel.sort());
    expect([await filesBelow(home), await filesBelow(temporary)]).toEqual([[], []]);
    expect(await readdir('.')).toEqual(project);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    // Nothing of all this was a fault of the server.
    expect(server.output()).not.toMatch(/"level":[56]0/);
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
  });
});
