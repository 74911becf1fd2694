/** API keys: how they are made, kept and ended, and what each may do, over every transport. */
import { is, sql } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCOPES, type Scope } from '../../src/core/access.ts';
import { policyOf } from '../../src/resolvers/policy.ts';
import { makeSchema } from '../../src/resolvers/schema.ts';
import { AccessService } from '../../src/services/access.ts';
import { liveKeys } from '../../src/store/api-keys.ts';
import * as tables from '../../src/store/tables.ts';
import { operation, startTestApi, type TestApi, tinyRun } from '../helpers/api.ts';
import {
  answerOf,
  authorization,
  http,
  multipart,
  post,
  STREAMING,
  serverSentEvents,
  type Told,
  TRANSPORTS,
  type Transport,
  type Visitor,
  webSocket,
} from '../helpers/transports.ts';

const MAKE = `mutation Make($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { key apiKey { id name hint scopes budget revokedAt } userErrors { code path } }
}`;
const REVOKE = `mutation Revoke($id: ID!) {
  revokeApiKey(input: { id: $id }) { apiKey { id revokedAt } userErrors { code path } }
}`;
const LIST = '{ apiKeys { totalCount nodes { id name hint scopes revokedAt } } }';
const KEY = /^artgan_[\w-]{43}$/;
const upper = (scope: Scope) => scope.toUpperCase();

interface Made {
  readonly id: string;
  readonly key: string;
}

async function data(visitor: Visitor, query: string, variables: object = {}): Promise<Told['data']> {
  const { data: told, errors } = await answerOf(http, visitor, { query, variables: { ...variables } });
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return told;
}

async function makeKey(by: Visitor, input: { name: string; scopes: readonly Scope[]; budget?: number }): Promise<Made> {
  const { createApiKey } = await data(by, MAKE, { input: { ...input, scopes: input.scopes.map(upper) } });
  expect(createApiKey).toMatchObject({ userErrors: [], key: expect.stringMatching(KEY) });
  return { id: createApiKey.apiKey.id, key: createApiKey.key };
}

/** Begins a stream that does not end, and reads it to whatever ends it. */
function endOf(
  transport: Transport,
  visitor: Visitor,
): { readonly begun: Promise<void>; readonly end: Promise<unknown> } {
  let began = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    began = resolve;
  });
  const read = async () => {
    const query = 'subscription { trainingRunChanged(after: 0) { status } }';
    let last: Told | undefined;
    for await (const told of transport.results(visitor, { query })) {
      last = told;
      began();
    }
    return last;
  };
  return { begun, end: read().catch((error: unknown) => error) };
}

const GONE = { errors: [{ extensions: { code: 'UNAUTHENTICATED', requestId: expect.any(String) } }] };
const endsAs = (transport: Transport) => (transport === webSocket ? { code: 4403 } : GONE);

