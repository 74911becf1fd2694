/** Pictures by their URLs: formats by the Accept header, what may be kept, what is not sent or painted again. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { thumbHashToAverageRGBA, thumbHashToRGBA } from 'thumbhash';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { Closers } from '../../src/core/closers.ts';
import { startTestApi, TestApi } from '../helpers/api.ts';
import { type TestDatabase, testDatabase } from '../helpers/database.ts';
import { hash } from '../helpers/fetched.ts';
import { recordingLog } from '../helpers/recording-log.ts';

let api: TestApi;
/** Of one generated picture, without an extension. */
let base: string;
let image: Image;

interface Image {
  readonly id: string;
  readonly url: string;
  readonly sha256: string;
}

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours();
  await api.train();
  image = await painted(41);
  base = image.url.replace(/\.png$/, '');
});
afterAll(() => api?.[Symbol.asyncDispose]());

async function painted(seed: number): Promise<Image> {
  const { generate } = await api.run('generate', { label: 'cool', n: 1, seed });
  return generate[0];
}

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
const pixelsOf = (bytes: Buffer) => sharp(bytes).removeAlpha().raw().toBuffer();

async function paintedSoFar({ url }: TestApi): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^artgan_pictures_painted (\d+)$/m.exec(metrics)?.[1]);
}

/** A server whose database and folders are there before it and after it. */
async function startOn({ options }: TestDatabase): Promise<TestApi> {
  await using parts = new Closers();
  const { dataDir, databaseUrl } = options;
  const settings = { PORT: '0', DEVICE: 'cpu', STARTER: 'off', DATA_DIR: dataDir, DATABASE_URL: databaseUrl };
  const config = readConfig({ ...settings, DATASET_ROOTS: join(dataDir, 'collections') });
  const log = recordingLog();
  const app = parts.use(await startApp({ config, log, starterModel: join(dataDir, 'no-model') }));
  await app.ready;
  return new TestApi(parts.move(), { app, config, log });
}

describe('the format of a picture', () => {
  // What browsers send: Chrome 126, Firefox 127, Safari 17 and 15, and what programs send.
  it.each([
    ['image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8', 'image/avif'],
    ['image/avif,image/webp,*/*', 'image/avif'],
    ['image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,*/*;q=0.5', 'image/webp'],
    ['image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5', 'image/png'],
    ['*/*', 'image/webp'],
    ['image/*', 'image/webp'],
    ['image/jpeg', 'image/jpeg'],
    ['image/jpeg;q=0.5, image/png;q=0.9', 'image/png'],
    ['image/webp;q=0, image/*;q=0.5', 'image/avif'],
    ['image/avif;q=0.2, image/webp;q=0.3, */*;q=0.1', 'image/webp'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'image/webp'],
    ['IMAGE/PNG', 'image/png'],
  ])('is the best for "%s"', async (accept, type) => {
    const response = await fetch(base, { headers: { accept } });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
    expect(response.headers.get('vary')).toBe('Origin, Accept');
    const { format } = await sharp(await bytesOf(response)).metadata();
    expect(`image/${format === 'heif' ? 'avif' : format}`).toBe(type);
  });

  it('is chosen by the server where the client does not say', async () => {
    const { negotiatedUrl } = (
      await api.data(`{ generate(label: "cool", seed: 41, n: 1) { negotiatedUrl(width: 16) } }`)
    ).generate[0];
    expect(negotiatedUrl).toBe(`${base}?w=16`);
    const response = await fetch(negotiatedUrl);
    expect(response.headers.get('content-type')).toBe('image/webp');
    expect(await sharp(await bytesOf(response)).metadata()).toMatchObject({ width: 16, height: 16 });
  });

  it('is refused in words where the client accepts none', async () => {
    for (const accept of ['image/gif', 'application/json', 'image/*;q=0']) {
      const response = await fetch(base, { headers: { accept } });
      expect([accept, response.status, response.headers.get('vary')]).toEqual([accept, 406, 'Origin, Accept']);
      expect(await response.json()).toMatchObject({ error: { code: 'NOT_ACCEPTABLE' } });
    }
  });

  it('is that of the extension, whatever the client accepts', async () => {
    const response = await fetch(`${base}.png`, { headers: { accept: 'image/webp' } });
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(response.headers.get('vary')).toBe('Origin');
    expect(hash(await bytesOf(response))).toBe(image.sha256);
  });
});

