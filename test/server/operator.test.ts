/** What those who run the server see of it: numbers for Prometheus; and what caches and clients are told with an answer. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startTestApi, type TestApi, tinyRun } from '../helpers/api.ts';
import {
  allOf,
  answerOf,
  authorization,
  http,
  multipart,
  post,
  STREAMING,
  serverSentEvents,
  type Visitor,
  webSocket,
} from '../helpers/transports.ts';
import { waitFor } from '../helpers/wait-for.ts';

const MAKE = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }';
const PROGRESS = 'subscription ($run: ID!) { trainingProgress(run: $run) { seq } }';

let api: TestApi;
let admin: Visitor;
let run: string;

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours(4);
  run = await api.train();
});
afterAll(() => api?.[Symbol.asyncDispose]());

async function keyFor(scope: string): Promise<string> {
  const variables = { input: { name: scope, scopes: [scope] } };
  const { data } = await answerOf(http, admin ?? api, { query: MAKE, variables });
  return data.createApiKey.key;
}

/** The numbers now, by name and labels. */
async function metrics(): Promise<(name: string, labels?: Readonly<Record<string, string>>) => number> {
  const text = await fetch(`${api.url}/metrics`, { headers: authorization(admin?.key) }).then((answer) =>
    answer.text(),
  );
  return (name, labels = {}) => {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    const values = lines
      .filter((line) => wanted.every((one) => line.includes(one)))
      .map((line) => Number(line.split(' ').at(-1)));
    return values.reduce((sum, value) => sum + value, 0);
  };
}

describe('the metrics', () => {
  it('are there for everybody on an open server, in the form that Prometheus reads', async () => {
    const response = await fetch(`${api.url}/metrics`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/plain'),
    ]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    for (const line of (await response.text()).split('\n').filter((text) => text !== ''))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{[^{}]*\})? [-+.\deE]+|\w+(\{[^{}]*\})? (NaN|\+Inf))$/);
  });

  it('count operations by their transport, kind and outcome, with what they cost', async () => {
    const earlier = await metrics();
    const query = '{ viewer { scopes } }';
    for (const transport of [http, webSocket, serverSentEvents, multipart]) await answerOf(transport, api, { query });
    await answerOf(http, api, { query: '{ style(slug: "none") { name } generate(label: "none") { id } }' });
    await answerOf(webSocket, api, { query: '{ nothing }' });
    await answerOf(http, api, { query: '{ nothing }' });
    const later = await metrics();
    const grown = (name: string, labels: Record<string, string>) => later(name, labels) - earlier(name, labels);
    const ran = (labels: Record<string, string>) =>
      grown('artgan_operation_seconds_count', { type: 'query', ...labels });
    expect(ran({ transport: 'http', code: 'OK' })).toBe(2);
    expect(ran({ transport: 'websocket', code: 'OK' })).toBe(1);
    expect(ran({ transport: 'sse', code: 'OK' })).toBe(1);
    expect(ran({ transport: 'http', code: 'UNKNOWN_LABEL' })).toBe(1);
    expect(grown('artgan_refusals_total', { code: 'GRAPHQL_VALIDATION_FAILED' })).toBe(2);
    expect(grown('artgan_operation_points_total', {})).toBeGreaterThan(8);
  });

  it('follow sockets and streams as they come and go, and how late events are', async () => {
    const { startTraining } = await api.run('start-training', { input: { ...tinyRun, steps: 1_000_000 } });
    const variables = { run: startTraining.run.id };
    const earlier = await metrics();
    const open = STREAMING.map((transport) => transport.results(api, { query: PROGRESS, variables }));
    for (const stream of open) await stream.next();
    const during = await metrics();
    const names = ['artgan_connections', 'artgan_sockets', 'artgan_http_streams', 'artgan_streams', 'artgan_channels'];
    // All three ask the same: they share a channel.
    expect(names.map((name) => during(name) - earlier(name))).toEqual([3, 1, 2, 3, 1]);
    expect(
      during('artgan_training_runs', { kind: 'RUNNING' }) + during('artgan_training_runs', { kind: 'QUEUED' }),
    ).toBe(1);
    for (const stream of open) await stream.return(undefined);
    await waitFor(async () => {
      const later = await metrics();
      return names.every((name) => later(name) === earlier(name));
    });
    const lag = 'artgan_stream_lag_seconds_count';
    const sent = 'artgan_stream_deliveries_total';
    const quiet = await metrics();
    const live = webSocket.results(api, { query: 'subscription { trainingRunChanged { status } }' });
    const change = live.next();
    await waitFor(async () => (await metrics())('artgan_streams') === 1);
    await api.run('cancel-training', variables);
    await change;
    await live.return(undefined);
    const calm = await metrics();
    expect(calm(sent) - quiet(sent)).toBeGreaterThan(0);
    expect(calm(lag) - quiet(lag)).toBe(calm(sent) - quiet(sent));
    // What is read again later is not late.
    const events = await allOf(webSocket, api, { query: PROGRESS, variables: { run } });
    const later = await metrics();
    expect([later(sent) - calm(sent), later(lag) - calm(lag)]).toEqual([events.length, 0]);
  });

  it('count those who are sent away', async () => {
    const earlier = await metrics();
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    for (let i = 0; i < 2_000; i++) socket.send('{"type":"ping"}');
    expect((await once(socket, 'close'))[0]).toBe(1013);
    expect((await metrics())('artgan_stream_drops_total', { reason: 'FLOOD' })).toBe(
      earlier('artgan_stream_drops_total', { reason: 'FLOOD' }) + 1,
    );
  });

  it('tell of the engine', async () => {
    const earlier = await metrics();
    await api.run('generate', { label: 'warm', n: 3 });
    const later = await metrics();
    expect(later('artgan_engine_ready')).toBe(1);
    expect(later('artgan_pictures_painted') - earlier('artgan_pictures_painted')).toBe(3);
    expect(later('artgan_pictures_waiting')).toBe(0);
    expect(later('artgan_training_runs', { kind: 'COMPLETED' })).toBe(1);
    expect(later('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
  });

  it('are for administrators where keys are wanted', async () => {
    const key = await keyFor('ADMIN');
    admin = { url: api.url, key };
    const statusFor = async (headers: Record<string, string>) =>
      (await fetch(`${api.url}/metrics`, { headers })).status;
    expect(await statusFor({})).toBe(401);
    expect(await statusFor(authorization('artgan_nothing'))).toBe(401);
    for (const scope of ['READ', 'GENERATE', 'TRAIN'])
      expect(await statusFor(authorization(await keyFor(scope)))).toBe(403);
    expect(await statusFor(authorization(key))).toBe(200);
  });

  it('have a port of their own where one is set, and nothing else is there', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    await expect(startTestApi({ METRICS_PORT: port })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining(`METRICS_PORT=${port}`),
    });
    taken.close();
    await once(taken, 'close');
    await using other = await startTestApi({ METRICS_PORT: port });
    await other.data(MAKE, { input: { name: 'admin', scopes: ['ADMIN'] } });
    const onItsOwn = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect([onItsOwn.status, await onItsOwn.text()]).toEqual([200, expect.stringContaining('artgan_sockets 0')]);
    expect((await fetch(`http://127.0.0.1:${port}/graphql`)).status).toBe(404);
    expect((await fetch(`${other.url}/metrics`)).status).toBe(404);
  });
});

