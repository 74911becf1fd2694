/**
 * Operations that mean harm, to a server as in production: each is refused over HTTP and over the WebSocket with the same
 * code, before it costs anything, and the server goes on.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ABUSES, type Abuse, GRAPHQL_COP, LARGE_DOCUMENTS, PRODUCTION } from '../helpers/abuse.ts';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { cheapest, MOST_REFUSAL_MS } from '../helpers/cpu.ts';
import { type RawSocket, rawSocket } from '../helpers/raw-socket.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(PRODUCTION);
});

afterAll(() => api?.[Symbol.asyncDispose]());

interface Told {
  readonly code: unknown;
  readonly text: string;
}

async function overHttp(json: string): Promise<Told> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${api.url}/graphql`, { method: 'POST', headers, body: json });
  const text = await response.text();
  return { code: JSON.parse(text).errors?.[0]?.extensions?.code, text };
}

async function overSocket(socket: RawSocket, json: string): Promise<Told> {
  const { payload, ...answer } = await socket.ask(json);
  const errors = Array.isArray(payload) ? payload : payload?.errors;
  return { code: errors?.[0]?.extensions?.code, text: JSON.stringify({ ...answer, payload }) };
}

/** How both transports answer. */
async function both({ json }: Pick<Abuse, 'json'>): Promise<readonly (Told & { readonly cpuMs: number })[]> {
  using socket = await (await rawSocket(api.url)).init();
  const http = await cheapest(() => overHttp(json));
  const webSocket = await cheapest(() => overSocket(socket, json));
  return [http, webSocket].map(({ answer, cpuMs }) => ({ ...answer, cpuMs }));
}

/** What no answer may hold: places in this program, what its parts are called, and guesses at the schema. */
const INTERNALS = /node_modules|\.ts\b|\.js\b|at \w+ \(|stack|exception|tracing|postgres|pglite|drizzle|Did you mean/i;

describe('an operation that means harm', () => {
  it.each(ABUSES)('is refused alike and at once: $name', async ({ json, code }) => {
    const answers = await both({ json });
    expect(
      answers.map((answer) => answer.code),
      JSON.stringify(answers),
    ).toEqual([code, code]);
    for (const { text, cpuMs } of answers) {
      expect(text).not.toMatch(INTERNALS);
      // The answer to a flood is no flood.
      expect(text.length).toBeLessThan(5_000);
      expect(cpuMs).toBeLessThan(MOST_REFUSAL_MS);
    }
  });

  it('leaves a server that answers everybody else', async () => {
    await Promise.all([...GRAPHQL_COP, ...LARGE_DOCUMENTS].map(({ json }) => overHttp(json)));
    expect(await api.data('{ __typename }')).toEqual({ __typename: 'Query' });
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
  });
});

describe('an answer', () => {
  it('has neither traces nor faults in it', async () => {
    const json = JSON.stringify({ query: 'query cop { __typename }' });
    for (const { text } of await both({ json })) {
      expect(text).toContain('"__typename":"Query"');
      expect(text).not.toMatch(INTERNALS);
    }
  });

  it('tells of the first mistakes, not of each', async () => {
    const many = JSON.stringify({ query: `{ ${Array.from({ length: 90 }, (_, i) => `unknown${i}`).join(' ')} }` });
    for (const { text } of await both({ json: many })) expect(text.match(/"message"/g)?.length).toBeLessThan(10);
  });

  it('takes texts that are no Unicode, and prototypes that nobody asked for, for what they are', async () => {
    const artist = 'query ($slug: String!) { artist(slug: $slug) { id } }';
    for (const variables of [
      '{"slug":"\\ud800"}',
      '{"slug":"x","__proto__":{"slug":"y"}}',
      '{"slug":"x","slug":"y"}',
    ]) {
      for (const { text } of await both({ json: `{"query":${JSON.stringify(artist)},"variables":${variables}}` }))
        expect(text).toContain('"data":{"artist":null}');
    }
    expect(({} as { slug?: string }).slug).toBeUndefined();
  });
});

describe('a guess at the schema', () => {
  /** clairvoyance: misspelt names of everything that a schema has. */
  it.each([
    ['{ artits { totalCount } }', {}],
    ['{ artist(slug: "x", slgu: "x") { id } }', {}],
    ['{ artist(slug: "x") { idd nmae } }', {}],
    ['{ artist(slug: "x") }', {}],
    ['{ artworks(orderBy: { field: TITEL }) { totalCount } }', {}],
    ['{ artworks(where: { titel: "x" }) { totalCount } }', {}],
    ['{ ...f } fragment f on Artits { id }', {}],
    ['query ($w: ArtworkWere) { artworks(where: $w) { totalCount } }', {}],
    ['query ($w: ArtworkWhere) { artworks(where: $w) { totalCount } }', { w: { titel: 'x' } }],
    ['query ($o: ArtworkOrderBy) { artworks(orderBy: $o) { totalCount } }', { o: { field: 'TITEL' } }],
    ['{ __typename @inclde(if: true) }', {}],
    ['mutation { startTraning(input: {}) { userErrors { code } } }', {}],
    ['subscription { trainingProgres(run: "x") { seq } }', {}],
  ])('is not helped along: %s', async (query, variables) => {
    for (const { code, text } of await both({ json: JSON.stringify({ query, variables }) })) {
      expect(['GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT']).toContain(code);
      expect(text).not.toMatch(/did you mean|"(artists|title|TITLE|include|startTraining|trainingProgress)\b/i);
    }
  });
});

describe('a flood of hashes', () => {
  it('is forgotten, and the texts that follow still run', async () => {
    using socket = await (await rawSocket(api.url)).init();
    const ask = (sha256Hash: string) => ({ query: '', extensions: { persistedQuery: { version: 1, sha256Hash } } });
    for (let i = 0; i < 300; i++) {
      const json = JSON.stringify(ask(String(i).padStart(64, '0')));
      const { code } = i % 2 === 0 ? await overHttp(json) : await overSocket(socket, json);
      expect(code).toBe('PERSISTED_QUERY_NOT_FOUND');
    }
    expect(await api.data('{ __typename }')).toEqual({ __typename: 'Query' });
  });
});
