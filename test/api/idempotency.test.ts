/** Mutations that are asked for more than once with one Idempotency-Key: done once, answered alike, over every transport. */
import { randomUUID } from 'node:crypto';
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operation, startTestApi, type TestApi, tinyRun, withoutTable } from '../helpers/api.ts';
import {
  answerOf,
  http,
  multipart,
  post,
  type Told,
  type Visitor,
  webSocket,
  withoutRequestId,
} from '../helpers/transports.ts';

const MAKE = `mutation Make($name: String!, $scopes: [Scope!]!) {
  createApiKey(input: { name: $name, scopes: $scopes }) { key apiKey { id name } userErrors { code } }
}`;
const COUNTS = `{
  trainingRuns { totalCount } datasets { totalCount } models { totalCount } generatedImages { totalCount } apiKeys { totalCount }
}`;

const KIND = 'application/graphql-response+json';

let api: TestApi;
let admin: Visitor;
let run: {
  readonly checkpoints: readonly { readonly id: string; readonly step: number }[];
  readonly model: { readonly id: string };
};
let pictures: string[];

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours();
  const id = await api.train({ steps: 6, config: { ...tinyRun.config, keepCheckpoints: 10 } });
  const { createApiKey } = await api.data(MAKE, { name: 'admin', scopes: ['ADMIN'] });
  admin = { url: api.url, key: createApiKey.key };
  run = (await ask('training-run', { id })).data.trainingRun;
  // A checkpoint as it comes from elsewhere.
  const [folder = ''] = await readdir(join(api.dataDir, 'runs'));
  const checkpoints = join(api.dataDir, 'runs', folder, 'checkpoints');
  const second = (await readdir(checkpoints)).find((name) => name.endsWith('4')) ?? '';
  await cp(join(checkpoints, second), join(api.collections, 'checkpoint'), { recursive: true });
  const painted = await ask('generate', { label: 'warm', n: 2, seed: 3 });
  pictures = painted.data.generate.map(({ id: picture }: { id: string }) => picture);
});

afterAll(() => api?.[Symbol.asyncDispose]());

interface Answered extends Told {
  readonly status: number;
  readonly replayed: string | null;
}

/** Over HTTP. */
async function ask(name: string, variables: object, key?: string, visitor = admin): Promise<Answered> {
  const query = name === 'make' ? MAKE : name === 'counts' ? COUNTS : operation(name);
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  const response = await post(visitor, { query, variables: { ...variables } }, KIND, { headers });
  const replayed = response.headers.get('idempotency-replayed');
  return { ...((await response.json()) as Told), status: response.status, replayed };
}

const overSocket = (name: string, variables: object, idempotencyKey: unknown) =>
  answerOf(webSocket, admin, {
    query: name === 'make' ? MAKE : operation(name),
    variables: { ...variables },
    extensions: { idempotencyKey },
  });

async function counts(): Promise<Readonly<Record<string, number>>> {
  const { data } = await ask('counts', {});
  return Object.fromEntries(
    Object.entries<{ totalCount: number }>(data).map(([name, { totalCount }]) => [name, totalCount]),
  );
}

/** So many rows were made by the work, of each kind. */
async function made(work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  const before = await counts();
  await work();
  const after = await counts();
  return Object.fromEntries(
    Object.entries(after).flatMap(([name, n]) => (n === before[name] ? [] : [[name, n - (before[name] ?? 0)]])),
  );
}

interface Wish {
  readonly name: string;
  readonly variables: () => object;
  readonly other: () => object;
  readonly makes: Readonly<Record<string, number>>;
}

/** Steps that are never run to their end. */
const long = (name: string) => ({ input: { ...tinyRun, steps: 1_000_000, name } });
const wishes: readonly Wish[] = [
  { name: 'start-training', variables: () => long('one'), other: () => long('other'), makes: { trainingRuns: 1 } },
  {
    name: 'import-dataset',
    variables: () => ({ name: 'Again', path: 'Colours', layout: 'MANIFEST' }),
    other: () => ({ name: 'Again', path: 'Colours', layout: 'AUTO' }),
    makes: { datasets: 1 },
  },
  {
    name: 'create-model',
    variables: () => ({ checkpoint: run.checkpoints.find(({ step }) => step === 2)?.id, name: 'Early' }),
    other: () => ({ checkpoint: run.checkpoints[0]?.id, name: 'Other' }),
    makes: { models: 1 },
  },
  {
    name: 'import-model',
    variables: () => ({ path: 'checkpoint', name: 'Theirs' }),
    other: () => ({ path: 'checkpoint', name: 'Ours' }),
    makes: { models: 1 },
  },
  {
    name: 'export-model',
    variables: () => ({ model: run.model.id, format: 'ARTGAN' }),
    other: () => ({ model: run.model.id, format: 'TFJS' }),
    makes: {},
  },
  {
    name: 'keep-images',
    variables: () => ({ images: pictures }),
    other: () => ({ images: [] }),
    makes: { generatedImages: 2 },
  },
];

