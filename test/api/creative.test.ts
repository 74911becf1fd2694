/** What a creative tool needs: mixes, variations, grids, and what the discriminator makes of pictures. */
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

const pixelsOf = async (url: string) =>
  sharp(await bytesOf(url))
    .raw()
    .toBuffer();
const generate = async (variables: Record<string, unknown>): Promise<Image[]> =>
  (await api.run('generate', variables)).generate;

/** Mean distance of two pictures of one size, 0..255. */
function distance(a: Buffer, b: Buffer): number {
  expect(a.length).toBe(b.length);
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}

async function upload(picture: Buffer): Promise<string> {
  const { createUpload } = await api.run('create-upload', { filename: 'picture.png', bytes: picture.length });
  expect(createUpload.userErrors).toEqual([]);
  const put = await fetch(createUpload.upload.url, { method: 'PUT', body: new Uint8Array(picture) });
  expect(put.status).toBe(200);
  return createUpload.upload.id;
}

describe('a mix', () => {
  it('lies between what it is made of, and says what that is', async () => {
    const [warm] = await generate({ label: 'warm', n: 1, seed: 3 });
    const [cool] = await generate({ label: 'cool', n: 1, seed: 3 });
    const mix = [
      { label: 'warm', weight: 1 },
      { label: 'cool', weight: 1 },
    ];
    const { generate: mixed } = await api.run('generate-mix', { mix, n: 1, seed: 3 });
    expect(mixed[0].mix).toEqual([
      { weight: 0.5, artist: null, style: { name: 'Cool' }, genre: null },
      { weight: 0.5, artist: null, style: { name: 'Warm' }, genre: null },
    ]);
    const [a, b, between] = await Promise.all([warm, cool, mixed[0]].map(({ url }) => pixelsOf(url)));
    if (a === undefined || b === undefined || between === undefined) throw new Error('There are three pictures');
    expect(distance(a, between)).toBeLessThan(distance(a, b));
    expect(distance(b, between)).toBeLessThan(distance(a, b));
    // The very same again, from the id alone.
    const { node } = await api.run('image', { id: mixed[0].id });
    expect(node.sha256).toBe(hash(await bytesOf(mixed[0].url)));
  });

  it('is refused with the place of the mistake', async () => {
    const { errors } = await api.ask('{ generate(mix: [{ label: "warm" }, { label: "wram" }]) { id } }');
    expect(errors[0]?.extensions).toMatchObject({ code: 'UNKNOWN_LABEL', suggestions: ['Warm'] });
    expect(errors[0]?.message).toMatch(/"wram"/);
  });
});

describe('variations', () => {
  it('are the nearer to a picture the smaller their strength is', async () => {
    const [of] = await generate({ label: 'warm', n: 1, seed: 9 });
    const original = await pixelsOf(of?.url ?? '');
    const distances: number[] = [];
    for (const strength of [0, 0.15, 0.5]) {
      const { variations } = await api.run('variations', { of: of?.id, strength, n: 4, seed: 100 });
      const all = await Promise.all(variations.map(({ url }: Image) => pixelsOf(url)));
      distances.push(all.reduce((sum: number, pixels) => sum + distance(pixels, original), 0) / all.length);
    }
    expect(distances[0]).toBe(0);
    expect(distances[1]).toBeGreaterThan(0);
    expect(distances[2]).toBeGreaterThan(distances[1] ?? 0);
  });

  it('of variations are pictures with ids of their own', async () => {
    const [of] = await generate({ label: 'warm', n: 1, seed: 9 });
    const { variations: first } = await api.run('variations', { of: of?.id, n: 1, seed: 1 });
    const { variations: second } = await api.run('variations', { of: first[0].id, n: 1, seed: 2 });
    expect(second[0].latent.map(({ seed }: Image) => seed)).toEqual([1, 2, 9]);
    const { node } = await api.run('image', { id: second[0].id });
    expect(node).toMatchObject({ id: second[0].id, seed: 9, url: second[0].url });
  });
});

describe('a grid', () => {
  it('has a row per style and a column per artist, each the picture that it would be alone', async () => {
    const { imageGrid } = await api.run('image-grid', { gridBy: { rows: 'STYLES', columns: 'ARTISTS' }, seed: 5 });
    const names = (headings: { label: { name: string } }[]) => headings.map(({ label }) => label.name);
    const [rows, columns] = [names(imageGrid.rows), names(imageGrid.columns)];
    expect(new Set(rows)).toEqual(new Set(['Warm', 'Cool']));
    expect(imageGrid.images).toHaveLength(rows.length * columns.length);
    const conditions = { style: rows[1], artist: columns[0] };
    const { generate: alone } = await api.run('generate-combination', { conditions, n: 1, seed: 5 });
    expect(imageGrid.images[columns.length].id).toBe(alone[0].id);
  });
});

describe('the discriminator', () => {
  it('says which labels a work, a generated picture and an upload have', async () => {
    const { style } = await api.data('{ style(slug: "warm") { artworks(first: 1) { nodes { id url } } } }');
    const [work] = style.artworks.nodes;
    const [image] = await generate({ label: 'warm', n: 1, seed: 2 });
    const asked = [{ artwork: work.id }, { image: image?.id }, { upload: await upload(await bytesOf(work.url)) }];
    const answers = [];
    for (const variables of asked) answers.push((await api.run('classify', variables)).classify.kinds);
    for (const kinds of answers) {
      const ofStyle = kinds.find(({ kind }: { kind: string }) => kind === 'STYLE');
      const shown = ofStyle.labels.reduce(
        (sum: number, { probability }: { probability: number }) => sum + probability,
        0,
      );
      // Two styles and FAKE: all that there is.
      expect(shown + ofStyle.fake).toBeCloseTo(1, 4);
      expect(ofStyle.labels[0].probability).toBeGreaterThanOrEqual(ofStyle.labels[1].probability);
    }
    // The square of the work, as it was uploaded.
    expect(answers[2]).toEqual(answers[0]);
  });

  it('wants one picture, and one that is there', async () => {
    const { errors: none } = await api.ask('{ classify { kinds { kind } } }');
    expect(none[0]?.extensions.code).toBe('INVALID_INPUT');
    for (const what of ['upload', 'image', 'artwork']) {
      const { errors } = await api.ask(`{ classify(${what}: "nothing") { kinds { kind } } }`);
      expect(errors[0]?.extensions.code).toBe('NOT_FOUND');
    }
  });
});

describe('reconstruct', () => {
  it('repaints an upload, the same for ever, and in the manner of a label', async () => {
    const picture = await sharp({ create: { width: 80, height: 60, channels: 3, background: '#d03010' } })
      .png()
      .toBuffer();
    const id = await upload(picture);
    const { reconstruct: plain } = await api.run('reconstruct', { upload: id });
    const { reconstruct: again } = await api.run('reconstruct', { upload: await upload(picture) });
    expect(again).toEqual(plain);
    expect(await sharp(await bytesOf(plain.url)).metadata()).toMatchObject({ format: 'webp', width: 512 });
    const { reconstruct: cool } = await api.run('reconstruct', { upload: id, label: 'cool' });
    expect(cool.sha256).not.toBe(plain.sha256);
    const { node } = await api.data(
      'query ($id: ID!) { node(id: $id) { ... on GeneratedImage { sha256 uploadSha256 latent { seed } } } }',
      {
        id: plain.id,
      },
    );
    expect(node).toEqual({ sha256: plain.sha256, uploadSha256: expect.stringMatching(/^[0-9a-f]{64}$/), latent: [] });
  });
});
