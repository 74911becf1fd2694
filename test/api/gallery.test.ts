/** The gallery over GraphQL: kept, marked, found by any of it, counted, thrown away and taken home. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/core/global-id.ts';
import { startTestApi, type TestApi, type Variables } from '../helpers/api.ts';
import { unzip } from '../helpers/unzip.ts';

let api: TestApi;
let warm: string[];
let cool: string[];

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours();
  await api.train();
  const generated = async (label: string, n: number) => {
    const { generate } = await api.run('generate', { label, n, seed: 100 });
    return generate.map(({ id }: { id: string }) => id);
  };
  warm = await generated('warm', 6);
  cool = await generated('cool', 4);
  await api.run('keep-images', { images: [...warm, ...cool] });
});
afterAll(() => api?.[Symbol.asyncDispose]());

const search = async (where: object) => (await api.run('gallery-search', { where })).generatedImages;
const idsOf = (list: { nodes: { id: string }[] }) => list.nodes.map(({ id }) => id).toSorted();

describe('kept pictures', () => {
  it('are marked, and found by what they are marked with', async () => {
    const { updateImages } = await api.run('update-images', {
      images: warm.slice(0, 3),
      favourite: true,
      addTags: ['Sun set', 'sun  SET', 'Öl'],
    });
    expect(updateImages.userErrors).toEqual([]);
    expect(updateImages.images).toEqual(
      warm.slice(0, 3).map((id) => ({ id, favourite: true, tags: ['Sun set', 'Öl'] })),
    );
    await api.run('update-images', { images: warm.slice(0, 1), removeTags: ['SUN-SET'], favourite: false });
    expect(idsOf(await search({ tag: 'sun set' }))).toEqual(warm.slice(1, 3).toSorted());
    expect(idsOf(await search({ tags: ['ol', 'Sun set'], favourite: true }))).toEqual(warm.slice(1, 3).toSorted());
    expect(idsOf(await search({ favourite: false, label: 'warm' }))).toEqual([warm[0], ...warm.slice(3)].toSorted());
    expect(idsOf(await search({ seed: 101 }))).toEqual([warm[1], cool[1]].toSorted());
    expect(idsOf(await search({ seeds: [100, 103], style: 'cool' }))).toEqual([cool[0], cool[3]].toSorted());
    expect(idsOf(await search({ label: 'nothing' }))).toEqual([]);
    const style = (await api.data('{ style(slug: "cool") { id } }')).style.id;
    expect(idsOf(await search({ label: style }))).toEqual(cool.toSorted());
  });

  it('are counted by what they have, under the same filter', async () => {
    const all = await search({});
    expect(all.totalCount).toBe(10);
    expect(all.facets.styles).toEqual([
      { label: { slug: 'warm', name: 'Warm' }, count: 6 },
      { label: { slug: 'cool', name: 'Cool' }, count: 4 },
    ]);
    expect(all.facets.tags).toEqual([
      { tag: 'Öl', count: 3, isExact: true },
      { tag: 'Sun set', count: 2, isExact: true },
    ]);
    expect(all.facets.models).toMatchObject([{ count: 10 }]);
    expect(all.facets.favourites).toEqual({ count: 2, isExact: true });
    const some = await search({ favourite: true, keptAfter: new Date(0).toISOString() });
    expect(some.facets).toMatchObject({
      styles: [{ count: 2 }],
      tags: [{ count: 2 }, { count: 2 }],
      favourites: { count: 2 },
    });
    const { style } = await api.data(
      '{ style(slug: "warm") { generatedImages { facets { favourites { count } } totalCount } } }',
    );
    expect(style.generatedImages).toEqual({ facets: { favourites: { count: 2 } }, totalCount: 6 });
    const { errors } = await api.ask('{ generatedImages { facets { tags(first: 101) { tag } } } }');
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
  });

  it('are put into the gallery with their marks', async () => {
    const { generate } = await api.run('generate', { label: 'warm', n: 1, seed: 900 });
    const { createCollection } = await api.run('create-collection', { input: { name: 'With marks' } });
    const input = {
      images: [generate[0].id],
      favourite: true,
      tags: ['new'],
      collection: createCollection.collection.slug,
    };
    const query =
      'mutation ($input: KeepImagesInput!) { keepImages(input: $input) { images { favourite tags collections { name } } userErrors { code } } }';
    const { keepImages } = await api.data(query, { input });
    expect(keepImages).toEqual({
      images: [{ favourite: true, tags: ['new'], collections: [{ name: 'With marks' }] }],
      userErrors: [],
    });
    await api.run('delete-images', { images: [generate[0].id] });
    await api.run('delete-collection', { collection: 'with-marks' });
    expect((await search({})).facets.tags.map(({ tag }: { tag: string }) => tag)).toEqual(['Öl', 'Sun set']);
    const refused = await api.data(query, { input: { images: warm.slice(0, 1), collection: 'none' } });
    expect(refused.keepImages.userErrors).toEqual([{ code: 'NOT_FOUND' }]);
  });

  it('must be in the gallery to be marked', async () => {
    const { generate } = await api.run('generate', { label: 'warm', n: 1, seed: 901 });
    const { updateImages } = await api.run('update-images', { images: [warm[0], generate[0].id], favourite: true });
    expect(updateImages).toMatchObject({
      images: [],
      userErrors: [{ code: 'NOT_FOUND', path: ['input', 'images', '1'] }],
    });
    for (const addTags of [[''], ['x'.repeat(61)], Array.from({ length: 21 }, (_, i) => `t${i}`)]) {
      const answer = await api.run('update-images', { images: warm.slice(0, 1), addTags });
      expect(answer.updateImages.userErrors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'addTags'] }]);
    }
  });
});

describe('a collection', () => {
  it('is made, filled, renamed and deleted; its pictures stay', async () => {
    const made = await api.run('create-collection', { input: { name: 'Réd  things', images: warm.slice(0, 2) } });
    expect(made.createCollection.collection).toMatchObject({
      slug: 'red-things',
      name: 'Réd things',
      images: { totalCount: 2 },
    });
    const again = await api.run('create-collection', { input: { name: 'red things' } });
    expect(again.createCollection.userErrors).toMatchObject([{ code: 'CONFLICT', path: ['input', 'name'] }]);
    const { id } = made.createCollection.collection;
    const input = { collection: id, images: [...warm.slice(1, 4), ...cool.slice(0, 1)] };
    expect((await api.run('add-to-collection', { input })).addToCollection.collection.images.totalCount).toBe(5);
    const out = { collection: 'red-things', images: cool };
    expect(
      (await api.run('remove-from-collection', { input: out })).removeFromCollection.collection.images.totalCount,
    ).toBe(4);
    const changed = await api.run('update-collection', {
      input: { collection: id, name: 'Red', description: ' Warm ones. ' },
    });
    expect(changed.updateCollection.collection).toMatchObject({
      slug: 'red-things',
      name: 'Red',
      description: 'Warm ones.',
    });
    const { collection } = await api.run('collection', { slug: 'red-things', where: { favourite: true } });
    expect(idsOf(collection.images)).toEqual(warm.slice(1, 3).toSorted());
    expect(idsOf(await search({ collection: id, seed: 103 }))).toEqual([warm[3]]);
    const { node } = await api.data('query ($id: ID!) { node(id: $id) { ... on Collection { name } } }', { id });
    expect(node).toEqual({ name: 'Red' });
    const { collections } = await api.run('collections');
    expect(collections).toMatchObject({ totalCount: 1, nodes: [{ name: 'Red', images: { totalCount: 4 } }] });
    expect((await api.run('delete-collection', { collection: id })).deleteCollection.deletedId).toBe(id);
    expect((await api.run('delete-collection', { collection: id })).deleteCollection.userErrors).toMatchObject([
      { code: 'NOT_FOUND' },
    ]);
    expect((await search({})).totalCount).toBe(10);
  });
});

describe('an export', () => {
  const open = async (variables: Variables) => {
    const { exportImages } = await api.run('export-images', variables);
    expect(exportImages.userErrors).toEqual([]);
    const response = await fetch(exportImages.export.url);
    expect(response.headers.get('content-type')).toBe('application/zip');
    const files = await unzip(Buffer.from(await response.arrayBuffer()));
    const lines = files.get('manifest.jsonl')?.toString().split('\n').filter(Boolean) ?? [];
    return { count: exportImages.export.count, files, manifest: lines.map((line) => JSON.parse(line)) };
  };

  it('holds the pictures of a filter, with what is known of them', async () => {
    const { count, files, manifest } = await open({ where: { style: 'warm' } });
    expect([count, files.size, manifest.length]).toEqual([6, 7, 6]);
    expect(manifest.map(({ id }) => id).toSorted()).toEqual(warm.toSorted());
    for (const { file, sha256, style } of manifest) {
      expect(
        createHash('sha256')
          .update(files.get(file) ?? '')
          .digest('hex'),
      ).toBe(sha256);
      expect(style).toBe('warm');
    }
    expect(manifest.find(({ id }) => id === warm[1])).toMatchObject({
      favourite: true,
      tags: ['Sun set', 'Öl'],
      seed: 101,
    });
  });

  it('holds the pictures that were named, or none', async () => {
    const { manifest } = await open({ images: cool.slice(0, 2) });
    expect(manifest.map(({ id }) => id).toSorted()).toEqual(cool.slice(0, 2).toSorted());
    expect((await open({ where: { label: 'nothing' } })).files.size).toBe(1);
    const both = await api.run('export-images', { images: cool, where: {} });
    expect(both.exportImages.userErrors).toMatchObject([{ code: 'INVALID_INPUT' }]);
    expect((await fetch(`${api.url}/gallery/none.zip`)).status).toBe(404);
  });
});

describe('deleted pictures', () => {
  it('are gone with their files and marks; what told of them still knows their recipe', async () => {
    const gone = [...warm.slice(1, 3), cool[0] ?? ''];
    const nothing = encodeGlobalId('GeneratedImage', 'nothing');
    const { deleteImages } = await api.run('delete-images', { images: [...gone, nothing] });
    expect(deleteImages.deletedIds.toSorted()).toEqual(gone.toSorted());
    const left = await search({});
    expect(left).toMatchObject({
      totalCount: 7,
      facets: { favourites: { count: 0 }, tags: [{ tag: 'Öl', count: 1 }] },
    });
    const [told] = await new Promise<{ image: { id: string; keptAt: string | null; seed: number } }[]>(
      (resolve, reject) => {
        const found: { image: { id: string; keptAt: string | null; seed: number } }[] = [];
        const query = 'subscription { generatedImageAdded(after: 0) { image { id keptAt seed } } }';
        const stop = api.client.subscribe<{ generatedImageAdded: (typeof found)[number] }>(
          { query },
          {
            next: ({ data, errors }) => {
              if (errors !== undefined) reject(new Error(JSON.stringify(errors)));
              const one = data?.generatedImageAdded;
              if (one === undefined || one.image.id !== warm[1]) return;
              found.push(one);
              resolve(found);
              stop();
            },
            error: reject,
            complete: () => undefined,
          },
        );
      },
    );
    expect(told?.image).toMatchObject({ keptAt: null, seed: 101 });
    // They can be painted and kept anew.
    const { keepImages } = await api.run('keep-images', { images: gone });
    expect(keepImages.images.map(({ id }: { id: string }) => id)).toEqual(gone);
    expect((await fetch(keepImages.images[0].url)).status).toBe(200);
  });

  it('are 1,000 at most', async () => {
    const images = Array.from({ length: 1_001 }, (_, i) => `x${i}`);
    const { deleteImages } = await api.run('delete-images', { images });
    expect(deleteImages.userErrors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'images'] }]);
  });
});