describe('a picture that is asked for again', () => {
  it('has the hash of its bytes as ETag, in every format, and may be kept for ever', async () => {
    const tags = new Set<string>();
    for (const name of ['.png', '.webp', '.jpg', '.jpeg', '.avif', '.png?w=64', '.webp?w=2048']) {
      const response = await fetch(`${base}${name}`);
      const body = await bytesOf(response);
      const etag = `"${hash(body)}"`;
      tags.add(etag);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        etag,
        'cache-control': 'public, max-age=31536000, immutable',
        'content-length': String(body.length),
        'x-content-type-options': 'nosniff',
      });
      const again = await bytesOf(await fetch(`${base}${name}`));
      expect(again.equals(body)).toBe(true);
    }
    // .jpg and .jpeg are the same.
    expect(tags.size).toBe(6);
  });

  it('is answered with 304 by its ETag, and by HEAD without a body', async () => {
    for (const name of ['.png', '.webp?w=48', '.avif']) {
      const full = await fetch(`${base}${name}`);
      const etag = full.headers.get('etag') ?? '';
      const { length } = await bytesOf(full);
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        for (const method of ['GET', 'HEAD']) {
          const response = await fetch(`${base}${name}`, { method, headers: { 'if-none-match': known } });
          expect([known, method, response.status]).toEqual([known, method, 304]);
          expect((await bytesOf(response)).length).toBe(0);
          expect(response.headers.get('etag')).toBe(etag);
          expect(response.headers.get('cache-control')).toMatch(/immutable/);
        }
      }
      const other = await fetch(`${base}${name}`, { headers: { 'if-none-match': '"other"' } });
      expect([other.status, (await bytesOf(other)).length]).toEqual([200, length]);
      const head = await fetch(`${base}${name}`, { method: 'HEAD' });
      expect([head.status, head.headers.get('etag'), head.headers.get('content-length')]).toEqual([
        200,
        etag,
        String(length),
      ]);
    }
  });

  it('is not painted again after a restart, neither for a HEAD', async () => {
    await using database = await testDatabase();
    const kept: { readonly path: string; readonly etag: string; readonly body: Buffer }[] = [];
    {
      await using first = await startOn(database);
      await first.importColours();
      await first.train();
      const { generate } = await first.run('generate', { label: 'warm', n: 1, seed: 1 });
      for (const query of ['', '?w=64']) {
        const response = await fetch(`${generate[0].url}${query}`);
        const path = response.url.slice(first.url.length);
        kept.push({ path, etag: response.headers.get('etag') ?? '', body: await bytesOf(response) });
      }
    }
    expect(await readdir(join(database.options.dataDir, 'cache'))).toHaveLength(2);
    await using again = await startOn(database);
    for (const { path, etag, body } of kept) {
      const known = await fetch(`${again.url}${path}`, { headers: { 'if-none-match': etag } });
      expect(known.status).toBe(304);
      const head = await fetch(`${again.url}${path}`, { method: 'HEAD' });
      expect([head.headers.get('etag'), head.headers.get('content-length')]).toEqual([etag, String(body.length)]);
      expect((await bytesOf(await fetch(`${again.url}${path}`))).equals(body)).toBe(true);
    }
    expect(await paintedSoFar(again)).toBe(0);
  });

  it('is made once for all who ask at the same time', async () => {
    const before = await paintedSoFar(api);
    const [seed, query] = [base.replace(/.*\//, ''), '.avif?w=96'];
    const fresh = Buffer.from(seed, 'base64url')
      .toString()
      .replace(/\b41\]/, '4100]');
    const address = `${api.url}/images/${Buffer.from(fresh).toString('base64url')}${query}`;
    const answers = await Promise.all(Array.from({ length: 30 }, () => fetch(address)));
    expect(new Set(answers.map(({ status, headers }) => `${status} ${headers.get('etag')}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    await Promise.all(answers.map(bytesOf));
    expect((await paintedSoFar(api)) - before).toBe(1);
  });

  it('may be asked for to be saved, under a name of ours', async () => {
    const { headers, body } = await fetch(`${base}.webp?w=64&download=1`);
    await body?.cancel();
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="picture-[0-9a-f]{12}\.webp"$/);
    const shown = await fetch(`${base}.webp?w=64&download=2`, { method: 'HEAD' });
    expect(shown.headers.get('content-disposition')).toBeNull();
  });

  it('is told apart from others of its kind: works and grids of training have their own', async () => {
    const { artworks, trainingRuns } = await api.data(`{
      artworks(first: 1) { nodes { url(format: WEBP, width: 32) } }
      trainingRuns(first: 1) { nodes { samples(first: 1) { nodes { url webp: url(format: WEBP) } } } }
    }`);
    const [sample] = trainingRuns.nodes[0].samples.nodes;
    const cached = [
      [artworks.nodes[0].url, 'public, max-age=300'],
      [sample.url, 'public, max-age=31536000, immutable'],
      [sample.webp, 'public, max-age=31536000, immutable'],
    ] as const;
    for (const [url, cache] of cached) {
      const response = await fetch(url);
      const etag = response.headers.get('etag') ?? '';
      expect(response.headers.get('cache-control')).toBe(cache);
      expect(etag).toBe(`"${hash(await bytesOf(response))}"`);
      expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304);
      expect((await fetch(url, { method: 'HEAD' })).headers.get('etag')).toBe(etag);
    }
  });
});

describe('a placeholder', () => {
  it('is a thumbhash that shows the picture blurred', async () => {
    const { generate } = await api.data('{ generate(label: "cool", seed: 41, n: 1) { thumbhash url } }');
    const [{ thumbhash, url }] = generate;
    const bytes = Buffer.from(thumbhash, 'base64');
    expect(bytes.toString('base64')).toBe(thumbhash);
    expect(bytes.length).toBeLessThan(30);
    const { w, h, rgba } = thumbHashToRGBA(bytes);
    expect([w, h]).toEqual([32, 32]);
    const pixels = await pixelsOf(await bytesOf(await fetch(url)));
    // Mean of each colour over the whole picture, within the steps that the hash has for it.
    for (const channel of [0, 1, 2]) {
      const mean = (all: Uint8Array, step: number) =>
        all.reduce((sum, value, i) => sum + (i % step === channel ? value : 0), 0) / (all.length / step);
      expect(Math.abs(mean(rgba, 4) - mean(pixels, 3))).toBeLessThan(12);
    }
    expect((await api.data('{ generate(label: "cool", seed: 41, n: 1) { thumbhash } }')).generate[0].thumbhash).toBe(
      thumbhash,
    );
  });

  it('is there for works, too', async () => {
    const query = '{ artworks(first: 2) { nodes { thumbhash } } }';
    const { artworks } = await api.data(query);
    const [one, two] = artworks.nodes;
    expect(one.thumbhash).not.toBe(two.thumbhash);
    // Squares of one colour: (200, 40, 30) is the first, (30, 41, 200) the second, in either order.
    const means = [one, two].map(({ thumbhash }) => thumbHashToAverageRGBA(Buffer.from(thumbhash, 'base64')));
    const [red, blue] = means.sort((a, b) => b.r - a.r);
    for (const [channel, value] of [
      [red?.r, 200],
      [red?.b, 30],
      [blue?.r, 30],
      [blue?.b, 200],
    ] as const)
      expect(Math.abs((channel ?? 0) * 255 - value)).toBeLessThan(20);
    expect((await api.data(query)).artworks).toEqual(artworks);
  });
});
