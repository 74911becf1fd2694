/** A server in a process of its own, abused over and over: it lives, it answers, and its memory stays what it was. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { ABUSES, PRODUCTION } from '../helpers/abuse.ts';
import { testDatabase } from '../helpers/database.ts';
import { Processes, ready, type Server } from '../helpers/process.ts';
import { rawFrames, TEXT } from '../helpers/raw-frames.ts';
import { exchange, request } from '../helpers/raw-http.ts';
import { rawSocket } from '../helpers/raw-socket.ts';

const WARM_UP_ROUNDS = 5;
const ROUNDS = 12;
/** Each round sends more than 3 MiB: a server that kept half of it would be found. */
const MOST_GROWN_MIB = 20;
/** Of documents that were read, so that they need not be read again. */
const MOST_REMEMBERED_MIB = 120;
const MIB = 2 ** 20;
const COLLECTS = { NODE_OPTIONS: `--import=${new URL('../helpers/gc-on-signal.mjs', import.meta.url)}` };

const running = new Processes();
afterEach(() => running.kill());

async function post(url: string, body: string): Promise<{ readonly data?: unknown }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
  return (await response.json()) as { data?: unknown };
}

async function postAll(url: string): Promise<void> {
  for (const { json } of ABUSES) await post(url, json);
}

async function askAll(url: string): Promise<void> {
  using socket = await (await rawSocket(url)).init();
  for (const { json } of ABUSES) await socket.ask(json);
}

/** What is not even an operation. */
async function disturb(url: string): Promise<void> {
  const type = { 'content-type': 'application/json' };
  await exchange(url, request('POST /graphql', type, '['.repeat(250_000)));
  await exchange(url, request('POST /graphql', type, Buffer.alloc(MIB, 'x')));
  for (const body of ['x'.repeat(300_000), '{"type":', '['.repeat(100_000)]) {
    using line = await rawFrames(url);
    line.send([{ first: TEXT, body }]);
    await line.closed();
  }
  using many = await (await rawSocket(url)).init();
  for (let i = 0; i < 100; i++) {
    const query = 'subscription { trainingRunChanged { status } }';
    many.send({ id: `${i % 7}${i}`, type: 'subscribe', payload: { query } });
  }
  await many.ask('{"query":"{ __typename }"}');
}

/** What it holds in JavaScript's heap and beside it, once its garbage is collected: the least of some looks. */
async function usedMiB(server: Server, url: string): Promise<number> {
  const looks: number[] = [];
  for (let i = 0; i < 5; i++) {
    server.child.kill('SIGUSR2');
    await sleep(100);
    const text = await (await fetch(`${url}/metrics`)).text();
    const bytes = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    looks.push((bytes('nodejs_heap_size_used_bytes') + bytes('nodejs_external_memory_bytes')) / MIB);
  }
  return Math.min(...looks);
}

async function rounds(url: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await postAll(url);
    await askAll(url);
    await disturb(url);
  }
}

describe('a server that is abused', () => {
  it('lives on, with the memory that it had', { timeout: 240_000 }, async () => {
    await using database = await testDatabase();
    const server = running.start(database, { ...PRODUCTION, ...COLLECTS, LOG_LEVEL: 'warn' });
    const url = await ready(server);
    await rounds(url, WARM_UP_ROUNDS);
    const before = await usedMiB(server, url);
    const filesBefore = openFiles(server.child.pid);
    await rounds(url, ROUNDS);
    expect((await usedMiB(server, url)) - before).toBeLessThan(MOST_GROWN_MIB);
    expect(openFiles(server.child.pid)).toBeLessThan(filesBefore + 10);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    // Nothing of all this was a fault of the server.
    expect(server.output()).not.toMatch(/"level":[56]0/);
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
  });
});

describe('documents that nobody asks for again', () => {
  it('do not fill the memory', { timeout: 120_000 }, async () => {
    await using database = await testDatabase();
    const server = running.start(database, { ...PRODUCTION, ...COLLECTS });
    const url = await ready(server);
    // As many tokens as a document may have, nearly, and hardly anything to do.
    const parts = '... { __typename ... { __typename } } '.repeat(100);
    const ask = async (from: number, count: number) => {
      for (let i = from; i < from + count; i++) {
        const json = JSON.stringify({ query: `query q${i} { ${parts} }` });
        const { data } = await post(url, json);
        expect(data).toEqual({ __typename: 'Query' });
      }
    };
    await ask(0, 50);
    const before = await usedMiB(server, url);
    await ask(50, 1_200);
    expect((await usedMiB(server, url)) - before).toBeLessThan(MOST_REMEMBERED_MIB);
  });
});

/** 0 where the system does not tell. */
function openFiles(pid: number | undefined): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
