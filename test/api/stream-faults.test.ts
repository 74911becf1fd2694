/**
 * Two faults of the usual way to fan out, a buffer in memory for each who watches: a burst, or a client that does not read,
 * overflows it and ends the process; and one buffer that is shared by two gives the one what is the other's.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppOptions } from '../../src/app.ts';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { rawSocket } from '../helpers/raw-socket.ts';
import { allOf, answerOf, STREAMING, type Told, webSocket } from '../helpers/transports.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { WrittenRun } from '../helpers/written-run.ts';

const WATCH = 'subscription ($run: ID!) { trainingProgress(run: $run) { seq run { id } } }';
const MAKE = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }';
const BURST = 2_000;
/** Nobody is sent away here, however slow the machine is. */
const TIMES: NonNullable<AppOptions['times']> = {
  request: {
    headersTimeout: 60_000,
    requestTimeout: 60_000,
    keepAliveTimeout: 60_000,
    connectionsCheckingInterval: 30_000,
  },
  sockets: { pingMs: 10_000, stalledMs: 600_000, closeMs: 5_000 },
  streams: { heartbeatMs: 10_000, stalledMs: 600_000 },
};
/** In every event of the client that stalls: together they are several times what the kernels hold for it. */
const LONG_NAME = 'x'.repeat(16_384);
const upTo = (end: number) => Array.from({ length: end }, (_, i) => i + 1);
const seqs = (all: readonly Told[]) => all.map(({ data }) => data.trainingProgress.seq);

let api: TestApi;
let admin: string;
beforeAll(async () => {
  api = await startTestApi({}, { times: TIMES });
  admin = (await api.data(MAKE, { input: { name: 'admin', scopes: ['ADMIN'] } })).createApiKey.key;
});
afterAll(() => api?.[Symbol.asyncDispose]());

async function keyFor(name: string): Promise<string> {
  const variables = { input: { name, scopes: ['READ'] } };
  return (await answerOf(webSocket, { url: api.url, key: admin }, { query: MAKE, variables })).data.createApiKey.key;
}

async function gauge(name: string): Promise<number> {
  const response = await fetch(`${api.url}/metrics`, { headers: { authorization: `Bearer ${admin}` } });
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await response.text())?.[1]);
}

it('a burst and a client that does not read: the server lives, and both get every event', {
  timeout: 180_000,
}, async () => {
  const run = await WrittenRun.begin(api.app.store.db);
  const asked = { query: WATCH, variables: { run: run.id } };
  const long = { ...asked, query: WATCH.replace('trainingProgress', `${LONG_NAME}: trainingProgress`) };
  using stalled = await (await rawSocket(api.url)).init({ apiKey: admin });
  stalled.send({ id: 'stalled', type: 'subscribe', payload: long });
  await stalled.heard(({ type }) => type === 'next');
  stalled.socket.pause();
  const reading = Promise.all(STREAMING.map((transport) => allOf(transport, { url: api.url, key: admin }, asked)));
  await waitFor(async () => (await gauge('artgan_streams')) === 1 + STREAMING.length);
  const before = await gauge('artgan_stream_deliveries_total');
  await run.write(BURST);
  await run.finish();
  const end = BURST + 3;
  for (const all of await reading) expect(seqs(all)).toEqual(upTo(end));
  // Nothing is kept for it: beyond what the kernels took, nothing was even made. It has its place in the log.
  expect(await gauge('artgan_streams')).toBe(1);
  const ofOthers = STREAMING.length * (BURST + 1);
  expect((await gauge('artgan_stream_deliveries_total')) - before - ofOthers).toBeLessThan(BURST / 2);
  stalled.socket.resume();
  await stalled.heard(({ type }) => type === 'complete');
  const told = stalled.messages.filter(({ type }) => type === 'next').map(({ payload }) => payload.data[LONG_NAME].seq);
  expect(told).toEqual(upTo(end));
  expect(await gauge('artgan_streams')).toBe(0);
  expect(await gauge('artgan_channels')).toBe(0);
});

describe('two who watch at the same time', () => {
  it('share what is the same for both, and nothing else', async () => {
    const { db } = api.app.store;
    const runs = [await WrittenRun.begin(db), await WrittenRun.begin(db)];
    const keys = [await keyFor('alice'), await keyFor('bob')];
    // Each watches the run of each, twice, and says by the alias who asked.
    const watching = keys.flatMap((key, who) =>
      runs.flatMap((run) =>
        [0, 1].map(async (twin) => {
          const query = WATCH.replace('trainingProgress', `who${who}: trainingProgress`);
          const all = await allOf(
            STREAMING[twin] ?? webSocket,
            { url: api.url, key },
            { query, variables: { run: run.id } },
          );
          return { run, who, all };
        }),
      ),
    );
    await waitFor(async () => (await gauge('artgan_streams')) === watching.length);
    // Twins share; another key, or another run, is another question.
    expect(await gauge('artgan_channels')).toBe(4);
    await Promise.all(runs.map((run) => run.write(50)));
    for (const run of runs) await run.finish();
    for (const { run, who, all } of await Promise.all(watching)) {
      expect(all.map(({ data }) => data)).toEqual(
        upTo(53).map((seq) => ({ [`who${who}`]: { seq, run: { id: run.id } } })),
      );
    }
  });

  it('share by who they are, though their documents are the same', async () => {
    const [first, second] = [await keyFor('first'), await keyFor('second')];
    const run = await WrittenRun.begin(api.app.store.db);
    const asked = { query: WATCH, variables: { run: run.id } };
    const visitors = [first, first, second].map((key) => ({ url: api.url, key }));
    const watching = Promise.all(visitors.map((visitor) => allOf(webSocket, visitor, asked)));
    await waitFor(async () => (await gauge('artgan_streams')) === 3);
    expect(await gauge('artgan_channels')).toBe(2);
    await run.finish();
    for (const all of await watching) expect(seqs(all)).toEqual(upTo(3));
  });
});
