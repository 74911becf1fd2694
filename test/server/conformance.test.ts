/** One list of cases for every transport: what one answers, all answer, word for word. */
import { createHash } from 'node:crypto';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operation, startTestApi, type TestApi, tinyRun, withoutTable } from '../helpers/api.ts';
import {
  type Asked,
  allOf,
  answerOf,
  http,
  STREAMING,
  type Told,
  TRANSPORTS,
  type Transport,
  webSocket,
  wireOf,
  withoutRequestId,
} from '../helpers/transports.ts';
import { waitFor } from '../helpers/wait-for.ts';

let api: TestApi;
let run: string;

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours();
  run = await api.train({ steps: 30, config: { ...tinyRun.config, sampleEvery: 10, checkpointEvery: 30 } });
});

afterAll(() => api?.[Symbol.asyncDispose]());

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
/** Without what changes while a run goes on. */
const PROGRESS = `subscription Watch($run: ID!, $after: Int, $minIntervalMs: Int) {
  trainingProgress(run: $run, after: $after, minIntervalMs: $minIntervalMs) {
    __typename seq at
    ... on TrainingMetrics { step dLoss }
    ... on TrainingSample { step url }
    ... on TrainingStateChanged { status }
  }
}`;

interface Event {
  readonly __typename: string;
  readonly seq: number;
  readonly at: string;
}

const eventsOf = async (transport: Transport, variables: object): Promise<Event[]> => {
  const told = await allOf(transport, api, { query: PROGRESS, variables: { ...variables } });
  return told.map(({ data, errors }) => {
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return data.trainingProgress;
  });
};
const seqs = (events: readonly Event[]) => events.map(({ seq }) => seq);

const cases: readonly { readonly what: string; readonly asked: Asked; readonly gives: object }[] = [
  {
    what: 'a query',
    asked: { query: '{ style(slug: "warm") { slug name } }' },
    gives: { data: { style: { slug: 'warm', name: 'Warm' } }, extensions: { cost: { requested: expect.any(Number) } } },
  },
  {
    what: 'a query with variables, one of several operations',
    asked: {
      query: 'query One($slug: String!) { style(slug: $slug) { name } } query Two { artists { totalCount } }',
      operationName: 'One',
      variables: { slug: 'cool' },
    },
    gives: { data: { style: { name: 'Cool' } } },
  },
  {
    what: 'a mutation',
    asked: { query: 'mutation { cancelTraining(input: { run: "none" }) { run { id } userErrors { code path } } }' },
    gives: { data: { cancelTraining: { run: null, userErrors: [{ code: 'NOT_FOUND', path: ['input', 'run'] }] } } },
  },
  {
    what: 'a mistake in the syntax',
    asked: { query: '{ style(' },
    gives: { errors: [{ extensions: { code: 'GRAPHQL_PARSE_FAILED', retryable: false } }] },
  },
  {
    what: 'unknown fields',
    asked: { query: '{ nothing style(slug: "warm") { colour } }' },
    gives: {
      errors: [
        { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' }, locations: [{ line: 1, column: 3 }] },
        { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
      ],
    },
  },
  {
    what: 'an unknown operation',
    asked: { query: 'query One { __typename }', operationName: 'Two' },
    gives: { errors: [{ extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } }] },
  },
  {
    what: 'several operations and no name',
    asked: { query: 'query One { __typename } query Two { __typename }' },
    gives: { errors: [{ extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } }] },
  },
  {
    what: 'variables of a wrong type',
    asked: {
      query:
        'query ($slug: String!, $seed: Seed) { style(slug: $slug) { name } generate(label: "warm", seed: $seed) { id } }',
      variables: { slug: 1, seed: -1 },
    },
    gives: {
      errors: [
        { extensions: { code: 'BAD_USER_INPUT' } },
        { extensions: { code: 'BAD_USER_INPUT', retryable: false } },
      ],
    },
  },
  {
    what: 'a variable that is missing',
    asked: { query: 'query ($slug: String!) { style(slug: $slug) { name } }' },
    gives: { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] },
  },
  {
    what: 'a value out of bounds',
    asked: { query: '{ styles(first: 1000) { nodes { slug } } artists { totalCount } }' },
    gives: { data: null, errors: [{ path: ['styles'], extensions: { code: 'INVALID_INPUT', path: ['first'] } }] },
  },
  {
    what: 'a name with a slip of the pen',
    asked: { query: '{ generate(label: "wram") { id } }' },
    gives: { errors: [{ path: ['generate'], extensions: { code: 'UNKNOWN_LABEL', suggestions: ['Warm'] } }] },
  },
  {
    what: 'a question that costs too much',
    asked: { query: '{ styles(first: 100) { nodes { artworks(first: 100) { nodes { artist { name } } } } } }' },
    gives: { errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX', retryable: false } }] },
  },
  {
    what: 'a document that is too large',
    asked: { query: `{ ${Array.from({ length: 40 }, (_, i) => `a${i}: __typename`).join(' ')} }` },
    gives: { errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX' } }] },
  },
  {
    what: 'no query at all',
    asked: { query: undefined, extensions: {} },
    gives: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
  },
  {
    what: 'a hash that nobody has registered',
    asked: { query: undefined, extensions: { persistedQuery: { version: 1, sha256Hash: '0'.repeat(64) } } },
    gives: { errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }] },
  },
];

