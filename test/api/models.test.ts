/** Models that leave the house and come in: exports for browsers and for TensorFlow, imports, models of checkpoints. */
import { readFileSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainLatent } from '../../src/core/latents.ts';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { openBrowser } from '../helpers/browser.ts';
import { bytesOf, hash } from '../helpers/fetched.ts';

let api: TestApi;
let model: string;
let runFolder: string;

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours();
  const run = await api.train();
  const { trainingRun } = await api.run('training-run', { id: run });
  model = trainingRun.model.id;
  const [id = ''] = await readdir(join(api.dataDir, 'runs'));
  runFolder = join(api.dataDir, 'runs', id);
});
afterAll(() => api?.[Symbol.asyncDispose]());

interface File {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}
async function exported(format: string): Promise<{ url: string; files: File[] }> {
  const { exportModel } = await api.run('export-model', { model, format });
  expect(exportModel.userErrors).toEqual([]);
  return exportModel.export;
}
/** What the server itself paints, as pixels. */
async function painted(seed: number, label: string): Promise<Buffer> {
  const { generate } = await api.run('generate', { label, n: 1, seed, model });
  return sharp(await bytesOf(generate[0].url))
    .raw()
    .toBuffer();
}

describe('exportModel', () => {
  it.each(['TFJS', 'SAVED_MODEL', 'ARTGAN'])('gives %s files that are what it says they are', async (format) => {
    const { url, files } = await exported(format);
    for (const { name, bytes, sha256 } of files) {
      const body = await bytesOf(url.replace(/[^/]+$/, name));
      expect([body.length, hash(body)]).toEqual([bytes, sha256]);
    }
    expect(await exported(format)).toEqual({ url, files });
  });

  it('refuses what it does not know, and serves nothing else', async () => {
    const { exportModel } = await api.run('export-model', { model: 'none', format: 'TFJS' });
    expect(exportModel).toMatchObject({ export: null, userErrors: [{ code: 'UNKNOWN_MODEL' }] });
    const { url } = await exported('TFJS');
    for (const other of ['none.json', '..%2f..%2frun.json', '.hidden'])
      expect((await fetch(url.replace(/[^/]+$/, other))).status).toBe(404);
  });

  it('makes a model that TensorFlow loads by itself, with the same pictures', async () => {
    const { url, files } = await exported('SAVED_MODEL');
    const folder = join(api.dataDir, 'saved-model');
    await mkdir(folder);
    for (const { name } of files) await writeFile(join(folder, name), await bytesOf(url.replace(/[^/]+$/, name)));
    const { tf } = await import('../../src/engine/tensorflow.ts');
    const { latentOf } = await import('../../src/engine/child/paint.ts');
    // biome-ignore lint/suspicious/noExplicitAny: tfjs-node's own loader, which the engine does not use
    const saved = await (tf as any).node.loadSavedModel(folder);
    const about = JSON.parse(readFileSync(join(folder, 'artgan.json'), 'utf8'));
    const asked = about.kinds.map((kind: string) => (kind === 'style' ? about.labels.style.indexOf('warm') : -1));
    const inputs = {
      z: tf.tensor2d(latentOf(plainLatent(3), 1, 128), [1, 128]),
      asked: tf.tensor2d([asked], [1, 3], 'int32'),
    };
    const { pixels } = saved.predict(inputs);
    expect(pixels.shape).toEqual([1, 32, 32, 3]);
    expect(Buffer.compare(Buffer.from(pixels.dataSync()), await painted(3, 'warm'))).toBe(0);
  });

  it('makes a model that a browser runs: the same picture within 2 of 255', async () => {
    const { url } = await exported('TFJS');
    await using server = await pageServer();
    const browser = await openBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(server.url);
      const { latentOf } = await import('../../src/engine/child/paint.ts');
      const seeds = [3, 4, 5];
      const latents = seeds.map((seed) => [...latentOf(plainLatent(seed), 1, 128)]);
      const answer = await page.evaluate(paintInPage, { url, latents, style: 'warm' });
      expect(answer.kinds).toEqual(['artist', 'style', 'genre']);
      const size = 32 * 32 * 3;
      expect(answer.pixels).toHaveLength(seeds.length * size);
      for (const [i, seed] of seeds.entries()) {
        const ours = await painted(seed, 'warm');
        const differences = answer.pixels
          .slice(i * size, (i + 1) * size)
          .map((v, at) => Math.abs(v - (ours[at] ?? -9)));
        expect(Math.max(...differences)).toBeLessThanOrEqual(2);
      }
    } finally {
      await browser.close();
    }
  });
});

