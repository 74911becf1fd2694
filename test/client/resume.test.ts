/** The client's resume link: real subscriptions of a real server, whose connections are cut, refused, or left to hang. */
import { gql } from '@apollo/client';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Transport } from '../../client/src/client.ts';
import { TrainingRunChangedDocument } from '../../client/src/documents.ts';
import { errorsIn } from '../../client/src/faults.ts';
import type { StreamState } from '../../client/src/resume.ts';
import { lastSeqOf, RUNS_TOPIC } from '../../src/store/topic-log.ts';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { FlakyProxy } from '../helpers/flaky-proxy.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { WrittenRun } from '../helpers/written-run.ts';
import { clientFor, seqs, upTo, watch } from './watching.ts';

const transports: readonly Transport[] = ['websocket', 'sse', 'multipart'];

let api: TestApi;
let proxy: FlakyProxy;

beforeAll(async () => {
  api = await startTestApi();
});

afterAll(() => api?.[Symbol.asyncDispose]());

beforeEach(async () => {
  proxy = await FlakyProxy.start(api.url);
});

afterEach(() => proxy?.[Symbol.asyncDispose]());

const begin = () => WrittenRun.begin(api.app.store.db);

/** While their table is gone, whoever reads events fails. */
async function withoutEvents(work: () => Promise<unknown>): Promise<void> {
  const { db } = api.app.store;
  await db.execute(sql.raw('alter table run_events rename to gone'));
  try {
    await work();
  } finally {
    await db.execute(sql.raw('alter table gone rename to run_events'));
  }
}

