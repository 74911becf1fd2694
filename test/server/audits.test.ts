/** GraphQL over HTTP: the audits of npm graphql-http, which judge any server by the specification. */
import { type AuditResult, serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../helpers/api.ts';

/** These ask for `__type`: where introspection is off, its refusal is the right answer. */
const INTROSPECT = ['BF61', '2EA1', '28B9', 'D6D5', '6A70'];
const LEAST_AUDITS = 60;

/** GETs want a header that pages of other sites cannot set; the specification leaves that to servers. */
const preflighted: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers);
  headers.set('apollo-require-preflight', '1');
  return fetch(input, { ...init, headers });
};

const auditsOf = (server: string) => serverAudits({ url: `${server}/graphql`, fetchFn: preflighted });
// Their names do not depend on the address.
const NAMES = auditsOf('http://127.0.0.1').map(({ id, name }) => ({ id, name }));

function reasonOf(result: AuditResult | undefined): string {
  return result !== undefined && 'reason' in result ? String(result.reason) : 'ok';
}

it('the audits look at everything', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(LEAST_AUDITS);
  expect(NAMES.map(({ id }) => id)).toEqual(expect.arrayContaining(INTROSPECT));
});

describe.each([
  ['as in production', { INTROSPECTION: 'off', SUGGESTIONS: 'off', EXPLORER: 'off' }],
  ['as in development', { INTROSPECTION: 'on', SUGGESTIONS: 'on', EXPLORER: 'on' }],
])('a server %s', (_kind, settings) => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi(settings);
  });

  afterAll(() => api?.[Symbol.asyncDispose]());

  const audit = (id: string) =>
    auditsOf(api.url)
      .find((known) => known.id === id)
      ?.fn();
  const isRefused = ({ id }: { id: string }) => settings.INTROSPECTION === 'off' && INTROSPECT.includes(id);

  it.each(NAMES.filter((name) => !isRefused(name)))('$id: $name', async ({ id }) => {
    const result = await audit(id);
    expect(result?.status, reasonOf(result)).toBe('ok');
  });

  it.each(NAMES.filter(isRefused))('$id fails by its question alone: $name', async ({ id }) => {
    const result = await audit(id);
    const told = result !== undefined && 'response' in result ? await result.response.clone().text() : '';
    expect(told).toContain('"INTROSPECTION_DISABLED"');
  });
});
