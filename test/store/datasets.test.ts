import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artworkList } from '../../src/store/artworks.ts';
import {
  artworkCountsByDataset,
  artworksByIds,
  datasetBySlug,
  datasetsByIds,
  findDataset,
  importIssueCount,
  importsUnfinished,
  issuesOfDatasets,
  packIsNeeded,
  replaceArtworks,
  replaceIssues,
  updateDataset,
} from '../../src/store/datasets.ts';
import type { Store } from '../../src/store/db.ts';
import { countRows, readPage } from '../../src/store/page.ts';
import { moveRun } from '../../src/store/runs.ts';
import { openTestStore } from '../helpers/database.ts';
import { newDataset, newRun, pageFor } from './rows.ts';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store[Symbol.asyncDispose]());

const idsByFile = async (datasetId: string) => {
  const { rows } = await readPage(store.db, artworkList({ dataset: datasetId }), { first: 100 });
  return new Map(rows.map(({ file, id }) => [file, id]));
};

describe('datasets', () => {
  it('are found by id, slug, or any spelling of the name', async () => {
    const dataset = await newDataset(store.db, { slug: 'old-masters', name: 'Old Masters' });
    for (const text of [dataset.id, 'old-masters', 'Old Masters', ' old_masters '])
      expect(await findDataset(store.db, text), text).toEqual(dataset);
    expect(await findDataset(store.db, 'new masters')).toBeUndefined();
    expect(await datasetBySlug(store.db, 'old-masters')).toEqual(dataset);
    expect(await datasetsByIds(store.db, [dataset.id])).toEqual([dataset]);
  });

  it('refuse a slug that is taken, and a change of one that is gone', async () => {
    await newDataset(store.db, { slug: 'taken' });
    const rivals = await Promise.allSettled([
      newDataset(store.db, { slug: 'rare' }),
      newDataset(store.db, { slug: 'rare' }),
    ]);
    expect(rivals.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await expect(newDataset(store.db, { slug: 'taken' })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(updateDataset(store.db, 'gone', { total: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('say which imports have not come to their end', async () => {
    const { id } = await newDataset(store.db, { status: 'IMPORTING' });
    expect((await importsUnfinished(store.db)).map((row) => row.id)).toEqual([id]);
    await updateDataset(store.db, id, { status: 'READY' });
    expect(await importsUnfinished(store.db)).toEqual([]);
  });

  it('need a pack as long as a row or an unfinished run does', async () => {
    await newDataset(store.db, { packFile: 'packs/new' });
    const needed = (packFile: string) => packIsNeeded(store.db, packFile);
    expect(await needed('packs/new')).toBe(true);
    expect(await needed('packs/old')).toBe(false);
    // Of any dataset: two of the same content share a pack.
    const run = await newRun(store.db, (await newDataset(store.db)).id);
    expect(await needed('packs/old')).toBe(true);
    await moveRun(store.db, { runId: run.id, action: 'cancel' });
    expect(await needed('packs/old')).toBe(false);
  });
});

describe('the works of a dataset', () => {
  it('keep their ids when it is imported again; those whose files have gone are deleted', async () => {
    const { id } = await newDataset(store.db);
    const other = await newDataset(store.db);
    await replaceArtworks(store.db, other.id, [{ file: 'a', packIndex: 0 }]);
    const works = (files: string[], title: string) => files.map((file, packIndex) => ({ file, packIndex, title }));
    await replaceArtworks(store.db, id, works(['a', 'b', 'c'], 'first'));
    const before = await idsByFile(id);
    await replaceArtworks(store.db, id, works(['c', 'd', 'a'], 'second'));
    const after = await idsByFile(id);
    expect([...after.keys()]).toEqual(['a', 'c', 'd']);
    expect(after.get('a')).toBe(before.get('a'));
    expect(after.get('c')).toBe(before.get('c'));
    expect(await artworksByIds(store.db, [after.get('a') ?? ''])).toMatchObject([{ title: 'second', packIndex: 2 }]);
    expect(await artworkCountsByDataset(store.db, [id, other.id, 'none'])).toEqual(
      new Map([
        [id, 3],
        [other.id, 1],
      ]),
    );
    await replaceArtworks(store.db, id, []);
    expect(await countRows(store.db, artworkList({ dataset: id }))).toBe(0);
  });

  it('may be many, and are replaced wholly or not at all', async () => {
    const { id } = await newDataset(store.db);
    const many = Array.from({ length: 12_000 }, (_, packIndex) => ({ file: `folder/${packIndex}.png`, packIndex }));
    await store.db.transaction((tx) => replaceArtworks(tx, id, many));
    expect(await countRows(store.db, artworkList({ dataset: id }))).toBe(12_000);
    const interrupted = store.db.transaction(async (tx) => {
      await replaceArtworks(tx, id, [{ file: 'only', packIndex: 0 }]);
      throw new Error('interrupted');
    });
    await expect(interrupted).rejects.toThrow('interrupted');
    expect(await countRows(store.db, artworkList({ dataset: id }))).toBe(12_000);
  });

  it('come with the report of the newest import alone', async () => {
    const { id } = await newDataset(store.db);
    const issues = (count: number, code: string) =>
      Array.from({ length: count }, (_, i) => ({ file: `${i}.png`, code, message: 'why' }));
    await replaceIssues(store.db, id, issues(1_200, 'OLD'));
    await replaceIssues(store.db, id, issues(3, 'NEW'));
    expect(await importIssueCount(store.db, id)).toBe(3);
    const first = await pageFor(store.db, issuesOfDatasets, id, { first: 2 });
    const rest = await pageFor(store.db, issuesOfDatasets, id, { first: 2, after: first.cursors[1] });
    expect([...first.rows, ...rest.rows].map(({ file, code }) => [file, code])).toEqual([
      ['0.png', 'NEW'],
      ['1.png', 'NEW'],
      ['2.png', 'NEW'],
    ]);
  });
});
