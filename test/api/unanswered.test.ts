/** A server that dies between doing and answering: whoever asks again with the same Idempotency-Key gets what was done. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isNull, sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { localId } from '../../src/core/global-id.ts';
import { plainLatent } from '../../src/core/latents.ts';
import { decodeRecipe, encodeRecipe } from '../../src/core/recipe.ts';
import { idempotencyKeys } from '../../src/store/tables.ts';
import { operation, startTestApi, type TestApi, tinyRun, writeColours } from '../helpers/api.ts';
import { testDatabase } from '../helpers/database.ts';
import { Processes, ready } from '../helpers/process.ts';
import { holdAnswers, isHoldingAnswer, letAnswersGo, withoutAnswers } from '../helpers/stuck-answers.ts';
import { answerOf, http, post, type Told, type Visitor } from '../helpers/transports.ts';
import { waitFor } from '../helpers/wait-for.ts';

const MAKE = `mutation Make($name: String!, $scopes: [Scope!]!) {
  createApiKey(input: { name: $name, scopes: $scopes }) { key apiKey { id } userErrors { code } }
}`;
const COUNTS = `{
  trainingRuns { totalCount } datasets { totalCount } models { totalCount } generatedImages { totalCount } apiKeys { totalCount }
}`;
const SLOW = { timeout: 240_000 };
const KIND = 'application/graphql-response+json';

const processes = new Processes();
afterEach(() => processes.kill());

const input = { ...tinyRun, steps: 1_000_000, name: 'wished for' };

interface Wish {
  readonly query: string;
  readonly variables: object;
}

async function wish(visitor: Visitor, { query, variables }: Wish, key: string, signal?: AbortSignal) {
  const options = { headers: { 'idempotency-key': key }, signal };
  const response = await post(visitor, { query, variables: { ...variables } }, KIND, options);
  const retryAfter = response.headers.get('retry-after');
  return { status: response.status, retryAfter, told: (await response.json()) as Told };
}

describe('a server that is killed (-9) when a run is queued and the answer not yet written', () => {
  it('has queued it once, whoever asks again', SLOW, async () => {
    await using database = await testDatabase();
    const folder = join(database.options.dataDir, 'collections', 'colours');
    await writeColours(folder, 4);
    const first = processes.start(database);
    const imported = { query: operation('import-dataset'), variables: { name: 'Colours', path: folder } };
    await answerOf(http, { url: await ready(first) }, imported);
    first.child.kill('SIGTERM');
    await first.ended;

    await holdAnswers(database);
    const key = randomUUID();
    const asked = { query: operation('start-training'), variables: { input } };
    const second = processes.start(database);
    const unanswered = wish({ url: await ready(second) }, asked, key).catch((error: unknown) => error);
    await waitFor(() => isHoldingAnswer(database), 120_000);
    second.child.kill('SIGKILL');
    expect(await unanswered).toBeInstanceOf(Error);
    await second.ended;
    await letAnswersGo(database);

    const third = processes.start(database);
    const url = await ready(third);
    const runs = async () => (await answerOf(http, { url }, { query: '{ trainingRuns { nodes { id name } } }' })).data;
    const before = await runs();
    expect(before.trainingRuns.nodes).toMatchObject([{ name: 'wished for' }]);
    // The dead one is waited for, for a while.
    const answer = await waitFor(async () => {
      const { status, told } = await wish({ url }, asked, key);
      if (status !== 409) return told;
      expect(told).toMatchObject({ errors: [{ extensions: { code: 'IDEMPOTENCY_KEY_IN_USE', retryable: true } }] });
      return undefined;
    }, 120_000);
    expect(answer.data.startTraining).toMatchObject({ run: { id: before.trainingRuns.nodes[0].id }, userErrors: [] });
    expect(await runs()).toEqual(before);
    third.child.kill('SIGTERM');
    await third.ended;
  });
});

describe('what was done and never answered', () => {
  let api: TestApi;
  let admin: Visitor;
  let checkpoint: string;
  let pictures: string[];

  beforeAll(async () => {
    api = await startTestApi();
    await api.importColours(4);
    const id = await api.train({ steps: 6, config: { ...tinyRun.config, keepCheckpoints: 10 } });
    const [folder = ''] = await readdir(join(api.dataDir, 'runs'));
    const checkpoints = join(api.dataDir, 'runs', folder, 'checkpoints');
    const second = (await readdir(checkpoints)).find((name) => name.endsWith('4')) ?? '';
    await cp(join(checkpoints, second), join(api.collections, 'checkpoint'), { recursive: true });
    const { trainingRun } = await api.run('training-run', { id });
    checkpoint = trainingRun.checkpoints.find(({ step }: { step: number }) => step === 2).id;
    pictures = (await api.run('generate', { label: 'warm', n: 2 })).generate.map(({ id: one }: { id: string }) => one);
    const { createApiKey } = await api.data(MAKE, { name: 'admin', scopes: ['ADMIN'] });
    admin = { url: api.url, key: createApiKey.key };
  });
  afterAll(() => api?.[Symbol.asyncDispose]());

  const counts = async () => (await answerOf(http, admin, { query: COUNTS })).data;
  const wishes: readonly (readonly [name: string, query: string, variables: () => object])[] = [
    ['a run', operation('start-training'), () => ({ input })],
    ['a dataset', operation('import-dataset'), () => ({ name: 'Again', path: 'Colours' })],
    ['a model of a checkpoint', operation('create-model'), () => ({ checkpoint })],
    ['a model from elsewhere', operation('import-model'), () => ({ path: 'checkpoint' })],
    ['kept pictures', operation('keep-images'), () => ({ images: pictures })],
  ];

  /** Asks in vain, as whoever asks a server that dies; then as if the time for which it is waited for were up. */
  async function inVain(asked: Wish, key: string): Promise<void> {
    const { status, told } = await withoutAnswers(api.app.store.db, () => wish(admin, asked, key));
    expect([status, told.errors?.[0]?.extensions.code]).toEqual([500, 'INTERNAL_SERVER_ERROR']);
    expect(await wish(admin, asked, key)).toMatchObject({ status: 409, retryAfter: '1' });
    await api.app.store.db.execute(sql`update idempotency_keys set held_until = now() - interval '1 second'`);
  }

  it.each(wishes)('is not done twice: %s', async (_what, query, variables) => {
    const before = await counts();
    const key = randomUUID();
    const asked = { query, variables: variables() };
    await inVain(asked, key);
    const done = await counts();
    expect(done).not.toEqual(before);
    const { status, told } = await wish(admin, asked, key);
    expect([status, JSON.stringify(told.data)]).toEqual([200, expect.stringContaining('"userErrors":[]')]);
    expect(await counts()).toEqual(done);
  });

  it('is told where it cannot be shown again: an API key', async () => {
    const key = randomUUID();
    const asked = { query: MAKE, variables: { name: 'lost', scopes: ['READ'] } };
    await inVain(asked, key);
    const done = await counts();
    const { told } = await wish(admin, asked, key);
    expect(told.data.createApiKey).toMatchObject({ key: null, userErrors: [{ code: 'CONFLICT' }] });
    expect(await counts()).toEqual(done);
  });

  it('is done also where its client has left meanwhile, and is there when it comes back', async () => {
    // Nobody has asked for these yet: they are painted first.
    const recipe = decodeRecipe(localId(pictures[0] ?? '', 'GeneratedImage'));
    if (recipe === undefined) throw new Error('It is no picture');
    const images = Array.from({ length: 64 }, (_, i) => {
      const source = { kind: 'latent', latent: plainLatent(1_000 + i), truncation: 1 } as const;
      return encodeRecipe({ ...recipe, source });
    });
    const before = await counts();
    const asked = { query: operation('keep-images'), variables: { images } };
    const key = randomUUID();
    await whileEngineSleeps(async () => {
      const left = new AbortController();
      const gone = wish(admin, asked, key, left.signal).catch((error: unknown) => error);
      const unanswered = () => api.app.store.db.select().from(idempotencyKeys).where(isNull(idempotencyKeys.answer));
      await waitFor(async () => (await unanswered()).length > 0);
      left.abort();
      expect(await gone).toBeInstanceOf(Error);
      expect(await wish(admin, asked, key)).toMatchObject({ status: 409, retryAfter: '1' });
    });
    await waitFor(async () => (await counts()).generatedImages.totalCount === before.generatedImages.totalCount + 64);
    const again = await waitFor(async () => {
      const { status, told } = await wish(admin, asked, key);
      return status !== 409 && told;
    });
    expect(again.data.keepImages).toMatchObject({ userErrors: [] });
    expect(again.data.keepImages.images).toHaveLength(64);
  });
});

/** Nothing is painted meanwhile. */
async function whileEngineSleeps(work: () => Promise<void>): Promise<void> {
  const engine = engineOf(process.pid);
  process.kill(engine, 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(engine, 'SIGCONT');
  }
}

/** The child that paints for the server in this process. */
function engineOf(parent: number): number {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const found = lines.map((line) => /^\s*(\d+)\s+(\d+)\s.*main\.\w+ generator/.exec(line));
  const pid = found.find((one) => Number(one?.[2]) === parent)?.[1];
  if (pid === undefined) throw new Error('There is no engine');
  return Number(pid);
}
