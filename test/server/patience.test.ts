/** Clients that keep the server waiting: those that do not read, do not speak, or speak a byte at a time. Its times are short here. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppOptions } from '../../src/app.ts';
import { Closers } from '../../src/core/closers.ts';
import { appendEntry, RUNS_TOPIC } from '../../src/store/topic-log.ts';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { rawFrames, TEXT } from '../helpers/raw-frames.ts';
import { connectTo, exchange, request } from '../helpers/raw-http.ts';
import { rawSocket } from '../helpers/raw-socket.ts';
import { waitFor } from '../helpers/wait-for.ts';

const TIMES: NonNullable<AppOptions['times']> = {
  request: { headersTimeout: 500, requestTimeout: 1_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 100 },
  sockets: { pingMs: 200, stalledMs: 1_000, closeMs: 500 },
  streams: { heartbeatMs: 200, stalledMs: 1_000 },
};
const ALL_CHANGES = 'subscription { trainingRunChanged(after: 0) { status reason } }';
/** More than the buffers of two kernels hold. */
const ENTRIES = 3_000;
const ENTRY_BYTES = 8_000;

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi({ INTROSPECTION: 'on' }, { times: TIMES });
  const reason = 'x'.repeat(ENTRY_BYTES);
  const { db } = api.app.store;
  for (let i = 0; i < ENTRIES; i += 100) {
    const bodies = Array.from({ length: 100 }, () => ({ runId: 'none', status: 'QUEUED' as const, reason }));
    await appendEntry(db, RUNS_TOPIC, ...bodies);
  }
});

afterAll(() => api?.[Symbol.asyncDispose]());

async function metric(name: string): Promise<number> {
  // A connection of its own: this server does not keep idle ones for long.
  const { text } = await exchange(api.url, request('GET /metrics'));
  return Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
}

const drops = () => metric('artgan_stream_drops_total{reason="STALLED"}');
const noneIsLeft = () =>
  waitFor(async () => (await metric('artgan_connections')) + (await metric('artgan_streams')) === 0);
const subscribe = { id: 'a', type: 'subscribe', payload: { query: ALL_CHANGES } };

describe('a reader that does not read', () => {
  it('is closed with 1013, which it sees should it read again', async () => {
    const before = await drops();
    using socket = await (await rawSocket(api.url)).init();
    socket.send(subscribe);
    socket.socket.pause();
    await waitFor(async () => (await drops()) > before);
    socket.socket.resume();
    expect(await socket.closed).toMatchObject({ code: 1013 });
    const seqs = socket.messages.filter(({ type }) => type === 'next').length;
    expect(seqs).toBeLessThan(ENTRIES);
    await noneIsLeft();
  });

  it('is cut off where it never reads again, and the others get everything', async () => {
    const before = await drops();
    using dead = await (await rawSocket(api.url)).init();
    using living = await (await rawSocket(api.url)).init();
    dead.send(subscribe);
    dead.socket.pause();
    living.send(subscribe);
    await waitFor(() => living.messages.filter(({ type }) => type === 'next').length === ENTRIES);
    await waitFor(async () => (await drops()) > before);
    living.socket.terminate();
    await noneIsLeft();
  });

  it('of answers is closed, too', async () => {
    const before = await drops();
    using socket = await (await rawSocket(api.url)).init();
    socket.socket.pause();
    const payload = { query: getIntrospectionQuery() };
    for (let i = 0; i < 90; i++) socket.send({ id: `${i}`, type: 'subscribe', payload });
    await waitFor(async () => (await drops()) > before);
    await noneIsLeft();
  });

  it('of a stream over HTTP is cut off', async () => {
    const before = await drops();
    const line = connectTo(api.url);
    const body = JSON.stringify({ query: ALL_CHANGES });
    const headers = `host: 127.0.0.1\r\ncontent-type: application/json\r\naccept: text/event-stream\r\ncontent-length: ${body.length}`;
    line.pause();
    line.write(`POST /graphql HTTP/1.1\r\n${headers}\r\n\r\n${body}`);
    await waitFor(async () => (await drops()) > before);
    await noneIsLeft();
    line.destroy();
  });
});

describe('a peer', () => {
  it('that has gone without a word is found by the keep-alive', async () => {
    await using hole = await blackHole(api.url);
    using socket = await (await rawSocket(hole.url)).init();
    socket.send({ ...subscribe, payload: { query: 'subscription { trainingRunChanged { status } }' } });
    await waitFor(async () => (await metric('artgan_streams')) === 1);
    hole.swallow();
    await noneIsLeft();
  });

  it('that answers to the keep-alive may be silent otherwise', async () => {
    using socket = await (await rawSocket(api.url)).init();
    await sleep(2.5 * TIMES.sockets.stalledMs);
    expect(socket.isOpen).toBe(true);
    using early = await rawSocket(api.url);
    await sleep(TIMES.sockets.stalledMs);
    expect(early.isOpen).toBe(true);
  });

  it('that does not say good-bye is cut off', async () => {
    using line = await rawFrames(api.url);
    line.send([{ first: TEXT, body: 'no JSON' }]);
    expect(await line.closed()).toBe(4400);
    await noneIsLeft();
  });
});

describe('a client that speaks a byte at a time', () => {
  const upgrade =
    'GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nx-slow: ';
  const body =
    'POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{';

  it.each([
    ['in its headers', 'POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: '],
    ['in its body', body],
    ['in its upgrade', upgrade],
  ])('%s is sent away', async (_where, beginning) => {
    const line = connectTo(api.url);
    const drip = setInterval(() => line.write('x'), 50);
    try {
      let told = '';
      line.on('data', (chunk) => (told += chunk));
      line.write(beginning);
      await once(line, 'close');
      expect(told).toMatch(/^HTTP\/1\.1 408 /);
    } finally {
      clearInterval(drip);
    }
  });

  it('in the file of an upload is sent away, and nothing of it is left', async () => {
    const { createUpload } = await api.run('create-upload');
    const { pathname, search } = new URL(createUpload.upload.url);
    const incoming = join(api.dataDir, 'uploads', 'incoming');
    const line = connectTo(api.url);
    const drip = setInterval(() => line.write('x'), 50);
    try {
      let told = '';
      line.on('data', (chunk) => (told += chunk));
      line.write(`PUT ${pathname}${search} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 20000000\r\n\r\n`);
      await waitFor(async () => (await readdir(incoming).catch(() => [])).length === 1);
      await once(line, 'close');
      expect(told).toMatch(/^HTTP\/1\.1 408 /);
      await waitFor(async () => (await readdir(incoming)).length === 0);
    } finally {
      clearInterval(drip);
    }
  });
});

/** Passes bytes on until it is told to swallow them, and keeps both connections open. */
async function blackHole(url: string): Promise<{ readonly url: string; swallow(): void } & AsyncDisposable> {
  const parts = new Closers();
  const lines: Socket[] = [];
  const server = createServer((client) => {
    const { hostname, port } = new URL(url);
    const upstream = connect({ host: hostname, port: Number(port) });
    lines.push(client, upstream);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => undefined);
      from.on('data', (chunk) => to.write(chunk));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  parts.defer(() => {
    for (const line of lines) line.destroy();
    server.close();
  });
  const address = server.address();
  const own = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${own}`,
    swallow: () => {
      for (const line of lines) line.removeAllListeners('data').resume();
    },
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  };
}
