/** What an API key may spend: its budget, how it is told, and when it is there again. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { answerOf, http, multipart, post, serverSentEvents, TRANSPORTS, webSocket } from '../helpers/transports.ts';

const MAKE = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key userErrors { message } } }';
/** 2,000 points. */
const SCHEMA = { query: '{ __schema { queryType { name } } }' };
const CHEAP = { query: '{ viewer { scopes } }' };

/** An open server and its first key. */
async function start(settings: Record<string, string>) {
  const api = await startTestApi(settings);
  const input = { name: 'admin', scopes: ['ADMIN'] };
  return { api, admin: { url: api.url, key: (await api.data(MAKE, { input })).createApiKey.key as string } };
}

describe('a key with a budget of its own', () => {
  let api: TestApi;
  let admin: { readonly url: string; readonly key: string };
  const poor = async (budget: number) => {
    const input = { name: 'poor', scopes: ['READ'], budget };
    const { data } = await answerOf(http, admin, { query: MAKE, variables: { input } });
    return { url: api.url, key: data.createApiKey.key as string };
  };

  beforeAll(async () => {
    // 0.001 of a budget a second: nothing comes back while a test runs.
    ({ api, admin } = await start({ BUDGET: '1000000', BUDGET_REFILL: '1000' }));
  });
  afterAll(() => api?.[Symbol.asyncDispose]());

  it('is told what is left of it with every answer, over every transport', async () => {
    for (const transport of TRANSPORTS) {
      const viewer = await poor(3_000);
      const { extensions } = await answerOf(transport, viewer, SCHEMA);
      expect(extensions).toEqual({
        cost: { requested: 2_000, budget: { capacity: 3_000, remaining: 1_000, refillPerSecond: 3 } },
      });
    }
    expect((await answerOf(http, admin, CHEAP)).extensions).toMatchObject({
      cost: { budget: { capacity: 1_000_000 } },
    });
  });

  it('is refused once it is spent, over every transport alike, and costs nobody else', async () => {
    const viewer = await poor(3_000);
    expect(await answerOf(webSocket, viewer, SCHEMA)).toMatchObject({ data: {} });
    for (const transport of TRANSPORTS) {
      const { errors = [] } = await answerOf(transport, viewer, SCHEMA);
      expect(errors).toMatchObject([
        { message: expect.stringContaining('2000 points'), extensions: { code: 'RATE_LIMITED', retryable: true } },
      ]);
      // A thousand points are missing, and three come a second.
      const wait = Number(errors[0]?.extensions['retryAfterMs']);
      expect(wait).toBeGreaterThan(200_000);
      expect(wait).toBeLessThanOrEqual(334_000);
    }
    // What is left is enough for this one.
    expect(await answerOf(serverSentEvents, viewer, CHEAP)).toMatchObject({ data: {} });
    expect(await answerOf(http, admin, SCHEMA)).toMatchObject({ data: {} });
    expect(await answerOf(http, await poor(3_000), SCHEMA)).toMatchObject({ data: {} });
  });

  it('is refused by HTTP with 429 and the time to come again', async () => {
    const viewer = await poor(100);
    // A budget smaller than the operation pays with all that there is.
    expect((await post(viewer, SCHEMA, 'application/json')).status).toBe(200);
    for (const accept of ['application/json', 'application/graphql-response+json', 'text/event-stream']) {
      const response = await post(viewer, SCHEMA, accept);
      const { errors } = (await response.json()) as { errors: { extensions: { retryAfterMs: number } }[] };
      const seconds = Math.ceil((errors[0]?.extensions.retryAfterMs ?? 0) / 1_000);
      expect([response.status, response.headers.get('retry-after')]).toEqual([429, String(seconds)]);
    }
  });

  it('pays for subscriptions, too', async () => {
    const viewer = await poor(5);
    const asked = { query: 'subscription { trainingRunChanged { status } }' };
    await answerOf(http, viewer, SCHEMA);
    for (const transport of [webSocket, serverSentEvents, multipart])
      expect(await answerOf(transport, viewer, asked)).toMatchObject({
        errors: [{ extensions: { code: 'RATE_LIMITED' } }],
      });
  });

  it('pays nothing for what is refused anyway', async () => {
    const viewer = await poor(2_000);
    for (const query of [
      '{ nothing }',
      '{ ',
      '{ apiKeys { totalCount } }',
      'mutation { keepImages(input: { images: [] }) { images { id } } }',
    ])
      expect(await answerOf(http, viewer, { query })).toMatchObject({ errors: [{}] });
    expect(await answerOf(http, viewer, SCHEMA)).toMatchObject({ extensions: { cost: { budget: { remaining: 0 } } } });
  });

  it.each([0, -1, 2_000_000_000])('cannot be made with %d points', async (budget) => {
    const input = { name: 'poor', scopes: ['READ'], budget };
    const query =
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key userErrors { code path } } }';
    expect(await answerOf(http, admin, { query, variables: { input } })).toMatchObject({
      data: { createApiKey: { key: null, userErrors: [{ code: 'INVALID_INPUT', path: ['input', 'budget'] }] } },
    });
  });
});

describe('a budget that is spent', () => {
  it('is there again after the time that was told', async () => {
    const { api, admin } = await start({ BUDGET: '10000', BUDGET_REFILL: '1000' });
    await using _open = api;
    const answers = await Promise.all(Array.from({ length: 10 }, () => answerOf(http, admin, SCHEMA)));
    const waits = answers.flatMap(({ errors = [] }) =>
      errors.map(({ extensions }) => Number(extensions['retryAfterMs'])),
    );
    expect(waits.length).toBeGreaterThan(0);
    expect(waits.length).toBeLessThan(10);
    await delay(Math.max(...waits));
    expect(await answerOf(http, admin, SCHEMA)).toMatchObject({ data: {} });
  });
});

describe('an open server', () => {
  it('keeps no accounts', async () => {
    await using api = await startTestApi({ BUDGET: '100', BUDGET_REFILL: '1' });
    for (let i = 0; i < 5; i++)
      expect((await answerOf(http, api, SCHEMA)).extensions).toEqual({ cost: { requested: 2_000 } });
  });
});
