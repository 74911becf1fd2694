/** The WebSocket's protocol abused: each client is sent away with the code that says why, and nobody else notices. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PRODUCTION } from '../helpers/abuse.ts';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { type Frame, type RawFrames, rawFrames, TEXT } from '../helpers/raw-frames.ts';
import { exchange, request } from '../helpers/raw-http.ts';
import { openSocket, type RawSocket, rawSocket } from '../helpers/raw-socket.ts';

const INIT = { type: 'connection_init' };
const ENDLESS = 'subscription { trainingRunChanged { status } }';
const subscribe = (id: string, query = ENDLESS) => ({ id, type: 'subscribe', payload: { query } });
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(PRODUCTION);
});

afterAll(async () => {
  expect(await api.data('{ __typename }')).toEqual({ __typename: 'Query' });
  expect(api.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  await api[Symbol.asyncDispose]();
});

describe('a message that is none', () => {
  it.each<[string, object | string]>([
    ['no JSON', 'hello'],
    ['half a JSON', '{"type":"connection_init"'],
    ['nothing', ''],
    ['a list', '[{"type":"connection_init"}]'],
    ['null', 'null'],
    ['no type', { id: '1' }],
    ['a type that nobody knows', { type: 'start', id: '1' }],
    ['a type by the name of a prototype', '{"type":"__proto__"}'],
    ['what only servers say', { type: 'connection_ack' }],
    ['an answer', { type: 'next', id: '1', payload: { data: {} } }],
    ['a ping of a number', { type: 'ping', payload: 1 }],
    ['a subscription without an id', { type: 'subscribe', payload: { query: ENDLESS } }],
    ['a subscription with a number', { type: 'subscribe', id: 1, payload: { query: ENDLESS } }],
    ['a subscription to nothing', { type: 'subscribe', id: '1' }],
    ['a batch', { type: 'subscribe', id: '1', payload: [{ query: ENDLESS }] }],
    ['a query that is no text', { type: 'subscribe', id: '1', payload: { query: { text: ENDLESS } } }],
    ['variables in a list', { type: 'subscribe', id: '1', payload: { query: ENDLESS, variables: [1] } }],
    ['100,000 brackets', '['.repeat(100_000)],
  ])('is closed with 4400: %s', async (_name, message) => {
    using socket = await (await rawSocket(api.url)).init();
    socket.send(message);
    expect(await socket.closed).toMatchObject({ code: 4400 });
  });
});

describe('who does not keep to the order', () => {
  const cases: readonly [string, number, (socket: RawSocket) => void][] = [
    ['asks before an introduction', 4401, (socket) => socket.send(subscribe('1'))],
    ['introduces himself twice', 4429, (socket) => times(2, () => socket.send(INIT))],
    ['has a key that opens nothing', 4403, (socket) => socket.send({ ...INIT, payload: { apiKey: 'artgan_x' } })],
    ['does not introduce himself', 4408, () => undefined],
    ['only pings', 4408, (socket) => socket.send({ type: 'ping' })],
  ];
  it.each(cases)('%s: %i', async (_name, code, act) => {
    using socket = await rawSocket(api.url);
    act(socket);
    expect(await socket.closed).toMatchObject({ code });
  });

  it('uses an id twice: 4409', async () => {
    using socket = await (await rawSocket(api.url)).init();
    socket.send(subscribe('a'));
    socket.send(subscribe('a'));
    expect(await socket.closed).toMatchObject({ code: 4409 });
  });

  it.each(['graphql-ws', 'chat', undefined])('speaks another protocol: 4406 (%s)', async (subprotocol) => {
    using socket = await rawSocket(api.url, { subprotocol });
    socket.send(INIT);
    expect(await socket.closed).toMatchObject({ code: 4406 });
    expect(socket.messages).toEqual([]);
  });
});

describe('frames', () => {
  const CASES: readonly [string, number, readonly Frame[]][] = [
    ['binary', 1003, [{ first: 0x82, body: JSON.stringify(INIT) }]],
    ['no UTF-8', 1007, [{ first: TEXT, body: Buffer.from([0x22, 0xc3, 0x28, 0x22]) }]],
    ['half a surrogate', 1007, [{ first: TEXT, body: Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]) }]],
    ['101 MB, by the head alone', 1009, [{ first: TEXT, length: 101_000_000 }]],
    ['2^63 - 1 bytes, by the head alone', 1009, [{ first: TEXT, length: 2n ** 63n - 1n }]],
    ['300 KiB', 1009, [{ first: TEXT, body: 'x'.repeat(300 * 1024) }]],
    ['many parts that are too large together', 1009, parts(300, 'x'.repeat(1024))],
    ['2,000 parts of a byte', 1008, parts(2_000, ' ')],
    ['no mask', 1002, [{ first: TEXT, body: '{}', masked: false }]],
    ['a reserved bit', 1002, [{ first: 0xc1, body: '{}' }]],
    ['a kind that nobody knows', 1002, [{ first: 0x83, body: '{}' }]],
    ['a part of nothing', 1002, [{ first: 0x80, body: '{}' }]],
    ['a ping in parts', 1002, [{ first: 0x09, body: 'x' }]],
    ['a ping of 126 bytes', 1002, [{ first: 0x89, body: 'x'.repeat(126) }]],
    ['a close with a code that is none', 1002, [{ first: 0x88, body: Buffer.from([0x03, 0xec]) }]],
    ['a close with half a code', 1002, [{ first: 0x88, body: 'x' }]],
  ];
  it.each(CASES)('%s: %i', async (_name, code, frames) => {
    using line = await rawFrames(api.url);
    line.send(frames);
    expect(await line.closed()).toBe(code);
  });

  it('200,000 parts of a byte: 1008, and what comes after is not kept', async () => {
    using line = await rawFrames(api.url);
    line.send(parts(200_000, ' '));
    expect(await line.closed()).toBe(1008);
  });

  it('a close without a code is answered', async () => {
    using socket = await (await rawSocket(api.url)).init();
    socket.send(subscribe('a'));
    socket.socket.close();
    expect(await socket.closed).toMatchObject({ code: 1005 });
  });
});

/** Slowly enough that each is answered. */
async function pingOften(line: RawFrames): Promise<void> {
  for (let i = 0; i < 50; i++) {
    line.send(times(30, () => ({ first: 0x89 })));
    await sleep(2);
  }
}