describe.each(TRANSPORTS)('$name', (transport) => {
  it.each(cases)('answers $what as HTTP does', async ({ asked, gives }) => {
    const answer = await answerOf(transport, api, asked);
    expect(answer).toMatchObject(gives);
    for (const { message, extensions } of answer.errors ?? []) {
      expect(message).not.toBe('');
      expect(extensions).toMatchObject({ code: expect.any(String), retryable: expect.any(Boolean) });
      expect(extensions['requestId']).toMatch(UUID);
    }
    expect(withoutRequestId(answer)).toEqual(withoutRequestId(await answerOf(http, api, asked)));
  });

  it('masks a fault of the server', async () => {
    const asked = { query: '{ models { nodes { id } } datasets { nodes { id } } }' };
    const [answer, overHttp] = await withoutTable(api, 'models', () =>
      Promise.all([answerOf(transport, api, asked), answerOf(http, api, asked)]),
    );
    expect(answer).toMatchObject({
      data: null,
      errors: [{ path: ['models', 'nodes'], extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: true } }],
    });
    expect(JSON.stringify(answer)).not.toMatch(/relation|select|stack|node_modules/i);
    expect(withoutRequestId(answer)).toEqual(withoutRequestId(overHttp));
  });

  it('takes a hash instead of the text once it has seen both', async () => {
    const query = `{ style(slug: "warm") { artworkCount } } # ${transport.name}`;
    const extensions = { persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') } };
    const expected = { data: { style: { artworkCount: 6 } } };
    expect(await answerOf(transport, api, { query: undefined, extensions })).not.toMatchObject(expected);
    expect(await answerOf(transport, api, { query, extensions })).toMatchObject(expected);
    for (const other of TRANSPORTS)
      expect(await answerOf(other, api, { query: undefined, extensions })).toMatchObject(expected);
  });
});