describe('importModel', () => {
  const importFrom = async (folder: string, name?: string) =>
    (await api.run('import-model', { path: folder, name })).importModel;

  it('takes in what another server has exported, once', async () => {
    const { url, files } = await exported('ARTGAN');
    const folder = join(api.collections, 'theirs');
    await mkdir(folder);
    for (const { name } of files) await writeFile(join(folder, name), await bytesOf(url.replace(/[^/]+$/, name)));
    const same = await importFrom(folder);
    expect(same).toMatchObject({ model: { id: model }, userErrors: [] });
  });

  it('takes in a checkpoint, which paints; a model of it is the same one', async () => {
    const folder = join(api.collections, 'checkpoint');
    const [first = ''] = await readdir(join(runFolder, 'checkpoints'));
    await cp(join(runFolder, 'checkpoints', first), folder, { recursive: true });
    const { model: taken, userErrors } = await importFrom('checkpoint', 'Half way');
    expect(userErrors).toEqual([]);
    expect(taken).toMatchObject({ name: 'Half way', resolution: 32 });
    const { generate } = await api.run('generate', { label: 'warm', n: 2, seed: 1, model: taken.id });
    expect(new Set(generate.map(({ sha256 }: { sha256: string }) => sha256)).size).toBe(2);

    const { trainingRun } = await api.run('training-run', {
      id: (await api.run('training-runs')).trainingRuns.nodes[0].id,
    });
    const { createModel } = await api.run('create-model', { checkpoint: trainingRun.checkpoints[0].id });
    expect(createModel.model.id).toBe(taken.id);
  });

  it('refuses what is damaged, is no model, or lies elsewhere, and leaves nothing behind', async () => {
    const before = await readdir(join(api.dataDir, 'models'));
    const damaged = join(api.collections, 'damaged');
    await cp(join(runFolder, 'model'), damaged, { recursive: true });
    const weights = await readFile(join(damaged, 'generator.safetensors'));
    weights[weights.length - 1] = (weights.at(-1) ?? 0) ^ 1;
    await writeFile(join(damaged, 'generator.safetensors'), weights);
    expect(await importFrom(damaged)).toMatchObject({ model: null, userErrors: [{ code: 'DAMAGED_FILE' }] });
    expect(await importFrom('Colours')).toMatchObject({ model: null, userErrors: [{ code: 'DAMAGED_FILE' }] });
    expect(await importFrom('/etc')).toMatchObject({ model: null, userErrors: [{ code: 'PATH_NOT_ALLOWED' }] });
    expect(await readdir(join(api.dataDir, 'models'))).toEqual(before);
  });
});

/** A page on a port of its own, with TensorFlow.js and nothing of ours. */
async function pageServer(): Promise<{ url: string } & AsyncDisposable> {
  const script = createRequire(import.meta.url).resolve('@tensorflow/tfjs/dist/tf.min.js');
  const server: Server = createServer((request, response) => {
    if (request.url === '/tf.min.js') response.end(readFileSync(script));
    else response.setHeader('content-type', 'text/html').end('<script src="/tf.min.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

interface PageRequest {
  readonly url: string;
  readonly latents: number[][];
  readonly style: string;
}

/** Runs inside the page: what a web developer writes. */
async function paintInPage({ url, latents, style }: PageRequest): Promise<{ kinds: string[]; pixels: number[] }> {
  // biome-ignore lint/suspicious/noExplicitAny: the page's global, without types
  const { tf } = globalThis as any;
  await tf.setBackend('cpu');
  const model = await tf.loadGraphModel(url);
  const { kinds, labels } = model.metadata;
  const asked = kinds.map((kind: string) => (kind === 'style' ? labels.style.indexOf(style) : -1));
  const inputs = {
    z: tf.tensor2d(latents),
    asked: tf.tensor2d(
      latents.map(() => asked),
      [latents.length, kinds.length],
      'int32',
    ),
  };
  return { kinds, pixels: [...(await model.execute(inputs).data())] };
}
