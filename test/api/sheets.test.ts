/** Many pictures as one, and ways from picture to picture. */
import { deflateRawSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recipeIn } from '../../src/core/picture-metadata.ts';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { bytesOf, hash } from '../helpers/fetched.ts';

let api: TestApi;

interface Image {
  readonly id: string;
  readonly url: string;
  readonly sha256: string;
}

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours();
  await api.train();
});
afterAll(() => api?.[Symbol.asyncDispose]());

const rawOf = (bytes: Buffer) => sharp(bytes).removeAlpha().raw().toBuffer();
const generate = async (variables: Record<string, unknown>): Promise<Image[]> =>
  (await api.run('generate', variables)).generate;

async function paintedSoFar(): Promise<number> {
  const metrics = await (await fetch(`${api.url}/metrics`)).text();
  return Number(/^artgan_pictures_painted (\d+)$/m.exec(metrics)?.[1]);
}

describe('a contact sheet', () => {
  it('shows the pictures it was asked for, each in its place, on white', async () => {
    const images = await generate({ label: 'warm', n: 5, seed: 1 });
    const { contactSheet } = await api.data(
      'query ($images: [ID!]!) { contactSheet(images: $images, columns: 3, cell: 32) { url width height columns rows } }',
      { images: images.map(({ id }) => id) },
    );
    // 3 x 32 + 2 x 1 by 2 x 32 + 1
    expect(contactSheet).toMatchObject({ width: 98, height: 65, columns: 3, rows: 2 });
    const sheet = await bytesOf(contactSheet.url);
    expect(await sharp(sheet).metadata()).toMatchObject({ format: 'png', width: 98, height: 65 });
    const cut = (left: number, top: number, width = 32, height = 32) =>
      rawOf(sheet).then((raw) =>
        sharp(raw, { raw: { width: 98, height: 65, channels: 3 } })
          .extract({ left, top, width, height })
          .raw()
          .toBuffer(),
      );
    // The fourth is the first of the second row.
    const fourth = await cut(0, 33);
    expect(fourth.equals(await rawOf(await bytesOf(images[3]?.url ?? '')))).toBe(true);
    const third = await cut(66, 0);
    expect(third.equals(await rawOf(await bytesOf(images[2]?.url ?? '')))).toBe(true);
    // Nothing is in the last place, or between two.
    expect((await cut(66, 33)).every((value) => value === 255)).toBe(true);
    expect((await cut(32, 0, 1)).every((value) => value === 255)).toBe(true);
  });

  it('is short of address for 64 pictures, is painted by it alone, and may be kept for ever', async () => {
    const images = await generate({ label: 'cool', n: 64, seed: 2 ** 40 });
    const { contactSheet } = await api.run('contact-sheet', { images: images.map(({ id }) => id) });
    expect(contactSheet).toMatchObject({ columns: 8, rows: 8, width: 8 * 128 + 7 * 4 });
    expect(contactSheet.url.length).toBeLessThan(1_000);
    const response = await fetch(contactSheet.url.replace(/\?.*/, ''));
    const body = Buffer.from(await response.arrayBuffer());
    expect(await sharp(body).metadata()).toMatchObject({ format: 'webp', width: 1_052 });
    const etag = `"${hash(body)}"`;
    expect([response.headers.get('etag'), response.headers.get('cache-control')]).toEqual([
      etag,
      'public, max-age=31536000, immutable',
    ]);
    const again = await fetch(contactSheet.url, { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    const small = await bytesOf(`${contactSheet.url.replace('.webp', '.avif')}?w=200`);
    expect(await sharp(small).metadata()).toMatchObject({ format: 'heif', width: 200 });
  });

  it('paints nothing until it is opened', async () => {
    const [image] = await generate({ label: 'warm', n: 1, seed: 70 });
    const json = Buffer.from(
      Buffer.from(image?.id ?? '', 'base64url')
        .toString()
        .slice('GeneratedImage:'.length),
      'base64url',
    );
    const others = [71, 72, 73].map((seed) =>
      Buffer.from(json.toString().replace('[1,70]', `[1,${seed}]`)).toString('base64url'),
    );
    const before = await paintedSoFar();
    const { contactSheet } = await api.run('contact-sheet', { images: others });
    expect(await paintedSoFar()).toBe(before);
    await bytesOf(contactSheet.url);
    expect(await paintedSoFar()).toBe(before + 3);
  });

  it('is one of a page of the gallery, too', async () => {
    expect((await api.run('gallery-sheet')).generatedImages.contactSheet).toBeNull();
    const images = await generate({ label: 'warm', n: 3, seed: 30 });
    await api.run('keep-images', { images: images.map(({ id }) => id) });
    const { contactSheet } = (await api.run('gallery-sheet')).generatedImages;
    expect(contactSheet).toMatchObject({ width: 3 * 128 + 2 * 4, height: 128 });
    expect(await sharp(await bytesOf(contactSheet.url)).metadata()).toMatchObject({ width: 392, height: 128 });
    const page = await api.data(
      '{ generatedImages(first: 2) { nodes { id } contactSheet(cell: 16) { columns rows } } }',
    );
    expect(page.generatedImages.contactSheet).toEqual({ columns: 2, rows: 1 });
  });

  it('is refused with the place of the mistake', async () => {
    const [image] = await generate({ label: 'warm', n: 1, seed: 1 });
    const one = image?.id ?? '';
    const query = 'query ($images: [ID!]!, $cell: Int) { contactSheet(images: $images, cell: $cell) { url } }';
    for (const [variables, code, path] of [
      [{ images: [] }, 'INVALID_INPUT', ['images']],
      [{ images: Array(101).fill(one) }, 'INVALID_INPUT', ['images']],
      [{ images: [one, 'nothing'] }, 'NOT_FOUND', ['images', '1']],
      [{ images: [one], cell: 4_000 }, 'INVALID_INPUT', ['cell']],
    ] as const) {
      const { errors } = await api.ask(query, variables);
      expect(errors[0]?.extensions).toMatchObject({ code, path });
    }
  });
});

describe('an animation', () => {
  it('leads from one picture to the other, which are its first and last frame', async () => {
    const [from] = await generate({ label: 'warm', n: 1, seed: 5 });
    const [to] = await generate({ label: 'cool', n: 1, seed: 6 });
    const before = await paintedSoFar();
    const { interpolate } = await api.data(
      `query ($from: ID!, $to: ID!) {
        interpolate(from: $from, to: $to, frames: 12, frameMs: 50) {
          id url small: url(width: 16) width height frameCount frameMs durationMs loop model { id }
        }
      }`,
      { from: from?.id, to: to?.id },
    );
    expect(interpolate).toMatchObject({
      width: 32,
      height: 32,
      frameCount: 12,
      frameMs: 50,
      durationMs: 600,
      loop: false,
    });
    expect(await paintedSoFar()).toBe(before);
    const film = await bytesOf(interpolate.url);
    const { format, pages, delay, loop, pageHeight, width, xmp } = await sharp(film, { animated: true }).metadata();
    expect({ format, pages, delay, loop, pageHeight, width }).toEqual({
      ...{ format: 'webp', pages: 12, delay: Array(12).fill(50), loop: 1, pageHeight: 32, width: 32 },
    });
    // The file says what it begins with.
    expect(recipeIn(xmp?.toString() ?? '')).toMatchObject({
      kind: 'recipe',
      recipe: { source: { latent: [{ seed: 5 }] } },
    });
    // In so small a film the pixels are the pictures' own.
    for (const [page, image] of [
      [0, from],
      [11, to],
    ] as const) {
      const frame = await sharp(film, { page }).removeAlpha().raw().toBuffer();
      expect(frame.equals(await rawOf(await bytesOf(image?.url ?? '')))).toBe(true);
    }
    expect(await paintedSoFar()).toBe(before + 10);
    const small = await sharp(await bytesOf(interpolate.small), { animated: true }).metadata();
    expect([small.pages, small.pageHeight]).toEqual([12, 16]);
    const { node } = await api.data(
      'query ($id: ID!) { node(id: $id) { ... on Animation { url frames(first: 2, skip: 10) { id sha256 url } } } }',
      { id: interpolate.id },
    );
    expect(node.url).toBe(interpolate.url);
    // The very same pictures, by their own ids.
    expect(node.frames[1]).toMatchObject({ id: to?.id, sha256: to?.sha256 });
    expect(node.frames).toHaveLength(2);
  });

  it('may walk through pictures of a label, back to the first, without end', async () => {
    const { latentWalk } = await api.run('latent-walk', { label: 'warm', stops: 3, framesPerStop: 4, seed: 9 });
    expect(latentWalk).toMatchObject({ frameCount: 12, frameMs: 100, durationMs: 1_200, loop: true });
    const film = await fetch(latentWalk.url);
    expect(film.headers.get('content-type')).toBe('image/webp');
    const body = Buffer.from(await film.arrayBuffer());
    const { pages, loop, pageHeight } = await sharp(body, { animated: true }).metadata();
    expect({ pages, loop, pageHeight }).toEqual({ pages: 12, loop: 0, pageHeight: 256 });
    expect(film.headers.get('etag')).toBe(`"${hash(body)}"`);
    const etag = film.headers.get('etag') ?? '';
    expect((await fetch(latentWalk.url, { headers: { 'if-none-match': etag } })).status).toBe(304);
    const again = await api.run('latent-walk', { label: 'warm', stops: 3, framesPerStop: 4, seed: 9 });
    expect(again.latentWalk.url).toBe(latentWalk.url);
    const stops = await generate({ label: 'warm', n: 3, seed: 9 });
    const { node } = await api.data(
      'query ($id: ID!) { node(id: $id) { ... on Animation { frames(first: 12) { id } } } }',
      { id: latentWalk.id },
    );
    expect([0, 4, 8].map((i) => node.frames[i].id)).toEqual(stops.map(({ id }) => id));
  });

  it('is refused with what is wrong', async () => {
    const [image] = await generate({ label: 'warm', n: 1, seed: 5 });
    const id = image?.id;
    const interpolate =
      'query ($from: ID!, $to: ID!, $frames: Int!) { interpolate(from: $from, to: $to, frames: $frames) { url } }';
    for (const [variables, code, path] of [
      [{ from: id, to: 'nothing', frames: 4 }, 'NOT_FOUND', ['to']],
      [{ from: id, to: id, frames: 1 }, 'INVALID_INPUT', ['frames']],
      [{ from: id, to: id, frames: 241 }, 'INVALID_INPUT', ['frames']],
    ] as const) {
      const { errors } = await api.ask(interpolate, variables);
      expect(errors[0]?.extensions).toMatchObject({ code, path });
    }
    const walk = await api.ask('{ latentWalk(label: "wram") { url } }');
    expect(walk.errors[0]?.extensions).toMatchObject({ code: 'UNKNOWN_LABEL', suggestions: ['Warm'] });
    const stops = await api.ask('{ latentWalk(stops: 1) { url } }');
    expect(stops.errors[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', path: ['stops'] });
    const { node } = await api.data(`{ node(id: "${Buffer.from('Animation:nothing').toString('base64url')}") { id } }`);
    expect(node).toBeNull();
  });

  it('is bounded in all its frames together, as a file', async () => {
    const { latentWalk } = await api.data('{ latentWalk(seed: 1, stops: 8, framesPerStop: 30) { url(width: 2048) } }');
    const response = await fetch(latentWalk.url);
    expect(response.status).toBe(400);
    // The root of 20,000,000 / 240
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('288 pixels wide') } });
  });
});

describe('addresses that nobody has given out', () => {
  const packed = (json: string) => deflateRawSync(json).toString('base64url');
  it.each([
    ['/sheets/nothing.png', 404],
    ['/sheets/nothing.gif', 400],
    [`/sheets/${packed(' '.repeat(50_000_000)).slice(0, 11_000)}.png`, 404],
    [`/sheets/${packed(`[1,64,2,[${'['.repeat(60_000)}${']'.repeat(60_000)}]]`)}.webp`, 404],
    [`/sheets/${packed(JSON.stringify([1, 16, 100, Array(1_000_000).fill([2])])).slice(0, 12_000)}.webp`, 404],
    [
      `/sheets/${packed(JSON.stringify([1, 64, 1, [[2, 'no-such-model', [[1, null, null, null]], [1, [[1, 1]]]]]]))}.png`,
      404,
    ],
    ['/animations/nothing.webp', 404],
    ['/animations/nothing.png', 400],
    [`/animations/${packed(JSON.stringify([1, 4, 100, 0, Array(1_000_000).fill(1)]))}.webp`, 404],
    ['/animations/..%2f..%2fpackage.json', 404],
    ['/sheets/%E0%A4%A.png', 400],
  ])('are answered in words: %#', async (path, status) => {
    for (const method of ['GET', 'HEAD']) {
      const response = await fetch(`${api.url}${path}`, { method, headers: { 'if-none-match': '*' } });
      expect(response.status).toBe(status);
      if (method === 'GET') expect(await response.json()).toMatchObject({ error: { code: expect.any(String) } });
    }
  });
});
