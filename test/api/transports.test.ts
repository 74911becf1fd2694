/** HTTP and WebSocket alike: who may ask, how much, what faults look like, and which URLs are given out. */
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { operation, startTestApi, type TestApi, tinyRun } from '../helpers/api.ts';
import { waitFor } from '../helpers/wait-for.ts';

let api: TestApi;
let run: string;

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours();
  run = await api.train();
});

afterAll(() => api?.[Symbol.asyncDispose]());

/** While a table is gone, whatever reads it fails as nobody has foreseen. */
async function without<T>(table: string, work: () => Promise<T>): Promise<T> {
  const { db } = api.app.store;
  await db.execute(sql.raw(`alter table ${table} rename to gone`));
  try {
    return await work();
  } finally {
    await db.execute(sql.raw(`alter table gone rename to ${table}`));
  }
}

const post = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  fetch(`${api.url}/graphql`, { method: 'POST', headers, body });

/** Opens a socket and tells how that ended: 'open', or the status of the refusal. */
function upgrade(path: string, headers: Record<string, string> = {}): Promise<WebSocket | number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}${path}`, 'graphql-transport-ws', { headers });
    socket.on('open', () => resolve(socket));
    socket.on('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode));
    socket.on('error', () => resolve(0));
  });
}

const closeCode = (socket: WebSocket) => new Promise<number>((resolve) => socket.on('close', resolve));

describe('a fault of the server', () => {
  const query = '{ models { nodes { id } } datasets { nodes { id } } }';
  const told = { message: expect.stringContaining('request id'), path: ['models', 'nodes'] };

  it('is masked over HTTP, and its request id leads to the log', async () => {
    const response = await without('models', () => post(JSON.stringify({ query })));
    const text = await response.text();
    expect(JSON.parse(text).errors).toMatchObject([
      {
        ...told,
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: response.headers.get('x-request-id') },
      },
    ]);
    expect(text).not.toMatch(/relation|select|stack|node_modules/i);
    expect(api.log.lines).toContainEqual({ level: 'error', message: 'An operation failed' });
  });

  it('is masked over the WebSocket', async () => {
    const [answer] = await without('models', () => api.stream(query));
    expect(answer.errors).toMatchObject([
      { ...told, extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) } },
    ]);
    expect(JSON.stringify(answer)).not.toMatch(/relation|select|stack|node_modules/i);
  });

  it('is masked where a stream breaks', async () => {
    const broken = without('run_events', () => api.stream(operation('training-progress'), { run, after: 0 }));
    const error = await broken.catch((reason: unknown) => reason);
    expect(error).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) } }]);
    expect(JSON.stringify(error)).not.toMatch(/relation|select|stack|node_modules/i);
  });

  it('is masked where a picture is asked for', async () => {
    const response = await without('artworks', () => fetch(`${api.url}/artworks/x.png`));
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      error: {
        code: 'INTERNAL_SERVER_ERROR',
        message: expect.any(String),
        requestId: response.headers.get('x-request-id'),
      },
    });
  });
});

describe('a request that cannot be read', () => {
  it('is told so over HTTP', async () => {
    expect((await post('{ "query": ')).status).toBe(400);
    expect((await post(JSON.stringify({ query: '{ nothing }' }))).status).toBe(400);
    expect((await post(JSON.stringify([{ query: '{ __typename }' }]))).status).toBe(400);
    expect((await post(JSON.stringify({ query: `{ __typename } #${'x'.repeat(1_100_000)}` }))).status).toBe(413);
  });

  it('is told so over the WebSocket, which stays open', async () => {
    for (const [query, code] of [
      ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
      ['{ ', 'GRAPHQL_PARSE_FAILED'],
    ]) {
      const error = await api.stream(query ?? '').catch((reason: unknown) => reason);
      expect(error).toMatchObject([{ extensions: { code } }]);
    }
    expect(await api.stream('{ __typename }')).toMatchObject([{ data: { __typename: 'Query' } }]);
  });

  it('closes a WebSocket where it is too large', async () => {
    const socket = await upgrade('/graphql');
    if (typeof socket === 'number') throw new Error(`Refused with ${socket}`);
    const closed = closeCode(socket);
    socket.send('x'.repeat(300 * 1024));
    expect(await closed).toBe(1009);
  });
});

