/** Operations by their hash, over every transport: automatic, switched off, and as the list of what may run at all. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { temporaryFolder } from '../helpers/scripted.ts';
import { type Asked, allOf, answerOf, http, post, STREAMING, TRANSPORTS } from '../helpers/transports.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hashed = (sha256Hash: string) => ({ persistedQuery: { version: 1, sha256Hash } });
/** Without its text. */
const byHash = (text: string): Asked => ({ query: undefined, extensions: hashed(sha256(text)) });

describe('automatic persisted queries', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api?.[Symbol.asyncDispose]());

  it('say that a hash is unknown in the words that clients know', async () => {
    const asked = byHash('{ unknown }');
    for (const transport of TRANSPORTS) {
      expect(await answerOf(transport, api, asked)).toMatchObject({
        errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
      });
    }
    // Clients look into the answer, not at the status: nothing has failed.
    const response = await post(api, asked, 'application/json');
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
  });

  it('work with what Apollo Client does by itself, by POST and by GET', async () => {
    const query = gql`query ByHash { datasets { totalCount } }`;
    const sent: { readonly hasText: boolean }[] = [];
    const ask = (useGETForHashedQueries: boolean) => {
      const link = new HttpLink({
        uri: `${api.url}/graphql`,
        headers: { 'apollo-require-preflight': '1' },
        fetch: (url, init) => {
          sent.push({ hasText: /[?&"]query["=]/.test(`${url}${init?.body ?? ''}`) });
          return fetch(url, init);
        },
      });
      const persisted = new PersistedQueryLink({ sha256, useGETForHashedQueries });
      const client = new ApolloClient({ link: persisted.concat(link), cache: new InMemoryCache() });
      return client.query({ query });
    };
    const answer = { data: { datasets: { totalCount: 0 } } };
    expect(await ask(false)).toMatchObject(answer);
    expect(await ask(false)).toMatchObject(answer);
    expect(await ask(true)).toMatchObject(answer);
    expect(sent.map(({ hasText }) => hasText)).toEqual([false, true, false, false]);
  });

  it('remember what was sent with its hash, for everybody, with other variables as well', async () => {
    const query = 'query Slug($slug: String!) { style(slug: $slug) { name } }';
    for (const transport of TRANSPORTS) {
      const text = `${query} # ${transport.name}`;
      const registered = { query: text, variables: { slug: 'a' }, extensions: hashed(sha256(text)) };
      expect(await answerOf(transport, api, registered)).toMatchObject({ data: { style: null } });
      for (const other of TRANSPORTS) {
        const answer = await answerOf(other, api, { ...byHash(text), variables: { slug: 'b' } });
        expect(answer).toMatchObject({ data: { style: null } });
        expect(await answerOf(other, api, byHash(text))).toMatchObject({
          errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
        });
      }
    }
  });

  it('hold for subscriptions, too', async () => {
    const query = 'subscription Run($run: ID!) { trainingProgress(run: $run) { seq } }';
    for (const transport of STREAMING) {
      const text = `${query} # ${transport.name}`;
      const variables = { run: 'none' };
      const none = [{ errors: [{ extensions: { code: 'NOT_FOUND' } }] }];
      expect(await allOf(transport, api, { query: text, variables, extensions: hashed(sha256(text)) })).toMatchObject(
        none,
      );
      expect(await allOf(transport, api, { ...byHash(text), variables })).toMatchObject(none);
    }
  });

  it('refuse a hash of another text, and one that is none', async () => {
    const query = '{ presets { name } }';
    const wrong = [
      hashed(sha256(`${query} `)),
      hashed(sha256(query).toUpperCase()),
      hashed('0'),
      { persistedQuery: { version: 2, sha256Hash: sha256(query) } },
      { persistedQuery: sha256(query) },
    ];
    for (const transport of TRANSPORTS) {
      for (const extensions of wrong) {
        const answer = await answerOf(transport, api, { query, extensions });
        expect(answer).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST', retryable: false } }] });
      }
      expect(await answerOf(transport, api, byHash(query))).toMatchObject({
        errors: [{ extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
      });
    }
  });

  it('remember nothing that may not run', async () => {
    const query = '{ nothing }';
    const codes = [];
    for (const asked of [{ query, extensions: hashed(sha256(query)) }, byHash(query)])
      codes.push((await answerOf(http, api, asked)).errors?.[0]?.extensions.code);
    expect(codes).toEqual(['GRAPHQL_VALIDATION_FAILED', 'PERSISTED_QUERY_NOT_FOUND']);
  });
});

