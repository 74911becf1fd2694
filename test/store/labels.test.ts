import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artworksOfLabels } from '../../src/store/artworks.ts';
import { replaceArtworks } from '../../src/store/datasets.ts';
import type { Store } from '../../src/store/db.ts';
import { imagesOf, keepImages } from '../../src/store/images.ts';
import {
  allLabels,
  artworkCounts,
  labelBySlug,
  labelCount,
  labelList,
  labelsByIds,
  labelsBySlugs,
  upsertLabels,
} from '../../src/store/labels.ts';
import { countRowsOf, readPage, readPages } from '../../src/store/page.ts';
import { openTestStore } from '../helpers/database.ts';
import { newDataset, newModel } from './rows.ts';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store[Symbol.asyncDispose]());

const named = (kind: 'artist' | 'style' | 'genre', slug: string) => ({ kind, slug, name: slug.toUpperCase() });

describe('labels', () => {
  it('are made once, however many writers want them at once and in whatever order', async () => {
    const names = Array.from({ length: 1_500 }, (_, i) => named(i % 2 === 0 ? 'style' : 'genre', `crowd-${i}`));
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        store.db.transaction((tx) => upsertLabels(tx, i % 2 === 0 ? names : names.toReversed())),
      ),
    );
    const ids = results.map((rows) => names.map(({ kind, slug }) => rows.get(`${kind}:${slug}`)?.id));
    expect(new Set(ids[0]).size).toBe(1_500);
    for (const other of ids) expect(other).toEqual(ids[0]);
    expect((await allLabels(store.db)).filter(({ slug }) => slug.startsWith('crowd-'))).toHaveLength(1_500);
  });

  it('keep the id and the name that they have, and are apart by kind', async () => {
    const first = await upsertLabels(store.db, [named('artist', 'monet'), named('style', 'monet')]);
    const second = await upsertLabels(store.db, [
      { kind: 'artist', slug: 'monet', name: 'Claude Monet' },
      { kind: 'artist', slug: 'monet', name: 'twice' },
    ]);
    expect([...second.values()]).toEqual([first.get('artist:monet')]);
    const style = await labelBySlug(store.db, 'style', 'monet');
    expect(style).toEqual(first.get('style:monet'));
    expect(await labelBySlug(store.db, 'genre', 'monet')).toBeUndefined();
    expect(await labelsByIds(store.db, [style?.id ?? '', 'none'])).toEqual([style]);
    expect(await labelsBySlugs(store.db, ['style:monet', 'genre:monet'])).toEqual([style]);
    expect(await upsertLabels(store.db, [])).toEqual(new Map());
  });

  it('are found by kind and slug, also where the slug has a colon or the name of a kind', async () => {
    const made = await upsertLabels(store.db, [
      named('style', 'a:b'),
      named('genre', 'a:b'),
      named('genre', 'b'),
      named('artist', 'style:a:b'),
      named('artist', ':'),
    ]);
    const found = async (...keys: string[]) => (await labelsBySlugs(store.db, keys)).map(({ id }) => id).toSorted();
    const ids = (...keys: string[]) => keys.map((key) => made.get(key)?.id).toSorted();
    for (const key of made.keys()) expect(await found(key), key).toEqual(ids(key));
    expect(await found('style:a:b', 'artist::', 'style:a:b', 'genre:none')).toEqual(ids('style:a:b', 'artist::'));
    for (const nothing of ['style:b', 'artist:a:b', 'a:b', 'b', '', 'medium:b'])
      expect(await found(nothing)).toEqual([]);
    expect(await found()).toEqual([]);
  });

  it('are counted and paged with their works and kept pictures, all or those of one dataset', async () => {
    const rows = await upsertLabels(store.db, [
      named('style', 'cubism'),
      named('style', 'dada'),
      named('artist', 'arp'),
    ]);
    const idOf = (key: string) => rows.get(key)?.id ?? '';
    const [cubism, dada, arp] = [idOf('style:cubism'), idOf('style:dada'), idOf('artist:arp')];
    const [one, two] = [await newDataset(store.db), await newDataset(store.db)];
    const works = (styleId: string | null, files: string[]) =>
      files.map((file, packIndex) => ({ file, packIndex, styleId, artistId: arp }));
    await replaceArtworks(store.db, one.id, [...works(cubism, ['c', 'a', 'b']), ...works(null, ['d'])]);
    await replaceArtworks(store.db, two.id, works(dada, ['a']));

    expect(await artworkCounts(store.db, [cubism, dada, arp, 'none'])).toEqual(
      new Map([
        [cubism, 3],
        [dada, 1],
        [arp, 5],
      ]),
    );
    expect(await artworkCounts(store.db, [])).toEqual(new Map());
    expect(await labelCount(store.db, 'style', { datasetId: two.id })).toBe(1);
    const page = await readPage(store.db, labelList('style', { dataset: one.id }), { first: 10 });
    expect(page.rows.map(({ slug }) => slug)).toEqual(['cubism']);

    const before = store.statements();
    const pages = await readPages(store.db, artworksOfLabels('style'), {
      ids: [cubism, dada, 'none'],
      page: { first: 2 },
    });
    expect(store.statements() - before).toBe(1);
    const shown = [...pages].map(async ([id, { rows, hasNextPage }]) => {
      return [id, rows.map(({ file }) => file), await hasNextPage()];
    });
    expect(await Promise.all(shown)).toEqual([
      [cubism, ['a', 'b'], true],
      [dada, ['a'], false],
      ['none', [], false],
    ]);

    const model = await newModel(store.db);
    const picture = (id: string, styleId: string, minute: number) => ({
      id,
      modelId: model.id,
      styleId,
      seed: 1,
      truncation: 1,
      sha256: id,
      width: 32,
      height: 32,
      keptAt: new Date(Date.UTC(2026, 0, 1, 0, minute)),
    });
    await keepImages(store.db, [picture('p1', cubism, 1), picture('p2', cubism, 2), picture('p3', dada, 3)]);
    expect(await countRowsOf(store.db, imagesOf('style'), [cubism, dada, arp])).toEqual(
      new Map([
        [cubism, 2],
        [dada, 1],
        [arp, 0],
      ]),
    );
    const images = await readPages(store.db, imagesOf('style'), { ids: [cubism, arp], page: { first: 1 } });
    expect(images.get(cubism)?.rows).toMatchObject([{ id: 'p2' }]);
    expect(await images.get(cubism)?.hasNextPage()).toBe(true);
    expect(images.get(arp)?.rows).toEqual([]);
  });
});
