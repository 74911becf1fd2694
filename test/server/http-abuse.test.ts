/** HTTP that means harm, to a server as in production: what graphql-cop and others send besides operations. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PRODUCTION } from '../helpers/abuse.ts';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { cheapest, MOST_REFUSAL_MS } from '../helpers/cpu.ts';
import { connectTo, exchange, request } from '../helpers/raw-http.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const TYPENAME = JSON.stringify({ query: '{ __typename }' });
const MIB = 2 ** 20;

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(PRODUCTION);
});

afterAll(() => api?.[Symbol.asyncDispose]());

const post = (body: string | Buffer, headers: Readonly<Record<string, string>> = JSON_TYPE) =>
  request('POST /graphql', headers, body);
const get = (parameters: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) =>
  request(`GET /graphql?${new URLSearchParams(parameters)}`, headers);
const form = (text: string) => new URLSearchParams({ query: text }).toString();

const isAlive = async () => {
  expect(await api.data('{ __typename }')).toEqual({ __typename: 'Query' });
};

describe('a request that means harm', () => {
  it.each<readonly [string, Buffer, number]>([
    ['an array of ten operations', post(JSON.stringify(Array.from({ length: 10 }, () => JSON.parse(TYPENAME)))), 400],
    ['an empty array', post('[]'), 400],
    ['a GET as a picture on another site sends it', get({ query: 'query cop{__typename}' }), 400],
    ['a mutation by such a GET', get({ query: 'mutation cop{__typename}' }), 400],
    [
      'a mutation by any GET',
      get({ query: 'mutation cop{__typename}' }, { 'apollo-require-preflight': '1', accept: 'application/json' }),
      405,
    ],
    ['a form', post(form('{ __typename }'), { 'content-type': 'application/x-www-form-urlencoded' }), 415],
    ['a form with files', post('--x\r\n\r\n--x--', { 'content-type': 'multipart/form-data; boundary=x' }), 415],
    ['a text', post(TYPENAME, { 'content-type': 'text/plain' }), 415],
    ['a text that says it is JSON', post(TYPENAME, { 'content-type': 'text/plain; application/json' }), 415],
    ['a body of no type', post(TYPENAME, {}), 415],
    ['two types', post(TYPENAME, { 'content-type': 'application/json, text/plain' }), 415],
    ['GraphQL as it is', post('{ __typename }', { 'content-type': 'application/graphql' }), 415],
    ['another alphabet', post(TYPENAME, { 'content-type': 'application/json; charset=utf-7' }), 415],
    ['no alphabet', post(TYPENAME, { 'content-type': `application/json; charset=${'x'.repeat(500)}` }), 415],
    ['a zip bomb', post(gzipSync(Buffer.alloc(10 * MIB)), { ...JSON_TYPE, 'content-encoding': 'gzip' }), 415],
    ['a bomb in a bomb', post(TYPENAME, { ...JSON_TYPE, 'content-encoding': 'gzip, gzip, br' }), 415],
    ['a body of 1 MiB', post(JSON.stringify({ query: 'x'.repeat(MIB) })), 413],
    ['a body of 20 MiB', post(Buffer.alloc(20 * MIB, '[')), 413],
    ['100,000 brackets', post('['.repeat(100_000)), 400],
    ['200,000 brackets in pairs', post('['.repeat(100_000) + ']'.repeat(100_000)), 400],
    ['half a JSON', post('{"query":'), 400],
    ['NaN', post('{"query":"{ __typename }","variables":{"n":NaN}}'), 400],
    ['bytes that are no UTF-8', post(Buffer.from([0xff, 0xfe, 0x7b, 0x80])), 400],
    ['a number', post('7'), 400],
    ['null', post('null'), 400],
    ['PUT', request('PUT /graphql', JSON_TYPE, TYPENAME), 405],
    ['DELETE', request('DELETE /graphql', { 'x-http-method-override': 'POST' }), 405],
    ['TRACE', request('TRACE /graphql'), 405],
    ['CONNECT', request('CONNECT /graphql'), 0],
    ['a method that nobody knows', request('BREW /graphql'), 400],
    [
      'a foreign page with cookies',
      post(TYPENAME, { ...JSON_TYPE, origin: 'https://example.com', cookie: 'a=b' }),
      403,
    ],
    ['a page without an origin', post(TYPENAME, { ...JSON_TYPE, origin: 'null' }), 403],
    ['a name that was bound to this address', post(TYPENAME, { ...JSON_TYPE, host: 'evil.example' }), 403],
    ['a name behind another', post(TYPENAME, { ...JSON_TYPE, host: '127.0.0.1@evil.example' }), 403],
    ['two lengths', post(TYPENAME, { ...JSON_TYPE, 'transfer-encoding': 'chunked' }), 400],
    ['a length that is none', post(TYPENAME, { ...JSON_TYPE, 'content-length': '-1' }), 400],
    ['a line in a header', request('GET /graphql', { 'x-a': 'b\nc: d' }), 400],
    ['17 KiB of headers', request('GET /graphql', { 'x-a': 'a'.repeat(17_000) }), 431],
    ['a path of 17,000 characters', request(`GET /graphql?query=${'a'.repeat(17_000)}`), 431],
    ['a way out of the folder', request('GET /images/..%2f..%2f..%2fetc%2fpasswd'), 404],
    ['half an escape in a path', request('GET /images/%E0%A4%A'), 400],
    ['an Idempotency-Key with a line in it', post(TYPENAME, { ...JSON_TYPE, 'idempotency-key': 'a b' }), 400],
    ['a key that opens nothing', post(TYPENAME, { ...JSON_TYPE, authorization: `Bearer ${'x'.repeat(8_000)}` }), 401],
    ['what nobody can give', post(TYPENAME, { ...JSON_TYPE, accept: 'image/png' }), 406],
  ])('is refused at once, and tells nothing: %s', async (_name, bytes, status) => {
    const { answer, cpuMs } = await cheapest(() => exchange(api.url, bytes));
    expect(answer.status, answer.text).toBe(status);
    expect(answer.text).not.toMatch(/node_modules|\.ts\b|\.js\b|at \w+ \(|stack|"data":\{/i);
    expect(cpuMs).toBeLessThan(MOST_REFUSAL_MS);
    await isAlive();
  });

  it('is told why in the form of all errors of GraphQL', async () => {
    for (const bytes of [
      post('{"query":'),
      post(Buffer.alloc(MIB)),
      post(TYPENAME, { 'content-type': 'text/plain' }),
    ]) {
      const { text } = await exchange(api.url, bytes);
      const [, body = ''] = text.split('\r\n\r\n');
      expect(JSON.parse(body)).toMatchObject({
        errors: [{ message: expect.any(String), extensions: { code: 'BAD_REQUEST', requestId: expect.any(String) } }],
      });
    }
    const { text } = await exchange(api.url, post(TYPENAME, { ...JSON_TYPE, origin: 'https://example.com' }));
    expect(text).toContain('"code":"FORBIDDEN"');
    expect(text).not.toMatch(/access-control-allow-origin/i);
  });
});

describe('a server as in production', () => {
  it.each(['/', '/graphiql', '/playground', '/console', '/graphql', '/explore', '/explore/graphiql.js', '/altair'])(
    'shows no explorer at %s',
    async (path) => {
      const response = await fetch(`${api.url}${path}`, { headers: { accept: 'text/html' } });
      const text = await response.text();
      expect(text).not.toMatch(/graphiql|graphql[ -]playground|apollo|sandbox|altair|voyager|<html|<script/i);
      expect(response.headers.get('content-type')).not.toContain('html');
    },
  );

  it('traces nothing, whatever a client says', async () => {
    const headers = {
      ...JSON_TYPE,
      'x-apollo-tracing': '1',
      'apollo-federation-include-trace': 'ftv1',
      'x-debug': '1',
    };
    const { text } = await exchange(api.url, post(TYPENAME, headers));
    expect(text).toContain('"__typename":"Query"');
    expect(text).not.toMatch(/tracing|ftv1|exception|x-powered-by|\nserver:/i);
  });

  it('answers HEAD and OPTIONS without a body, and says which methods there are', async () => {
    const head = await exchange(api.url, request('HEAD /graphql'));
    expect(head.text.split('\r\n\r\n')[1]).toBe('');
    const options = await exchange(api.url, request('OPTIONS /graphql'));
    expect(options.text).not.toContain('"data"');
    expect(options.status).toBe(405);
    expect(options.text).toMatch(/allow: GET, POST/i);
  });

  it('answers requests in a row, each in its turn', async () => {
    const one = (query: string) =>
      request('POST /graphql', { ...JSON_TYPE, connection: 'keep-alive' }, JSON.stringify({ query }));
    const queries = Array.from({ length: 50 }, (_, i) => `query q${i} { q${i}: __typename }`);
    const { text } = await exchange(api.url, Buffer.concat(queries.map(one)), (told) => told.includes('"q49":'));
    const order = [...text.matchAll(/"q(\d+)":/g)].map(([, i]) => Number(i));
    expect(order).toEqual(queries.map((_, i) => i));
  });

  it('is not held up by a thousand connections that say nothing', async () => {
    const idle = Array.from({ length: 1_000 }, () => connectTo(api.url));
    try {
      await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
      const answers = await Promise.all(Array.from({ length: 10 }, () => exchange(api.url, post(TYPENAME))));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    } finally {
      for (const socket of idle) socket.destroy();
    }
    await isAlive();
  });
});

describe('names that mean harm', () => {
  it.each([
    '$(touch /tmp/artgan-owned)',
    '; rm -rf / #',
    '| cat /etc/passwd',
    '../../../../etc/passwd',
    'a\u0000b',
    "'; drop table datasets; --",
  ])('lead to no folder: %s', async (path) => {
    const { importDataset } = await importOf({ name: 'Harm', path });
    expect(importDataset?.dataset ?? null).toBeNull();
    expect((await api.run('datasets')).datasets.nodes).toEqual([]);
    await isAlive();
  });

  it('are one line of the log, and text in an answer', async () => {
    const query = '{ generate(label: "<script>alert(1)</script>\\nlevel=fatal") { id } }';
    const { text } = await exchange(api.url, post(JSON.stringify({ query })));
    expect(text).toMatch(/content-type: application\/(graphql-response\+)?json/i);
    expect(api.log.lines.filter(({ message }) => message.includes('\n'))).toEqual([]);
  });
});

/** Null where the whole operation was refused. */
async function importOf(variables: Readonly<Record<string, unknown>>) {
  const { data } = await api.ask(
    'mutation ($name: String!, $path: String!) { importDataset(input: { name: $name, path: $path }) { dataset { id } } }',
    variables,
  );
  return data ?? {};
}