describe('a server on this machine alone', () => {
  let api: TestApi;
  let admin: Made;

  beforeAll(async () => {
    api = await startTestApi();
    // A run that changes, so that there is something to watch.
    await api.importColours(4);
    await api.run('start-training', { input: { ...tinyRun, steps: 1 } });
  });
  afterAll(() => api?.[Symbol.asyncDispose]());

  it('is open to everybody on it so long as there is no key', async () => {
    for (const transport of TRANSPORTS)
      expect(await answerOf(transport, api, { query: '{ viewer { scopes apiKey { id } } }' })).toMatchObject({
        data: { viewer: { scopes: SCOPES.map(upper), apiKey: null } },
      });
  });

  it('takes as its first key only one that can make others', async () => {
    const input = { name: 'reader', scopes: ['READ'] };
    const { createApiKey } = await data(api, MAKE, { input });
    expect(createApiKey).toMatchObject({
      key: null,
      userErrors: [{ code: 'INVALID_INPUT', path: ['input', 'scopes'] }],
    });
  });

  it('closes with the first key, and ends whatever was open', async () => {
    const streams = STREAMING.map((transport) => ({ transport, ...endOf(transport, api) }));
    await Promise.all(streams.map(({ begun }) => begun));
    admin = await makeKey(api, { name: 'first', scopes: ['admin'] });
    for (const { transport, end } of streams) expect(await end).toMatchObject(endsAs(transport));
    for (const transport of TRANSPORTS) {
      const refused = await answerOf(transport, api, { query: LIST }).catch((error: unknown) => error);
      expect(refused).toMatchObject(endsAs(transport));
    }
    const response = await post(api, { query: LIST }, 'application/json');
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  it('shows a key once, and keeps no more than its hash', async () => {
    const by = { url: api.url, key: admin.key };
    const { key, id } = await makeKey(by, { name: ' Gallery page ', scopes: ['read', 'generate'] });
    const { apiKeys } = await data(by, LIST);
    expect(apiKeys.nodes[0]).toEqual({
      ...{ id, name: 'Gallery page', hint: key.slice(0, 11), scopes: ['READ', 'GENERATE'], revokedAt: null },
    });
    expect(await data({ url: api.url, key }, '{ viewer { scopes apiKey { id name } } }')).toMatchObject({
      viewer: { scopes: ['READ', 'GENERATE'], apiKey: { id, name: 'Gallery page' } },
    });
    const { db } = api.app.store;
    for (const table of Object.values<unknown>(tables)) {
      if (!is(table, PgTable)) continue;
      const rows = JSON.stringify(await db.execute(sql`select * from ${table}`));
      for (const secret of [key, admin.key]) expect(rows).not.toContain(secret.slice(12));
    }
  });

  it('opens with a key wherever it is sent, and with no other text', async () => {
    const query = '{ viewer { apiKey { name } } }';
    for (const transport of TRANSPORTS) {
      const good = await answerOf(transport, { url: api.url, key: admin.key }, { query });
      expect(good).toMatchObject({ data: { viewer: { apiKey: { name: 'first' } } } });
      for (const key of [`${admin.key}x`, `artgan_${'A'.repeat(43)}`, 'artgan_', 'Basic', "' or 1=1 --"]) {
        const bad = await answerOf(transport, { url: api.url, key }, { query }).catch((error: unknown) => error);
        expect(bad).toMatchObject(endsAs(transport));
      }
    }
    expect((await fetch(`${api.url}/metrics`, { headers: authorization(admin.key) })).status).toBe(200);
  });

  it('ends the streams of a key that is revoked, at once, and no others', async () => {
    const by = { url: api.url, key: admin.key };
    const doomed = await makeKey(by, { name: 'doomed', scopes: ['read'] });
    const streams = STREAMING.map((transport) => ({
      transport,
      ...endOf(transport, { url: api.url, key: doomed.key }),
    }));
    const other = endOf(webSocket, by);
    await Promise.all([other, ...streams].map(({ begun }) => begun));
    const { revokeApiKey } = await data(by, REVOKE, { id: doomed.id });
    expect(revokeApiKey).toMatchObject({ apiKey: { id: doomed.id, revokedAt: expect.any(String) }, userErrors: [] });
    for (const { transport, end } of streams) expect(await end).toMatchObject(endsAs(transport));
    for (const transport of TRANSPORTS) {
      const asked = answerOf(transport, { url: api.url, key: doomed.key }, { query: '{ __typename }' });
      expect(await asked.catch((error: unknown) => error)).toMatchObject(endsAs(transport));
    }
    const stillOpen = Promise.race([other.end, data(by, LIST).then(() => 'open')]);
    expect(await stillOpen).toBe('open');
    const again = await data(by, REVOKE, { id: doomed.id });
    expect(again.revokeApiKey.apiKey).toEqual(revokeApiKey.apiKey);
    const unknown = await data(by, REVOKE, { id: 'none' });
    expect(unknown.revokeApiKey.userErrors).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'id'] }]);
  });

  it('keeps the last key that can make others while there are any', async () => {
    const by = { url: api.url, key: admin.key };
    const refused = await data(by, REVOKE, { id: admin.id });
    expect(refused.revokeApiKey).toMatchObject({ apiKey: null, userErrors: [{ code: 'CONFLICT' }] });
  });

  it('keeps one of two administrators who are ended at the same moment', async () => {
    const by = { url: api.url, key: admin.key };
    const second = await makeKey(by, { name: 'second', scopes: ['admin'] });
    // Two servers on one database.
    const open = () => AccessService.open(api.app.store, { localOnly: false });
    await using one = await open();
    await using other = await open();
    const ends = await Promise.allSettled([one.revoke(admin.id), other.revoke(second.id)]);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const left = await liveKeys(api.app.store.db);
    expect(left.filter(({ scopes }) => scopes.includes('admin'))).toHaveLength(1);
  });
});