describe('an answer over HTTP', () => {
  const cacheControl = async (query: string, visitor: Visitor = admin) => {
    const headers = { ...authorization(visitor.key), 'apollo-require-preflight': '1' };
    const response = await fetch(`${visitor.url}/graphql?query=${encodeURIComponent(query)}`, { headers });
    await response.body?.cancel();
    return response.headers.get('cache-control');
  };

  it('says how long it stays true, and to whom', async () => {
    await using open = await startTestApi();
    expect(await cacheControl('{ presets { name } }', open)).toBe('max-age=3600, public');
    expect(await cacheControl('{ presets { name } }')).toBe('max-age=3600, private');
    // The shortest of its parts counts, and what has failed is kept by nobody.
    const queries = ['{ presets { name } viewer { scopes } }', '{ datasets { nodes { slug } } }', '{ nothing }'];
    for (const query of queries) expect(await cacheControl(query)).toBe('no-store');
    const { data } = await answerOf(http, admin, { query: '{ models(first: 1) { nodes { id } } }' });
    const generate = (rest: string) => `{ generate(label: "warm", n: 1${rest}) { id } }`;
    const model = `, model: "${data.models.nodes[0].id}"`;
    expect(await cacheControl(generate(`${model}, seed: 1`))).toMatch(/^max-age=\d+, private$/);
    for (const rest of ['', ', seed: 1', model]) expect(await cacheControl(generate(rest))).toBe('no-store');
  });

  it('has an id, which its errors and the log have as well', async () => {
    const response = await post(admin, { query: '{ nothing }' }, 'application/json');
    const id = response.headers.get('x-request-id');
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { requestId: id } }] });
    const again = await post(admin, { query: '{ nothing }' }, 'application/json');
    expect(again.headers.get('x-request-id')).not.toBe(id);
  });
});
