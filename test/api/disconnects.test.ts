/** Clients that are cut off at any moment, in the middle of a message too: who asks for what came after loses nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { FlakyProxy } from '../helpers/flaky-proxy.ts';
import { STREAMING, type Transport, type Visitor } from '../helpers/transports.ts';
import { WrittenRun } from '../helpers/written-run.ts';

const WATCH = `subscription ($run: ID!, $after: Int!) {
  trainingProgress(run: $run, after: $after) { seq ... on TrainingStateChanged { status } ... on TrainingMetrics { step } }
}`;
const EVENTS = 400;
/** 50 a second. */
const PAUSE_MS = 20;

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api?.[Symbol.asyncDispose]());

/** Watches to the end, however often the connection breaks, and keeps the numbers in the order in which they came. */
async function watchThrough(transport: Transport, visitor: Visitor, run: string): Promise<number[]> {
  const seqs: number[] = [];
  for (let isOver = false; !isOver; ) {
    const asked = { query: WATCH, variables: { run, after: seqs.at(-1) ?? 0 } };
    try {
      for await (const { data, errors } of transport.results(visitor, asked)) {
        if (errors !== undefined) throw new TypeError(JSON.stringify(errors));
        const { seq, status } = data.trainingProgress;
        seqs.push(seq);
        isOver = status === 'COMPLETED';
      }
    } catch (error) {
      // A line that was cut is thrown by each client in its own way; what the server has said is not.
      if (error instanceof TypeError && error.message.startsWith('[')) throw error;
    }
  }
  return seqs;
}

it('over every transport: nothing lost, nothing doubled, all in order', async () => {
  const run = await WrittenRun.begin(api.app.store.db);
  const proxies = await Promise.all(STREAMING.map(() => FlakyProxy.start(api.url)));
  const watching = STREAMING.map((transport, i) => {
    const proxy = proxies[i];
    if (proxy === undefined) throw new Error('A proxy for each');
    // The handshake and a few events; often less than one whole event.
    proxy.setWeather({ bytes: [300, 2_000] });
    return watchThrough(transport, { url: proxy.url }, run.id);
  });
  await run.write(EVENTS, PAUSE_MS);
  for (const proxy of proxies) expect(proxy.cuts).toBeGreaterThan(20);
  // So that the end of a run is not a matter of luck.
  for (const proxy of proxies) proxy.setWeather(undefined);
  await run.finish();
  const everything = Array.from({ length: EVENTS + 3 }, (_, i) => i + 1);
  for (const seqs of await Promise.all(watching)) expect(seqs).toEqual(everything);
  for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
});