describe('a page of another site', () => {
  it('cannot ask by a simple request', async () => {
    const response = await post('{"query":"{ __typename }"}', { 'content-type': 'text/plain' });
    expect(response.status).toBeGreaterThanOrEqual(400);
    const get = await fetch(`${api.url}/graphql?query={__typename}`);
    expect(get.status).toBe(400);
  });

  it('may read nothing and open no WebSocket; pages on this machine may', async () => {
    const { host } = new URL(api.url);
    for (const [origin, trusted] of [
      ['http://localhost:5173', true],
      [`http://${host}`, true],
      ['https://example.com', false],
      ['null', false],
    ] as const) {
      const preflight = await fetch(`${api.url}/graphql`, { method: 'OPTIONS', headers: { origin } });
      expect(preflight.headers.get('access-control-allow-origin')).toBe(trusted ? origin : null);
      const socket = await upgrade('/graphql', { origin });
      if (trusted) expect(socket).toBeInstanceOf(WebSocket);
      else expect(socket).toBe(403);
      if (typeof socket !== 'number') socket.terminate();
    }
    expect(await upgrade('/elsewhere')).toBe(404);
  });
});

describe('URLs in answers', () => {
  const query = '{ generate(label: "warm", n: 1) { url } }';

  it('begin as the client has reached the server', async () => {
    const { port } = new URL(api.url);
    const response = await fetch(`http://localhost:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    }).then((answer) => answer.json() as Promise<{ data: { generate: { url: string }[] } }>);
    expect(response.data.generate[0]?.url).toContain(`http://localhost:${port}/images/`);
    const [overSocket] = await api.stream(query);
    expect(overSocket.data.generate[0].url).toContain(`${api.url}/images/`);
  });

  it('begin with PUBLIC_URL where it is set', async () => {
    await using behindProxy = await startTestApi({ PUBLIC_URL: 'https://paint.example.org/art/' });
    await behindProxy.importColours(4);
    const { style } = await behindProxy.data('{ style(slug: "warm") { artworks(first: 1) { nodes { url } } } }');
    expect(style.artworks.nodes[0].url).toMatch(/^https:\/\/paint\.example\.org\/art\/artworks\/[\w-]+\.png$/);
  });
});

describe('streams', () => {
  it('of one client do not disturb each other', async () => {
    const { startTraining } = await api.run('start-training', { input: { ...tinyRun, steps: 100_000 } });
    const long = startTraining.run.id;
    const events = api.client.iterate({ query: operation('training-progress'), variables: { run: long, after: 0 } });
    const [first, finished] = await Promise.all([events.next(), api.events(run)]);
    expect(first.value).toMatchObject({ data: { trainingProgress: { seq: 1 } } });
    expect(finished.at(-1).status).toBe('COMPLETED');
    await events.return?.();
    await api.run('cancel-training', { run: long });
    expect(await api.stream('{ __typename }')).toHaveLength(1);
  });
});

describe('a server', () => {
  it('shows the way at its root', async () => {
    const response = await fetch(api.url);
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('/graphql')]);
  });

  it('is alive and ready while its database answers', async () => {
    expect((await fetch(`${api.url}/livez`)).status).toBe(200);
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
  });

  it('says good-bye to its sockets when it ends, and is not ready from then on', async () => {
    const other = await startTestApi();
    const socket = new WebSocket(`${other.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await new Promise((resolve) => socket.on('open', resolve));
    const closed = closeCode(socket);
    await other[Symbol.asyncDispose]();
    expect(await closed).toBe(1001);
    await waitFor(() =>
      fetch(`${other.url}/livez`).then(
        () => false,
        () => true,
      ),
    );
  });
});