describe.each(transports)('a subscription over %s', (transport) => {
  it('loses and doubles nothing while its connections are cut again and again', async () => {
    const { client, waits } = clientFor(proxy.url, { transport });
    proxy.setWeather({ bytes: [50, 4_000] });
    const run = await begin();
    const seen = watch(client, run.id);
    await run.write(200);
    await run.finish();
    await waitFor(() => seen.isOver(), 100_000);
    expect(seen.errors).toEqual([]);
    expect(seqs(seen.events)).toEqual(upTo(203));
    expect(seen.events.at(-1)).toMatchObject({ __typename: 'TrainingStateChanged', status: 'COMPLETED' });
    expect(proxy.cuts).toBeGreaterThan(10);
    expect(waits().length).toBeGreaterThan(10);
  }, 120_000);

  it('goes on after the server was away for a while', async () => {
    const { client, waits } = clientFor(proxy.url, { transport });
    const run = await begin();
    const seen = watch(client, run.id);
    await run.write(5);
    await waitFor(() => seen.events.length === 7);
    proxy.setDown(true);
    await run.write(20);
    await waitFor(() => waits().length > 5);
    proxy.setDown(false);
    await run.finish();
    await waitFor(() => seen.isOver());
    expect(seen.errors).toEqual([]);
    expect(seqs(seen.events)).toEqual(upTo(28));
    expect(waits().map(({ attempt }) => attempt)).toEqual(upTo(waits().length));
  });

  it('notices a connection that hangs without a word', async () => {
    const { client, waits } = clientFor(proxy.url, { transport, silenceMs: 400 });
    const run = await begin();
    const seen = watch(client, run.id);
    await waitFor(() => seen.events.length === 2);
    proxy.stall();
    await run.write(5);
    await waitFor(() => waits().length > 0);
    await run.finish();
    await waitFor(() => seen.isOver());
    expect(seen.errors).toEqual([]);
    expect(seqs(seen.events)).toEqual(upTo(8));
  });

  it('goes on after a fault of the server', async () => {
    const { client, waits } = clientFor(proxy.url, { transport, resume: { refusedAttempts: 1_000 } });
    const run = await begin();
    const seen = watch(client, run.id);
    await waitFor(() => seen.events.length === 2);
    await run.write(3);
    await waitFor(() => seen.events.length === 5);
    await withoutEvents(async () => {
      proxy.cut();
      await waitFor(() => waits().some(({ error }) => codesIn(error).includes('INTERNAL_SERVER_ERROR')));
    });
    await run.finish();
    await waitFor(() => seen.isOver());
    expect(seen.errors).toEqual([]);
    expect(seqs(seen.events)).toEqual(upTo(6));
  });

  it('tells of a fault that does not pass', async () => {
    const { client, waits } = clientFor(proxy.url, { transport, resume: { refusedAttempts: 2 } });
    const run = await begin();
    await withoutEvents(async () => {
      const seen = watch(client, run.id);
      await waitFor(() => seen.errors.length > 0);
      expect(waits()).toHaveLength(2);
      expect(codesIn(seen.errors[0])).toEqual(['INTERNAL_SERVER_ERROR']);
    });
  });

  it('gives each event at once, not with the next one', async () => {
    const { client } = clientFor(proxy.url, { transport });
    const run = await begin();
    const seen = watch(client, run.id);
    for (const count of upTo(5)) {
      // The next sign of life is ten seconds away.
      await waitFor(() => seen.events.length === count + 1, 5_000);
      await run.write(1);
    }
    seen.subscription.unsubscribe();
  });

  it('begins where it is told to, and ends with the run', async () => {
    const { client, states } = clientFor(proxy.url, { transport });
    const run = await begin();
    await run.write(20);
    await run.finish();
    const seen = watch(client, run.id, 7);
    await waitFor(() => seen.isOver());
    expect(seen.errors).toEqual([]);
    expect(seqs(seen.events)).toEqual(upTo(23).slice(7));
    expect(states.map(({ kind }) => kind)).toEqual(['asking', 'live']);
  });

  it('gives a mistake to the subscriber and does not ask again', async () => {
    const { client, states } = clientFor(proxy.url, { transport });
    const run = await begin();
    for (const [id, after, code] of [
      ['nothing', 0, 'NOT_FOUND'],
      [run.id, 99, 'INVALID_INPUT'],
      [run.id, 1.5, 'BAD_USER_INPUT'],
    ] as const) {
      const seen = watch(client, id, after);
      await waitFor(() => seen.errors.length > 0);
      expect(codesIn(seen.errors[0])).toEqual([code]);
    }
    expect(states.map(({ kind }) => kind)).toEqual(['asking', 'asking', 'asking']);
  });

  it('lets go of its connection when nobody watches any more', async () => {
    const { client } = clientFor(proxy.url, { transport });
    const run = await begin();
    const seen = watch(client, run.id);
    await waitFor(() => seen.events.length > 0);
    seen.subscription.unsubscribe();
    await waitFor(() => proxy.inUse === 0);
  });

  it('does not come back when it was left while it waited', async () => {
    let connections = 0;
    const onState = ({ kind }: StreamState) => {
      if (kind !== 'waiting') return;
      // At once: chance may have made the wait as short as nothing.
      seen.subscription.unsubscribe();
      connections = proxy.connections;
    };
    const { client } = clientFor(proxy.url, { transport, resume: { firstDelayMs: 60, longestDelayMs: 60, onState } });
    const run = await begin();
    proxy.setDown(true);
    const seen = watch(client, run.id);
    await waitFor(() => connections > 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(proxy.connections).toBe(connections);
    expect(seen.errors).toEqual([]);
  });

  it('gives up where it may try only so often', async () => {
    const { client, waits } = clientFor(proxy.url, { transport, resume: { lostAttempts: 3 } });
    const run = await begin();
    proxy.setDown(true);
    const seen = watch(client, run.id);
    await waitFor(() => seen.errors.length > 0);
    expect(waits()).toHaveLength(3);
  });
});

describe('the streams beside those of runs', () => {
  it('go on where they were cut off as well', async () => {
    const { client, waits } = clientFor(proxy.url, { transport: 'websocket' });
    const seen: number[] = [];
    const changes = client.subscribe({ query: TrainingRunChangedDocument, variables: { after: 0 } });
    const subscription = changes.subscribe(({ data }) => void seen.push(data?.trainingRunChanged.seq ?? Number.NaN));
    const before = await lastSeqOf(api.app.store.db, RUNS_TOPIC);
    await waitFor(() => seen.length === before);
    for (const count of upTo(4)) {
      proxy.setDown(true);
      await begin();
      await waitFor(() => waits().length > 0);
      proxy.setDown(false);
      // It is queued, and it runs.
      await waitFor(() => seen.length === before + 2 * count);
    }
    subscription.unsubscribe();
    expect(seen).toEqual(upTo(before + 8));
  });
});

describe('a server that is as full as it may be', () => {
  it.each(['sse', 'multipart'] as const)('is left alone for as long as it asks for over %s', async (transport) => {
    await using full = await startTestApi({ MAX_SOCKETS: '1' });
    const run = await WrittenRun.begin(full.app.store.db);
    const first = watch(clientFor(full.url, { transport }).client, run.id);
    await waitFor(() => first.events.length === 2);
    const { client, waits } = clientFor(full.url, { transport });
    const second = watch(client, run.id);
    const [wait] = await waitFor(() => waits().length > 0 && waits());
    expect(wait?.delayMs).toBeGreaterThanOrEqual(5_000);
    expect(second.errors).toEqual([]);
    second.subscription.unsubscribe();
    first.subscription.unsubscribe();
  });
});

describe.each(transports)('a stream with a key over %s', (transport) => {
  it('ends for good when the key is revoked', async () => {
    await using locked = await startTestApi();
    const key = async (client: ReturnType<typeof clientFor>['client'], scope: string) => {
      const mutation = gql`mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id } } }`;
      const { data } = await client.mutate<{ createApiKey: { key: string; apiKey: { id: string } } }>({
        mutation,
        variables: { input: { name: scope, scopes: [scope] } },
      });
      if (data === undefined) throw new Error('No key was made');
      return { secret: data.createApiKey.key, id: data.createApiKey.apiKey.id };
    };
    const admin = await key(clientFor(locked.url, { transport }).client, 'ADMIN');
    const { client: administrator } = clientFor(locked.url, { transport, apiKey: admin.secret });
    const reader = await key(administrator, 'READ');
    const run = await WrittenRun.begin(locked.app.store.db);

    const { client, waits } = clientFor(locked.url, { transport, apiKey: reader.secret });
    const seen = watch(client, run.id);
    await waitFor(() => seen.events.length === 2);
    const mutation = gql`mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } } }`;
    await administrator.mutate({ mutation, variables: { id: reader.id } });
    await waitFor(() => seen.errors.length > 0);
    expect(waits()).toEqual([]);

    const stranger = clientFor(locked.url, { transport });
    const refused = watch(stranger.client, run.id);
    await waitFor(() => refused.errors.length > 0);
    expect(stranger.waits()).toEqual([]);
  });
});

describe('a subscription that names no place', () => {
  it('goes through unchanged, and its loss is told', async () => {
    const { client } = clientFor(proxy.url, { transport: 'websocket' });
    const run = await begin();
    const errors: unknown[] = [];
    let count = 0;
    const query = gql`subscription ($run: ID!) { trainingProgress(run: $run, after: 0) { seq } }`;
    client.subscribe({ query, variables: { run: run.id } }).subscribe({
      next: ({ error }) => {
        count += 1;
        if (error !== undefined) errors.push(error);
      },
    });
    await waitFor(() => count === 2);
    proxy.cut();
    await waitFor(() => errors.length > 0);
  });

  it('or that does not ask for seq cannot be resumed, and its loss is told', async () => {
    const { client, waits } = clientFor(proxy.url, { transport: 'websocket' });
    const run = await begin();
    const query = gql`subscription ($run: ID!, $after: Int) { trainingProgress(run: $run, after: $after) { at } }`;
    const errors: unknown[] = [];
    let count = 0;
    client.subscribe({ query, variables: { run: run.id } }).subscribe({
      next: ({ error }) => {
        count += 1;
        if (error !== undefined) errors.push(error);
      },
    });
    await waitFor(() => count === 2);
    proxy.cut();
    await waitFor(() => errors.length > 0);
    expect(waits()).toEqual([]);
  });
});

function codesIn(error: unknown): unknown[] {
  return errorsIn(error).map(({ extensions }) => extensions?.['code']);
}
