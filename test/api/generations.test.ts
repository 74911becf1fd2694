/** Jobs of many pictures: the ones that generate gives, each once, with a stream, a list and a ZIP. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localId } from '../../src/core/global-id.ts';
import { operation, startTestApi, type TestApi } from '../helpers/api.ts';
import { bytesOf, hash } from '../helpers/fetched.ts';
import { unzip } from '../helpers/unzip.ts';
import { waitFor } from '../helpers/wait-for.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours();
  await api.train();
});
afterAll(() => api?.[Symbol.asyncDispose]());

interface Image {
  readonly id: string;
  readonly seed: number;
  readonly sha256: string;
  readonly url: string;
}

async function create(input: object): Promise<{ id: string; status: string; n: number; seed: number }> {
  const { createGeneration } = await api.run('create-generation', { input });
  expect(createGeneration.userErrors).toEqual([]);
  return createGeneration.generation;
}
async function progress(generation: string, variables: object = {}) {
  const told = await api.stream(operation('generation-progress'), { generation, ...variables });
  return told.map(({ data }) => data.generationProgress);
}
const filesOf = (id: string) => join(api.dataDir, 'generations', localId(id, 'Generation'));

describe('a job', () => {
  const input = { label: 'warm', n: 200, seed: 1_000, truncation: 0.9, name: 'Two hundred' };

  it('paints the pictures that generate gives, tells of it, and packs them', async () => {
    const { id } = await create(input);
    const told = await progress(id);
    expect(told.map(({ seq }) => seq)).toEqual(told.map((_entry, i) => i + 1));
    expect(told.map(({ status, done }) => [status, done])).toEqual([
      ['QUEUED', 0],
      ['RUNNING', 0],
      ['RUNNING', 64],
      ['RUNNING', 128],
      ['RUNNING', 192],
      ['COMPLETED', 200],
    ]);
    expect(await progress(id, { after: 3 })).toEqual(told.slice(3));

    const { generation: job } = await api.run('generation', { id, first: 100 });
    expect(job).toMatchObject({
      name: 'Two hundred',
      status: 'COMPLETED',
      n: 200,
      done: 200,
      progress: 1,
      error: null,
    });
    const { generation: rest } = await api.run('generation', { id, first: 100, after: job.images.pageInfo.endCursor });
    const images: Image[] = [...job.images.nodes, ...rest.images.nodes];
    expect(images.map(({ seed }) => seed)).toEqual(Array.from({ length: 200 }, (_, i) => 1_000 + i));
    const [alone] = (await api.run('generate', { label: 'warm', n: 1, seed: 1_130, truncation: 0.9 })).generate;
    expect(images[130]).toMatchObject({ id: alone.id, sha256: alone.sha256, url: alone.url });

    const zip = await fetch(job.zipUrl);
    expect(zip.headers.get('content-type')).toBe('application/zip');
    const files = await unzip(Buffer.from(await zip.arrayBuffer()));
    const lines = String(files.get('manifest.jsonl'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ id: recipe, sha256, seed }) => [recipe, sha256, seed])).toEqual(
      images.map(({ id: global, sha256, seed }) => [localId(global, 'GeneratedImage'), sha256, seed]),
    );
    for (const { file, sha256 } of lines) expect(hash(files.get(file) ?? Buffer.of())).toBe(sha256);
    expect(files.size).toBe(202);
    expect(JSON.parse(String(files.get('job.json')))).toMatchObject({
      n: 200,
      done: 200,
      truncation: 0.9,
      seed: 1_000,
    });
  });

  it('is listed, and pages of its pictures go both ways', async () => {
    const { id } = await create({ label: 'warm', n: 70, seed: 5 });
    await progress(id);
    const page =
      'images(first: $first, last: $last, after: $after, before: $before) { nodes { seed } edges { cursor } pageInfo { hasNextPage hasPreviousPage } totalCount }';
    const query = `query ($id: ID!, $first: Int, $last: Int, $after: String, $before: String) { node(id: $id) { ... on Generation { ${page} } } }`;
    const seeds = async (variables: object) => {
      const { images } = (await api.data(query, { id, ...variables })).node;
      return { ...images, seeds: images.nodes.map(({ seed }: Image) => seed) };
    };
    const first = await seeds({ first: 65 });
    expect(first).toMatchObject({ totalCount: 70, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    const after = first.edges.at(-1).cursor;
    expect(await seeds({ first: 10, after })).toMatchObject({
      seeds: [70, 71, 72, 73, 74],
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    });
    expect((await seeds({ first: null, last: 2, before: after })).seeds).toEqual([67, 68]);
    const { errors } = await api.ask(query, { id, first: 1, after: 'nonsense' });
    expect(errors[0]?.extensions.code).toBe('INVALID_INPUT');
    const { generations } = await api.data(
      '{ generations(where: { status: [COMPLETED] }) { nodes { id } totalCount } }',
    );
    expect(generations.nodes[0].id).toBe(id);
  });

  it('is one job for one key, and another request with that key is refused', async () => {
    const request = { label: 'cool', n: 3, idempotencyKey: 'museum-1' };
    const [one, two] = await Promise.all([create(request), create(request)]);
    expect(two?.id).toBe(one?.id);
    expect((await create(request)).seed).toBe(one?.seed);
    const { createGeneration } = await api.run('create-generation', { input: { ...request, n: 4 } });
    expect(createGeneration).toMatchObject({ generation: null, userErrors: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] });
  });

  it.each([
    [{ n: 0 }, 'INVALID_INPUT', ['input', 'n']],
    [{ n: 100_001 }, 'INVALID_INPUT', ['input', 'n']],
    [{ n: 1, label: 'wram' }, 'UNKNOWN_LABEL', ['label']],
    [{ n: 1, model: 'none' }, 'UNKNOWN_MODEL', ['model']],
    [{ n: 1, idempotencyKey: '' }, 'INVALID_INPUT', ['input', 'idempotencyKey']],
  ])('is refused with %j', async (mistake, code, path) => {
    const { createGeneration } = await api.run('create-generation', { input: { label: 'warm', ...mistake } });
    expect(createGeneration).toMatchObject({ generation: null, userErrors: [{ code, path }] });
  });

  it('ends where it is when it is cancelled, and its pictures stay until it is deleted', async () => {
    const { id } = await create({ label: 'warm', n: 100_000, seed: 9 });
    const remove =
      'mutation ($id: ID!) { deleteGeneration(input: { generation: $id }) { deletedId userErrors { code } } }';
    await waitFor(async () => (await api.run('generation', { id })).generation.done >= 64);
    expect((await api.data(remove, { id })).deleteGeneration.userErrors).toEqual([{ code: 'WRONG_STATE' }]);
    const { cancelGeneration } = await api.run('cancel-generation', { generation: id });
    expect(cancelGeneration.generation.status).toBe('CANCELLED');
    const told = await progress(id);
    expect(told.at(-1)).toMatchObject({ status: 'CANCELLED' });
    const { generation: job } = await api.run('generation', { id });
    expect(job.done).toBe(told.at(-1).done);
    expect((await unzip(await bytesOf(job.zipUrl))).size).toBe(job.done + 2);
    expect((await api.data(remove, { id })).deleteGeneration).toEqual({ deletedId: id, userErrors: [] });
    expect((await fetch(job.zipUrl)).status).toBe(404);
    await expect(readdir(filesOf(id))).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await api.data('query ($id: ID!) { node(id: $id) { id } }', { id })).node).toBeNull();
  });

  it('paints again what was damaged on the disk', async () => {
    const { id } = await create({ label: 'warm', n: 66, seed: 21 });
    await progress(id);
    const { generation: before } = await api.run('generation', { id, first: 100 });
    const path = join(filesOf(id), '000064.pack');
    const whole = await readFile(path);
    const broken = Buffer.from(whole);
    broken[100] = (broken[100] ?? 0) ^ 1;
    await writeFile(path, broken);
    expect((await api.run('generation', { id, first: 100 })).generation.images).toEqual(before.images);
    expect(await readFile(path)).toEqual(whole);
  });

  it('leaves others their turns', async () => {
    const { id } = await create({ label: 'warm', n: 100_000, seed: 1 });
    await waitFor(async () => (await api.run('generation', { id })).generation.done >= 64);
    const short = await create({ label: 'cool', n: 64, seed: 1 });
    await Promise.all([progress(short.id), api.run('generate', { label: 'cool', n: 8 })]);
    expect((await api.run('generation', { id })).generation).toMatchObject({ status: 'RUNNING' });
    await api.run('cancel-generation', { generation: id });
  });
});