describe('what a key may do', () => {
  let api: TestApi;
  const keys = new Map<Scope, string>();

  beforeAll(async () => {
    api = await startTestApi();
    await api.importColours(4);
    await api.train();
    const { key } = await makeKey(api, { name: 'admin', scopes: ['admin'] });
    for (const scope of SCOPES) {
      const { key: made } = await makeKey({ url: api.url, key }, { name: scope, scopes: [scope] });
      keys.set(scope, made);
    }
  });
  afterAll(() => api?.[Symbol.asyncDispose]());

  const asks: readonly (readonly [what: string, scope: Scope, asked: { query: string; variables?: object }])[] = [
    ['see collections', 'read', { query: '{ datasets { nodes { slug } } }' }],
    ['see runs', 'read', { query: '{ trainingRuns { nodes { id } } }' }],
    ['ask for its schema', 'read', { query: '{ __type(name: "Query") { name } }' }],
    ['ask for pictures', 'generate', { query: '{ generate(label: "warm", n: 1) { id } }' }],
    ['keep pictures', 'generate', { query: operation('keep-images'), variables: { images: [] } }],
    ['train', 'train', { query: operation('cancel-training'), variables: { run: 'none' } }],
    ['import', 'train', { query: operation('import-dataset'), variables: { name: 'X', path: '/nowhere' } }],
    ['export models', 'train', { query: operation('export-model'), variables: { model: 'none', format: 'TFJS' } }],
    ['see the keys', 'admin', { query: LIST }],
    ['make keys', 'admin', { query: MAKE, variables: { input: { name: '', scopes: ['READ'] } } }],
    ['revoke keys', 'admin', { query: REVOKE, variables: { id: 'none' } }],
  ];

  it.each(asks)('to %s it needs the scope %s, over every transport', async (_what, needed, { query, variables }) => {
    for (const transport of TRANSPORTS) {
      for (const [scope, key] of keys) {
        const answer = await answerOf(transport, { url: api.url, key }, { query, variables: { ...variables } });
        if (scope === needed || scope === 'admin') expect(answer.errors).toBeUndefined();
        else
          expect(answer).toMatchObject({
            errors: [{ message: expect.stringContaining(upper(needed)), extensions: { code: 'FORBIDDEN' } }],
          });
      }
    }
  });

  it('may be shown by nobody else: a key is a node to administrators only', async () => {
    const { viewer } = await data({ url: api.url, key: keys.get('read') }, '{ viewer { apiKey { id } } }');
    const query = `{ node(id: "${viewer.apiKey.id}") { id } }`;
    expect(await data({ url: api.url, key: keys.get('admin') }, query)).toEqual({ node: { id: viewer.apiKey.id } });
    expect(await data({ url: api.url, key: keys.get('read') }, query)).toEqual({ node: null });
  });

  it('watches with READ only', async () => {
    const query = 'subscription { trainingRunChanged(after: 0) { status } }';
    for (const transport of [webSocket, serverSentEvents, multipart]) {
      for (const [scope, key] of keys) {
        const { value } = await transport.results({ url: api.url, key }, { query }).next();
        if (scope === 'read' || scope === 'admin') expect(value).toMatchObject({ data: { trainingRunChanged: {} } });
        else expect(value).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
      }
    }
  });

  it('is said by every mutation of the schema', async () => {
    const mutations = Object.values((await makeSchema()).getMutationType()?.getFields() ?? {});
    expect(mutations.length).toBeGreaterThan(10);
    const silent = mutations.filter((field) => !SCOPES.some((scope) => scope === policyOf(field).scope));
    expect(silent.map(({ name }) => name)).toEqual([]);
    expect(mutations.filter((field) => policyOf(field).scope === 'read')).toEqual([]);
  });
});
