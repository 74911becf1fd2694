/** How many sockets and operations there may be, and that nothing is left of those that have gone. */
import { afterEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { type Opening, openSocket, RawSocket, rawSocket } from '../helpers/raw-socket.ts';
import { waitFor } from '../helpers/wait-for.ts';

const ENDLESS = 'subscription { trainingRunChanged { status } }';
const subscribe = (id: string) => ({ id, type: 'subscribe', payload: { query: ENDLESS } });
const complete = (id: string) => ({ id, type: 'complete' });

let api: TestApi;
const opened: RawSocket[] = [];

afterEach(async () => {
  for (const socket of opened.splice(0)) socket[Symbol.dispose]();
  await api[Symbol.asyncDispose]();
});

async function open(opening: Opening = {}): Promise<RawSocket | number> {
  const socket = await openSocket(api.url, opening);
  if (socket instanceof RawSocket) opened.push(socket);
  return socket;
}

/** Statuses of refusals, 101 where the socket was opened. */
async function openMany(count: number, opening: Opening = {}): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) {
    const socket = await open(opening);
    statuses.push(typeof socket === 'number' ? socket : 101);
  }
  return statuses;
}

const from = (address: string): Opening => ({ headers: { 'x-forwarded-for': address } });

function stream(headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${api.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify({ query: ENDLESS }),
  });
}

const codeIn = async (response: Response) => JSON.parse(await response.text()).errors[0].extensions.code;

/** One of the numbers at /metrics. */
async function gauge(name: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const text = await (await fetch(`${api.url}/metrics`, { headers })).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

describe('sockets', () => {
  it('are no more than MAX_SOCKETS in all: 503, for streams over HTTP too', async () => {
    api = await startTestApi({ MAX_SOCKETS: '3' });
    expect(await openMany(5)).toEqual([101, 101, 101, 503, 503]);
    const refused = await stream();
    expect([refused.status, refused.headers.get('retry-after'), await codeIn(refused)]).toEqual([
      503,
      '5',
      'OVERLOADED',
    ]);
    opened[0]?.socket.terminate();
    await waitFor(async () => (await gauge('artgan_connections')) === 2);
    const taken = await stream();
    expect(taken.status).toBe(200);
    expect(await openMany(1)).toEqual([503]);
    await taken.body?.cancel();
    await waitFor(async () => (await openMany(1))[0] === 101);
    // Operations that are no streams are answered all the same.
    expect(await api.data('{ __typename }')).toEqual({ __typename: 'Query' });
  });

  it('are no more than MAX_SOCKETS_PER_ADDRESS of one address: 429', async () => {
    api = await startTestApi({ MAX_SOCKETS_PER_ADDRESS: '2', TRUST_PROXY: 'on' });
    expect(await openMany(3, from('203.0.113.7'))).toEqual([101, 101, 429]);
    expect(await openMany(3, from('2001:db8::1'))).toEqual([101, 101, 429]);
    const refused = await stream({ 'x-forwarded-for': '203.0.113.7' });
    expect([refused.status, await codeIn(refused)]).toEqual([429, 'TOO_MANY_STREAMS']);
    // What the client itself has written comes before what the proxy has.
    expect(await openMany(1, from('198.51.100.1, 203.0.113.7'))).toEqual([429]);
    expect(await openMany(4)).toEqual([101, 101, 101, 101]);
  });

  it('are counted by the real address where no proxy is trusted', async () => {
    api = await startTestApi({ MAX_SOCKETS_PER_ADDRESS: '1' });
    expect(await openMany(3, from('203.0.113.7'))).toEqual([101, 101, 101]);
  });

  it('are no more than MAX_SOCKETS_PER_KEY of one key: 1013', async () => {
    api = await startTestApi({ MAX_SOCKETS_PER_KEY: '2' });
    const { createApiKey } = await api.data(
      'mutation { createApiKey(input: { name: "one", scopes: [ADMIN] }) { key userErrors { code } } }',
    );
    const { key } = createApiKey;
    for (let i = 0; i < 2; i++) {
      const socket = await rawSocket(api.url);
      opened.push(socket);
      await socket.init({ apiKey: key });
    }
    using third = await rawSocket(api.url);
    third.send({ type: 'connection_init', payload: { apiKey: key } });
    expect(await third.closed).toMatchObject({ code: 1013 });
    const refused = await stream({ authorization: `Bearer ${key}` });
    expect([refused.status, await codeIn(refused)]).toEqual([429, 'TOO_MANY_STREAMS']);
  });

  it('leave nothing behind, five hundred at once', async () => {
    api = await startTestApi();
    for (let round = 0; round < 2; round++) {
      const sockets = await Promise.all(Array.from({ length: 500 }, async () => (await rawSocket(api.url)).init()));
      for (const socket of sockets) socket.send(subscribe('a'));
      await waitFor(async () => (await gauge('artgan_streams')) === 500);
      for (const socket of sockets) socket.socket.terminate();
      await waitFor(async () => (await gauge('artgan_connections')) === 0);
      await waitFor(async () => (await gauge('artgan_streams')) + (await gauge('artgan_channels')) === 0);
    }
  });
});

describe('operations of one socket', () => {
  it('are no more than MAX_OPERATIONS_PER_SOCKET: the others go on', async () => {
    api = await startTestApi({ MAX_OPERATIONS_PER_SOCKET: '3' });
    const socket = await (await rawSocket(api.url)).init();
    opened.push(socket);
    for (const id of ['a', 'b', 'c', 'd']) socket.send(subscribe(id));
    const refused = await socket.heard(({ id }) => id === 'd');
    expect(refused).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'TOO_MANY_STREAMS' } }] });
    expect(await gauge('artgan_streams')).toBe(3);
    socket.send(complete('a'));
    await waitFor(async () => (await gauge('artgan_streams')) === 2);
    socket.send(subscribe('e'));
    await waitFor(async () => (await gauge('artgan_streams')) === 3);
    expect(socket.isOpen).toBe(true);
  });

  it('leave nothing behind that were ended before they began', async () => {
    api = await startTestApi();
    const socket = await (await rawSocket(api.url)).init();
    for (let i = 0; i < 50; i++) {
      socket.send(subscribe('a'));
      socket.send(complete('a'));
    }
    socket.send({ id: 'b', type: 'subscribe', payload: { query: '{ __typename }' } });
    await socket.heard(({ id, type }) => id === 'b' && type === 'complete');
    await waitFor(async () => (await gauge('artgan_streams')) === 0);
    socket.socket.terminate();
    await waitFor(async () => (await gauge('artgan_sockets')) === 0);
    expect(await gauge('artgan_streams')).toBe(0);
  });

  it('leave nothing behind whose id was used again while they began', async () => {
    api = await startTestApi();
    const socket = await (await rawSocket(api.url)).init();
    for (let i = 0; i < 50; i++) {
      socket.send(subscribe('a'));
      socket.send(complete('a'));
    }
    socket.send(subscribe('a'));
    await waitFor(async () => (await gauge('artgan_streams')) > 0);
    socket.socket.terminate();
    await waitFor(async () => (await gauge('artgan_streams')) === 0);
  });
});