describe.each(STREAMING)('a subscription over $name', (transport) => {
  it('tells a run from its start to its end, and then ends', async () => {
    const { startTraining } = await api.run('start-training', { input: { ...tinyRun, steps: 10 } });
    const events = await eventsOf(transport, { run: startTraining.run.id });
    expect(seqs(events)).toEqual(events.map((_, i) => i + 1));
    expect(events.at(-1)).toMatchObject({ __typename: 'TrainingStateChanged', status: 'COMPLETED' });
    for (const other of STREAMING)
      expect(await eventsOf(other, { run: startTraining.run.id, after: 0 })).toEqual(events);
  });

  it('goes on after any event', async () => {
    const all = await eventsOf(transport, { run });
    for (const after of [1, 5, all.length - 1, all.length])
      expect(seqs(await eventsOf(transport, { run, after }))).toEqual(seqs(all).slice(after));
  });

  it('leaves out metrics that come too soon, and nothing else', async () => {
    const all = await eventsOf(transport, { run });
    const isMetrics = ({ __typename }: Event) => __typename === 'TrainingMetrics';
    const moments = all.filter(isMetrics).map(({ at }) => Date.parse(at));
    // Between the first and the last of a run of this machine's speed.
    const middle = Math.max(2, Math.ceil(((moments.at(-1) ?? 0) - (moments[0] ?? 0)) / 4));
    for (const minIntervalMs of [middle, 3_600_000]) {
      let last = Number.NEGATIVE_INFINITY;
      const expected = all.filter((event) => {
        if (!isMetrics(event)) return true;
        if (Date.parse(event.at) - last < minIntervalMs) return false;
        last = Date.parse(event.at);
        return true;
      });
      expect(expected.length).toBeLessThan(all.length);
      expect(await eventsOf(transport, { run, minIntervalMs })).toEqual(expected);
    }
  });

  it.each([
    ['of a run that is not there', { run: 'none' }, 'NOT_FOUND'],
    ['after an event that has not been', { run: () => run, after: 1_000_000 }, 'INVALID_INPUT'],
    ['at a pace that cannot be', { run: () => run, minIntervalMs: -1 }, 'INVALID_INPUT'],
    ['without its variable', {}, 'BAD_USER_INPUT'],
  ] as const)('%s is refused at its start', async (_what, given, code) => {
    const variables = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, typeof value === 'function' ? value() : value]),
    );
    const refused = async (by: Transport): Promise<Told> => {
      const [answer, ...more] = await allOf(by, api, { query: PROGRESS, variables });
      expect(more).toEqual([]);
      return withoutRequestId(answer ?? {});
    };
    const answer = await refused(transport);
    expect(answer).toMatchObject({ errors: [{ extensions: { code, retryable: false } }] });
    for (const other of STREAMING) expect(await refused(other)).toEqual(answer);
  });

  it('that breaks says so, masked', async () => {
    const told = await withoutTable(api, 'run_events', () =>
      allOf(transport, api, { query: PROGRESS, variables: { run } }),
    );
    expect(told).toMatchObject([{ errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: true } }] }]);
    expect(told[0]?.errors?.[0]?.extensions['requestId']).toMatch(UUID);
    expect(JSON.stringify(told)).not.toMatch(/relation|select|stack|node_modules/i);
  });

  it('gives equal bytes to all who ask the same', async () => {
    const asked = { query: operation('training-progress'), variables: { run, after: 0 } };
    const [one, other] = await Promise.all([wireOf(transport, api, asked), wireOf(transport, api, asked)]);
    expect(one).toBe(other);
    expect(one.length).toBeGreaterThan(5_000);
  });

  it('is closed on the server when the client leaves', async () => {
    const { startTraining } = await api.run('start-training', { input: { ...tinyRun, steps: 100_000 } });
    const variables = { run: startTraining.run.id };
    const before = await openStreams();
    for await (const { data } of transport.results(api, { query: PROGRESS, variables })) {
      if (data.trainingProgress.__typename !== 'TrainingMetrics') continue;
      expect(await openStreams()).toBe(before + 1);
      break;
    }
    await waitFor(async () => (await openStreams()) === before);
    await api.run('cancel-training', variables);
  });
});

describe('Apollo Client', () => {
  it('hears the same events by its own HTTP link', async () => {
    const client = new ApolloClient({ link: new HttpLink({ uri: `${api.url}/graphql` }), cache: new InMemoryCache() });
    const told: unknown[] = [];
    const results = client.subscribe<{ trainingProgress: unknown }>({
      query: gql(PROGRESS),
      variables: { run },
      fetchPolicy: 'no-cache',
    });
    await new Promise<void>((complete, error) => {
      results.subscribe({ next: ({ data }) => told.push(data?.trainingProgress), error, complete });
    });
    expect(told).toEqual(await eventsOf(webSocket, { run }));
  });
});

async function openStreams(): Promise<number> {
  const text = await fetch(`${api.url}/metrics`).then((response) => response.text());
  return Number(/^artgan_streams (\d+)$/m.exec(text)?.[1]);
}