describe('a wish', () => {
  it.each(wishes)('to $name is fulfilled once, however often and by whatever way it is asked for', async (wish) => {
    const { name, variables, other, makes } = wish;
    const key = randomUUID();
    const rows = await made(async () => {
      const first = await ask(name, variables(), key);
      expect(first).toMatchObject({ status: 200, replayed: null });
      expect(JSON.stringify(first.data)).toContain('"userErrors":[]');
      const second = await ask(name, variables(), key);
      expect(second).toMatchObject({ status: 200, replayed: 'true' });
      expect(second.data).toEqual(first.data);
      expect((await overSocket(name, variables(), key)).data).toEqual(first.data);

      const message = expect.stringContaining('another request');
      const reused = { errors: [{ message, extensions: { code: 'IDEMPOTENCY_KEY_REUSED', retryable: false } }] };
      const refused = await ask(name, other(), key);
      expect(refused).toMatchObject({ ...reused, status: 422 });
      expect(await overSocket(name, other(), key)).toMatchObject(reused);
    });
    expect(rows).toEqual(makes);
  });

  it('for an API key is shown its key once', async () => {
    const key = randomUUID();
    const variables = { name: 'reader', scopes: ['READ'] };
    const rows = await made(async () => {
      const first = await overSocket('make', variables, key);
      expect(first.data.createApiKey.key).toMatch(/^artgan_/);
      const second = await ask('make', variables, key);
      expect(second).toMatchObject({
        replayed: 'true',
        data: { createApiKey: { ...first.data.createApiKey, key: null } },
      });
    });
    expect(rows).toEqual({ apiKeys: 1 });
  });

  it('asked for by many at once is fulfilled once: the others get its answer, or are told to wait', async () => {
    const key = randomUUID();
    const rows = await made(async () => {
      const asks = Array.from({ length: 6 }, (_, i) =>
        i % 2 === 0 ? ask('start-training', long('many'), key) : overSocket('start-training', long('many'), key),
      );
      const answers: Told[] = await Promise.all(asks);
      const ids = answers.flatMap(({ data }) => data?.startTraining.run.id ?? []);
      expect(new Set(ids).size).toBe(1);
      for (const { errors = [] } of answers)
        for (const { extensions } of errors)
          expect(extensions).toMatchObject({ code: 'IDEMPOTENCY_KEY_IN_USE', retryable: true, retryAfterMs: 1_000 });
    });
    expect(rows).toEqual({ trainingRuns: 1 });
  });

  it('of one viewer is none of another', async () => {
    const key = randomUUID();
    const { data } = await ask('make', { name: 'other', scopes: ['TRAIN', 'READ'] });
    const other = { url: api.url, key: data.createApiKey.key };
    const rows = await made(async () => {
      const ours = await ask('start-training', long('ours'), key);
      const theirs = await ask('start-training', long('ours'), key, other);
      expect(theirs.replayed).toBeNull();
      expect(theirs.data.startTraining.run.id).not.toBe(ours.data.startTraining.run.id);
    });
    expect(rows).toEqual({ trainingRuns: 2 });
  });

  it('may be for several things at once', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const one = 'startTraining(input: $input) { run { id } }';
    const query = `mutation ($input: StartTrainingInput!) { a: ${one} b: ${one} }`;
    const twice = async () => {
      const response = await post(admin, { query, variables: long('both') }, KIND, { headers });
      return ((await response.json()) as Told).data;
    };
    const rows = await made(async () => {
      const first = await twice();
      expect(first.a.run.id).not.toBe(first.b.run.id);
      expect(await twice()).toEqual(first);
    });
    expect(rows).toEqual({ trainingRuns: 2 });
  });

  it('is forgotten after a day: its key may be used for another one', async () => {
    const key = randomUUID();
    const rows = await made(async () => {
      await ask('start-training', long('yesterday'), key);
      await api.app.store.db.execute(sql`update idempotency_keys set created_at = now() - interval '25 hours'`);
      expect(await ask('start-training', long('today'), key)).toMatchObject({
        replayed: null,
        data: { startTraining: { run: { name: 'today' } } },
      });
    });
    expect(rows).toEqual({ trainingRuns: 2 });
  });
});

describe('what has failed', () => {
  it('by a mistake may be put right under the same key', async () => {
    const key = randomUUID();
    const wrong = { input: { ...tinyRun, dataset: 'colour' } };
    const refused = {
      data: { startTraining: { run: null, userErrors: [{ code: 'UNKNOWN_DATASET' }] } },
      replayed: null,
    };
    expect(await ask('start-training', wrong, key)).toMatchObject(refused);
    expect(await ask('start-training', wrong, key)).toMatchObject(refused);
    expect(await ask('start-training', long('right'), key)).toMatchObject({
      data: { startTraining: { userErrors: [] } },
    });
  });

  it('by a fault of the server is masked alike over HTTP and WebSocket, and may be asked for again', async () => {
    const key = randomUUID();
    for (const table of ['training_runs', 'idempotency_keys']) {
      const answers = await withoutTable(api, table, async () => [
        await ask('start-training', long(table), key),
        await overSocket('start-training', long(table), key),
      ]);
      for (const { errors } of answers)
        expect(errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: true } }]);
      const [overHttp, onSocket] = answers.map(({ errors = [] }) => withoutRequestId({ errors }));
      expect(onSocket).toEqual(overHttp);
    }
    expect(await ask('start-training', long('training_runs'), key)).toMatchObject({ status: 200, replayed: null });
  });
});

describe('a key', () => {
  it.each([' ', 'a b', 'x'.repeat(256), 'schlüssel', 5, {}])('of the form %j is refused', async (key) => {
    const refused = { errors: [{ extensions: { code: 'BAD_REQUEST', retryable: false } }] };
    expect(await overSocket('start-training', long('never'), key)).toMatchObject(refused);
    if (key !== 'a b' && key !== 'x'.repeat(256)) return;
    expect(await ask('start-training', long('never'), String(key))).toMatchObject({ ...refused, status: 400 });
  });

  it('changes nothing about a query', async () => {
    const key = randomUUID();
    const first = await ask('generate', { label: 'warm', n: 1 }, key);
    const second = await ask('generate', { label: 'warm', n: 1 }, key);
    expect(second.replayed).toBeNull();
    expect(second.data.generate[0].seed).not.toBe(first.data.generate[0].seed);
    for (const transport of [http, multipart])
      expect(await answerOf(transport, admin, { query: COUNTS })).toMatchObject({ data: {} });
  });
});