describe('PERSISTED_QUERIES=off', () => {
  it('says that hashes are not taken, and runs the text that comes with one', async () => {
    await using api = await startTestApi({ PERSISTED_QUERIES: 'off' });
    const query = '{ presets { name } }';
    for (const transport of TRANSPORTS) {
      expect(await answerOf(transport, api, { query, extensions: hashed(sha256(query)) })).toMatchObject({ data: {} });
      expect(await answerOf(transport, api, byHash(query))).toMatchObject({
        errors: [{ message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } }],
      });
    }
  });
});

describe('PERSISTED_QUERIES=allow-list', () => {
  const allowed = {
    query: 'query Presets { presets { name } }',
    mutation: 'mutation Cancel($run: ID!) { cancelTraining(input: { run: $run }) { userErrors { code } } }',
    subscription: 'subscription Watch($run: ID!) { trainingProgress(run: $run) { seq } }',
  };
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let api: TestApi;

  const settings = async (text: string) => {
    const file = join(folder.path, 'manifest.json');
    await writeFile(file, text);
    return { PERSISTED_QUERIES: 'allow-list', PERSISTED_QUERY_MANIFEST: file };
  };

  beforeAll(async () => {
    folder = await temporaryFolder();
    const operations = Object.entries(allowed).map(([type, body]) => ({ id: sha256(body), name: type, type, body }));
    const manifest = { format: 'apollo-persisted-query-manifest', version: 1, operations };
    api = await startTestApi(await settings(JSON.stringify(manifest)));
  });
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  it('runs what the manifest lists, by hash or by text', async () => {
    for (const transport of TRANSPORTS) {
      for (const asked of [byHash(allowed.query), { query: allowed.query }])
        expect(await answerOf(transport, api, asked)).toMatchObject({ data: { presets: expect.any(Array) } });
      const cancelled = await answerOf(transport, api, { ...byHash(allowed.mutation), variables: { run: 'none' } });
      expect(cancelled).toMatchObject({ data: { cancelTraining: { userErrors: [{ code: 'NOT_FOUND' }] } } });
    }
    for (const transport of STREAMING)
      expect(
        await allOf(transport, api, { ...byHash(allowed.subscription), variables: { run: 'none' } }),
      ).toMatchObject([{ errors: [{ extensions: { code: 'NOT_FOUND' } }] }]);
  });

  it('runs nothing else, by whatever way it is asked', async () => {
    const others: Asked[] = [
      { query: '{ __typename }' },
      { query: '{ __schema { types { name } } }' },
      { query: `${allowed.query} ` },
      { query: allowed.query.replace('name', 'summary') },
      { query: '{ presets { summary } }', extensions: hashed(sha256(allowed.query)) },
      { query: '{ presets { summary } }', extensions: hashed(sha256('{ presets { summary } }')) },
      { query: '{ ' },
      byHash('{ presets { summary } }'),
      { query: undefined, extensions: {} },
    ];
    for (const transport of TRANSPORTS) {
      for (const asked of others)
        expect(await answerOf(transport, api, asked)).toMatchObject({
          errors: [{ extensions: { code: 'PERSISTED_QUERY_REQUIRED', retryable: false } }],
        });
    }
    for (const transport of STREAMING)
      expect(await allOf(transport, api, { query: 'subscription { trainingRunChanged { status } }' })).toMatchObject([
        { errors: [{ extensions: { code: 'PERSISTED_QUERY_REQUIRED' } }] },
      ]);
    expect((await post(api, { query: '{ __typename }' }, 'application/graphql-response+json')).status).toBe(400);
  });

  it.each([
    ['is no JSON', '{ "operations": [', /JSON/],
    ['is no manifest', '[]', /expected object/i],
    ['lists no operations', '{ "format": "apollo-persisted-query-manifest", "version": 1 }', /operations/],
    ['lists one without its text', '{ "operations": [{ "id": "a" }] }', /operations\[0\]\.body/],
  ])('does not start with a file that %s, and says so', async (_what, text, why) => {
    const starting = startTestApi(await settings(text));
    const error = await starting.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', message: expect.stringMatching(why) });
    expect(error).toMatchObject({ message: expect.stringContaining('PERSISTED_QUERY_MANIFEST') });
  });

  it('does not start without a file, and says so', async () => {
    const missing = { PERSISTED_QUERIES: 'allow-list', PERSISTED_QUERY_MANIFEST: join(folder.path, 'missing.json') };
    await expect(startTestApi(missing)).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: /missing\.json.*no such file/s,
    });
    await expect(startTestApi({ PERSISTED_QUERIES: 'allow-list' })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('PERSISTED_QUERY_MANIFEST'),
    });
  });
});
