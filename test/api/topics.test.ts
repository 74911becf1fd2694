/** The streams beside a run's own: pictures kept, runs that change, imports. They replay and follow like those of runs. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { operation, startTestApi, type TestApi, tinyRun, writeColours } from '../helpers/api.ts';
import { type TestDatabase, testDatabase } from '../helpers/database.ts';
import { ask, Processes, ready } from '../helpers/process.ts';
import { STREAMING, type Told, type Transport } from '../helpers/transports.ts';
import { WrittenRun } from '../helpers/written-run.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.importColours(4);
  await api.train();
});
afterAll(() => api?.[Symbol.asyncDispose]());

/** The first so many events of a stream that may never end. */
async function first(count: number, transport: Transport, name: string, variables: object = {}, url = api.url) {
  const all: Told[] = [];
  for await (const told of transport.results({ url }, { query: operation(name), variables: { ...variables } })) {
    all.push(told);
    if (all.length >= count) break;
  }
  return all.map(({ data }) => Object.values(data)[0] as Record<string, unknown>);
}

async function keep(seed: number): Promise<string> {
  const { generate } = await api.data(`{ generate(n: 1, seed: ${seed}) { id } }`);
  const { keepImages } = await api.run('keep-images', { images: [generate[0].id] });
  return keepImages.images[0].id;
}

const [socket, ...others] = STREAMING;
if (socket === undefined) throw new Error('There is no WebSocket');

describe('generatedImageAdded', () => {
  it('tells of each picture once, as it is kept, and of those before to whoever asks for them', async () => {
    const before = await keep(1);
    const live = Promise.all(STREAMING.map((transport) => first(2, transport, 'generated-image-added')));
    await expect.poll(() => streams()).toBe(STREAMING.length);
    const kept = [await keep(2), await keep(3)];
    // Kept already: nothing new.
    await keep(2);
    const ids = (events: readonly Record<string, unknown>[]) => events.map(({ image }) => (image as { id: string }).id);
    for (const events of await live) expect([ids(events), seqs(events)]).toEqual([kept, [2, 3]]);
    for (const transport of STREAMING) {
      expect(ids(await first(3, transport, 'generated-image-added', { after: 0 }))).toEqual([before, ...kept]);
      expect(seqs(await first(1, transport, 'generated-image-added', { after: 2 }))).toEqual([3]);
    }
    await expect.poll(() => streams()).toBe(0);
  });
});

describe('trainingRunChanged', () => {
  it('tells every change of every run', async () => {
    const live = first(5, socket, 'training-run-changed');
    await expect.poll(() => streams()).toBe(1);
    const one = await WrittenRun.begin(api.app.store.db);
    const two = await WrittenRun.begin(api.app.store.db);
    await one.finish();
    const told = (await live).map(({ status, run }) => [(run as { id: string }).id, status]);
    expect(told).toEqual([
      [one.id, 'QUEUED'],
      [one.id, 'RUNNING'],
      [two.id, 'QUEUED'],
      [two.id, 'RUNNING'],
      [one.id, 'COMPLETED'],
    ]);
    await two.finish();
    for (const transport of others) {
      const again = await first(5, transport, 'training-run-changed', { after: 3 });
      expect(seqs(again)).toEqual([4, 5, 6, 7, 8]);
    }
  });
});

describe('datasetImportProgress', () => {
  it('tells how far an import is, and ends with it; later the same again', async () => {
    await writeColours(join(api.collections, 'Many'), 60);
    const wish = { name: 'Many', path: 'Many', layout: 'MANIFEST' };
    await api.run('import-dataset', wish);
    for (const transport of STREAMING) {
      const all = await first(Number.POSITIVE_INFINITY, transport, 'dataset-import-progress', { dataset: 'many' });
      expect(seqs(all)).toEqual(all.map((_, i) => i + 1));
      expect(all[0]).toMatchObject({ status: 'IMPORTING', processed: 0 });
      expect(all.at(-1)).toMatchObject({ status: 'READY', total: 60, processed: 60, skipped: 0, error: null });
    }
    // Its states are never left out.
    const thin = { dataset: 'many', minIntervalMs: 3_600_000 };
    const few = await first(Number.POSITIVE_INFINITY, socket, 'dataset-import-progress', thin);
    expect(few.map(({ status }) => status)).toEqual(['IMPORTING', 'READY']);
    const unknown = await api.stream(operation('dataset-import-progress'), { dataset: 'none' });
    expect(unknown).toMatchObject([{ errors: [{ extensions: { code: 'NOT_FOUND' } }] }]);
  });
});

it('a place that no log has come to is told, instead of waited for', async () => {
  for (const name of ['generated-image-added', 'training-run-changed']) {
    for (const after of [-1, 1_000_000]) {
      const refused = await api.stream(operation(name), { after });
      expect(refused).toMatchObject([{ errors: [{ extensions: { code: 'INVALID_INPUT', path: ['after'] } }] }]);
    }
  }
});

describe('after the server was killed', () => {
  const processes = new Processes();
  let database: TestDatabase | undefined;
  afterEach(async () => {
    processes.kill();
    await database?.[Symbol.asyncDispose]();
  });

  it('another one goes on with the same numbers', async () => {
    database = await testDatabase();
    const folder = join(database.options.dataDir, 'collections', 'Colours');
    await writeColours(folder, 4);
    const killed = processes.start(database);
    const url = await ready(killed);
    await ask(url, 'import-dataset', { name: 'Colours', path: 'Colours', layout: 'MANIFEST' });
    await ask(url, 'start-training', { input: tinyRun });
    const before = await first(3, socket, 'training-run-changed', { after: 0 }, url);
    killed.child.kill('SIGKILL');
    await killed.ended;
    const next = await ready(processes.start(database));
    await ask(next, 'start-training', { input: tinyRun });
    const all = await first(6, socket, 'training-run-changed', { after: 0 }, next);
    expect(seqs(all)).toEqual([1, 2, 3, 4, 5, 6]);
    const told = (events: typeof all) => events.map(({ seq, at, status }) => ({ seq, at, status }));
    expect(told(all.slice(0, 3))).toEqual(told(before));
    expect(told(await first(3, socket, 'training-run-changed', { after: 3 }, next))).toEqual(told(all.slice(3)));
  });
});

const seqs = (events: readonly Record<string, unknown>[]) => events.map(({ seq }) => seq);

async function streams(): Promise<number> {
  const text = await (await fetch(`${api.url}/metrics`)).text();
  return Number(/^artgan_streams (\d+)$/m.exec(text)?.[1]);
}