/** One message in parts. */
function parts(count: number, body: string): Frame[] {
  return times(count, (i) => ({ first: (i === 0 ? 0x01 : 0x00) + (i === count - 1 ? 0x80 : 0), body }));
}

describe('a flood', () => {
  const floods: readonly [string, (line: RawFrames) => void | Promise<void>][] = [
    ['of pings', pingOften],
    ['of pongs', (line) => line.send(times(2_000, () => ({ first: 0x8a })))],
    ['of pings of graphql-ws', (line) => line.send(times(2_000, () => text({ type: 'ping' })))],
    ['of questions', (line) => line.send(times(2_000, (i) => text(subscribe(`${i}`, '{ __typename }'))))],
    ['of subscriptions', (line) => line.send(times(10_000, (i) => text(subscribe(`${i}`))))],
    ['of beginnings and ends', (line) => line.send(times(2_000, storm))],
    ['of large messages', (line) => line.send(times(20, () => text(subscribe('a', ' '.repeat(250_000)))))],
  ];
  it.each(floods)('%s: 1013', async (_name, act) => {
    using line = await rawFrames(api.url);
    line.send([text(INIT)]);
    await line.heard('connection_ack');
    await act(line);
    expect(await line.closed()).toBe(1013);
  });

  it('of pings at once is cut off', async () => {
    using line = await rawFrames(api.url);
    line.send(times(2_000, () => ({ first: 0x89 })));
    await line.closed();
    expect(line.line.destroyed || line.line.readableEnded).toBe(true);
  });

  const text = (message: object): Frame => ({ first: TEXT, body: JSON.stringify(message) });
  const storm = (i: number) => text(i % 2 === 0 ? subscribe('a') : { id: 'a', type: 'complete' });
});

describe('an upgrade', () => {
  it.each<[string, number, Parameters<typeof openSocket>[1]]>([
    ['from a page of another site', 403, { headers: { origin: 'https://example.com' } }],
    ['from a page without an origin', 403, { headers: { origin: 'null' } }],
    ['by a name that was bound to this address', 403, { headers: { host: 'evil.example' } }],
    ['at another path', 404, { path: '/' }],
    ['below the path', 404, { path: '/graphql/x' }],
  ])('%s: %i', async (_name, status, opening) => {
    expect(await openSocket(api.url, opening)).toBe(status);
  });

  it('is refused where it is no upgrade to a WebSocket', async () => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'x'.repeat(22) };
    for (const wrong of [{ 'sec-websocket-version': '1' }, { 'sec-websocket-version': '13' }, { upgrade: 'h2c' }]) {
      const { status } = await exchange(api.url, request('GET /graphql', { ...headers, ...wrong }));
      expect(status).toBeGreaterThanOrEqual(400);
    }
  });
});

describe('a server that ends', () => {
  it('says 1001 to those who watch, and to those who only came', async () => {
    const other = await startTestApi(PRODUCTION);
    using watching = await (await rawSocket(other.url)).init();
    watching.send(subscribe('a'));
    using idle = await rawSocket(other.url);
    await other[Symbol.asyncDispose]();
    expect(await watching.closed).toMatchObject({ code: 1001 });
    expect(await idle.closed).toMatchObject({ code: 1001 });
  });
});
