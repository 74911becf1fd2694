/** Pictures on request: the recipe is the picture, nothing is written but what is kept, and URLs serve the same bytes. */
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/core/global-id.ts';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { bytesOf, hash } from '../helpers/fetched.ts';

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
  readonly url: string;
  readonly sha256: string;
}

async function generate(variables: Record<string, unknown>): Promise<Image[]> {
  return (await api.run('generate', variables)).generate;
}

describe('generate', () => {
  it('paints different pictures, and each alone by its seed again', async () => {
    const images = await generate({ label: 'Warm', n: 8 });
    expect(images).toHaveLength(8);
    expect(new Set(images.map(({ sha256 }) => sha256)).size).toBe(8);
    for (const { url, sha256 } of images.slice(0, 2)) {
      const png = await bytesOf(url);
      expect(hash(png)).toBe(sha256);
      expect(await sharp(png).metadata()).toMatchObject({ format: 'png', width: 32, height: 32 });
    }
    const last = images.at(-1);
    const [alone] = await generate({ label: ' wArM', n: 1, seed: last?.seed });
    expect(alone).toEqual(last);
  });

  it('takes a name, a slug, an id, or a combination', async () => {
    const { artists } = await api.data('{ artists { nodes { id slug name } } }');
    const [blue] = artists.nodes;
    expect(blue).toMatchObject({ slug: 'bea-blue', name: 'Bea Blue' });
    const byName = await generate({ label: blue.name, n: 1, seed: 3 });
    expect(await generate({ label: blue.slug, n: 1, seed: 3 })).toEqual(byName);
    expect(await generate({ label: blue.id, n: 1, seed: 3 })).toEqual(byName);
    const combined = await api.run('generate-combination', {
      conditions: { artist: 'BEA BLUE', style: 'cool' },
      n: 1,
      seed: 3,
    });
    expect(combined.generate).toMatchObject([
      { artist: { name: 'Bea Blue' }, style: { name: 'Cool' }, genre: null, seed: 3, truncation: 1 },
    ]);
    expect(combined.generate[0].url).toMatch(/\.webp\?w=512$/);
  });

  it('is found again by node, without a row having been written', async () => {
    const [image] = await generate({ label: 'cool', n: 1, seed: 11 });
    const { node } = await api.run('image', { id: image?.id });
    expect(node).toMatchObject({ id: image?.id, seed: 11, sha256: image?.sha256, url: image?.url, keptAt: null });
    const [head = '', body = ''] = node.dataUri.split(',');
    expect(head).toBe('data:image/webp;base64');
    expect(await sharp(Buffer.from(body, 'base64')).metadata()).toMatchObject({ format: 'webp', width: 32 });
    expect((await api.run('gallery')).generatedImages).toMatchObject({ nodes: [], totalCount: 0 });
  });
});

describe('a picture that is kept', () => {
  it('is in the gallery once, in that of its labels, and still the same picture', async () => {
    const images = await generate({ label: 'warm', n: 2, seed: 21 });
    const ids = images.map(({ id }) => id);
    const { keepImages } = await api.run('keep-images', { images: ids });
    expect(keepImages.userErrors).toEqual([]);
    expect(keepImages.images.map(({ id }: Image) => id)).toEqual(ids);
    await api.run('keep-images', { images: ids });
    const { generatedImages, style, node } = await api.data(
      `query ($id: ID!) {
        generatedImages { nodes { id } totalCount }
        style(slug: "warm") { generatedImages { nodes { id style { slug } } totalCount } }
        node(id: $id) { ... on GeneratedImage { sha256 keptAt } }
      }`,
      { id: ids[0] },
    );
    expect(generatedImages.totalCount).toBe(2);
    expect(new Set(generatedImages.nodes.map(({ id }: Image) => id))).toEqual(new Set(ids));
    expect(style.generatedImages).toMatchObject({ totalCount: 2, nodes: [{ style: { slug: 'warm' } }, {}] });
    expect(node).toEqual({ sha256: images[0]?.sha256, keptAt: expect.stringMatching(/^\d{4}-.+Z$/) });
  });

  it('is refused with the place of the id that is none', async () => {
    const [image] = await generate({ label: 'warm', n: 1, seed: 31 });
    const { keepImages } = await api.run('keep-images', { images: [image?.id, encodeGlobalId('GeneratedImage', 'x')] });
    expect(keepImages).toMatchObject({
      images: [],
      userErrors: [{ code: 'NOT_FOUND', path: ['input', 'images', '1'] }],
    });
  });
});

describe('the URL of a picture', () => {
  it('serves every format and width, for ever, with an ETag', async () => {
    const [image] = await generate({ label: 'cool', n: 1, seed: 41 });
    const base = image?.url.replace(/\.png$/, '');
    for (const [extension, format] of [
      ['webp', 'webp'],
      ['jpg', 'jpeg'],
      ['jpeg', 'jpeg'],
      ['avif', 'heif'],
    ]) {
      const response = await fetch(`${base}.${extension}?w=64`);
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      const body = Buffer.from(await response.arrayBuffer());
      expect(await sharp(body).metadata()).toMatchObject({ format, width: 64, height: 64 });
    }
    const etag = `"${image?.sha256}"`;
    const known = await fetch(`${base}.png`, { headers: { 'if-none-match': etag } });
    expect([known.status, await known.text()]).toEqual([304, '']);
    const head = await fetch(`${base}.png`, { method: 'HEAD' });
    expect([head.status, head.headers.get('etag'), head.headers.get('content-type')]).toEqual([200, etag, 'image/png']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0);
  });

  it('serves works of collections', async () => {
    const { style } = await api.data('{ style(slug: "warm") { artworks(first: 1) { nodes { id url(width: 48) } } } }');
    const response = await fetch(style.artworks.nodes[0].url);
    expect(response.headers.get('content-type')).toBe('image/png');
    const { channels, width } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
    expect({ channels, width }).toEqual({ channels: 3, width: 48 });
  });

  it('says in JSON what is wrong with it', async () => {
    const [image] = await generate({ label: 'cool', n: 1, seed: 41 });
    const base = image?.url.replace(/\.png$/, '');
    for (const [url, status, code] of [
      [`${base}.gif`, 400, 'INVALID_INPUT'],
      [`${base}.png?w=4`, 400, 'INVALID_INPUT'],
      [`${base}.png?w=wide`, 400, 'INVALID_INPUT'],
      [`${api.url}/images/nothing.png`, 404, 'NOT_FOUND'],
      [`${api.url}/images/..%2f..%2fpackage.json`, 404, 'NOT_FOUND'],
      [`${api.url}/images/%E0%A4%A.png`, 400, 'BAD_REQUEST'],
      [`${api.url}/artworks/nothing.png`, 404, 'NOT_FOUND'],
      [`${api.url}/samples/nothing.webp`, 404, 'NOT_FOUND'],
      [`${api.url}/elsewhere`, 404, 'NOT_FOUND'],
    ] as const) {
      const response = await fetch(url);
      expect([url, response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
        url,
        status,
        code,
      ]);
    }
  });
});
