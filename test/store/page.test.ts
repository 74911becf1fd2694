import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeCursor, type Page, type PageRequest } from '../../src/core/paging.ts';
import { artworkList } from '../../src/store/artworks.ts';
import { datasetList, datasetPage, issuesOfDatasets, replaceArtworks } from '../../src/store/datasets.ts';
import type { Store } from '../../src/store/db.ts';
import { pickImages } from '../../src/store/gallery-filter.ts';
import { imageList, keepImages } from '../../src/store/images.ts';
import { labelList, upsertLabels } from '../../src/store/labels.ts';
import { countRows, readPage } from '../../src/store/page.ts';
import { appendEvent, eventOf, samplesOfRuns } from '../../src/store/run-log.ts';
import { claimNextRun } from '../../src/store/runs.ts';
import { type DatasetRow, datasets } from '../../src/store/tables.ts';
import { openTestStore } from '../helpers/database.ts';
import { newDataset, newModel, newRun, pageFor } from './rows.ts';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store[Symbol.asyncDispose]());

/** Reads a list to its end, page by page; `between` runs after each page. */
async function readAll<Row>(
  read: (page: PageRequest) => Promise<Page<Row>>,
  { first, between = async () => {} }: { first: number; between?: () => Promise<unknown> },
): Promise<Row[]> {
  const rows: Row[] = [];
  for (let after: string | undefined; ; ) {
    const page = await read({ first, after });
    rows.push(...page.rows);
    expect(await page.hasPreviousPage()).toBe(after !== undefined);
    expect(page.cursors).toHaveLength(page.rows.length);
    if (!(await page.hasNextPage())) return rows;
    after = page.cursors.at(-1);
    await between();
  }
}

describe('a list that is read page by page', () => {
  it('gives each row once while others come and go, also where many were written in one millisecond', async () => {
    const moment = new Date('2026-01-02T03:04:05.678Z');
    const before: DatasetRow[] = [];
    for (let i = 0; i < 23; i++) {
      const createdAt = i < 15 ? moment : new Date(moment.getTime() - i);
      before.push(await newDataset(store.db, { createdAt }));
    }
    const ids = new Set(before.map(({ id }) => id));
    const removed = before.slice(-2).map(({ id }) => id);
    const read = await readAll((page) => datasetPage(store.db, page), {
      first: 4,
      between: async () => {
        await newDataset(store.db);
        for (const id of removed) await store.db.delete(datasets).where(eq(datasets.id, id));
      },
    });
    const seen = read.map(({ id }) => id).filter((id) => ids.has(id));
    expect(seen).toHaveLength(21);
    expect(new Set(seen)).toEqual(new Set([...ids].filter((id) => !removed.includes(id))));
    const keys = read.map(({ createdAt, id }) => `${createdAt.toISOString()} ${id}`);
    expect(keys).toEqual(keys.toSorted().reverse());
    expect(await countRows(store.db, datasetList())).toBeGreaterThan(21);
  });

  it('goes on after microseconds that a cursor does not hold', async () => {
    // The column rounds them to milliseconds when a row is written, so that a cursor names its row exactly.
    const micros = ['000400', '000499', '000500', '001400', '001499', '001500'];
    const written: string[] = [];
    for (const digits of micros) {
      const createdAt = sql`${`2099-01-01T00:00:00.${digits}Z`}::timestamptz`;
      const { id } = await newDataset(store.db);
      await store.db.update(datasets).set({ createdAt }).where(eq(datasets.id, id));
      written.push(id);
    }
    const read: DatasetRow[] = [];
    for (let after: string | undefined; read.length < micros.length; ) {
      const page = await datasetPage(store.db, { first: 1, after });
      read.push(...page.rows);
      after = page.cursors[0];
    }
    expect(new Set(read.map(({ id }) => id))).toEqual(new Set(written));
    expect(read.map(({ createdAt }) => createdAt.getUTCMilliseconds())).toEqual([2, 1, 1, 1, 0, 0]);
  });

  it('orders labels by name and works by file', async () => {
    const names = ['Zorn', 'Ásgrímur', 'Anna', 'anna', 'Monet', '"; drop table labels; --'];
    const labels = await upsertLabels(
      store.db,
      names.map((name, i) => ({ kind: 'artist' as const, slug: `a-${i}`, name })),
    );
    const read = await readAll((page) => readPage(store.db, labelList('artist'), page), { first: 2 });
    expect(read.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    const artistId = labels.get('artist:a-0')?.id ?? null;
    const dataset = await newDataset(store.db);
    const files = ['b/2.png', 'a/1.png', 'é.png', 'c.png', 'b/10.png'];
    await replaceArtworks(
      store.db,
      dataset.id,
      files.map((file, packIndex) => ({ file, packIndex, artistId })),
    );
    for (const filter of [{ dataset: dataset.id }, { artist: artistId }, { artist: 'a-0', dataset: dataset.slug }]) {
      const works = await readAll((page) => readPage(store.db, artworkList(filter), page), { first: 2 });
      expect(works.map(({ file }) => file)).toEqual(files.toSorted());
    }
  });

  it('gives each kept picture once while more are kept', async () => {
    const { id: modelId } = await newModel(store.db);
    const labels = await upsertLabels(store.db, [{ kind: 'genre', slug: 'kept', name: 'Kept' }]);
    const genreId = labels.get('genre:kept')?.id ?? '';
    const keptAt = new Date('2026-01-02T03:04:05.678Z');
    const picture = (id: string, at: Date) => {
      const size = { width: 32, height: 32 };
      return { id, modelId, genreId, seed: 1, truncation: 1, sha256: id, ...size, keptAt: at };
    };
    const ids = Array.from({ length: 17 }, (): string => randomUUID());
    await keepImages(
      store.db,
      ids.map((id) => picture(id, keptAt)),
    );
    for (const filter of [{}, { genre: genreId }]) {
      const list = imageList(await pickImages(store.db, filter));
      const read = await readAll((page) => readPage(store.db, list, page), {
        first: 5,
        between: () => keepImages(store.db, [picture(randomUUID(), new Date())]),
      });
      expect(read.map(({ id }) => id).filter((id) => ids.includes(id))).toEqual(ids.toSorted().reverse());
    }
  });

  it('gives the samples of a run as they were painted, up to those painted meanwhile', async () => {
    const run = await newRun(store.db, (await newDataset(store.db)).id);
    const fence = (await claimNextRun(store.db, { owner: 'me', leaseMs: 60_000 }))?.fence ?? -1;
    let step = 0;
    const paint = () => {
      const grid = { columns: 1, rows: 1, labels: [], sha256: 'a', width: 1, height: 1 };
      return appendEvent(store.db, {
        runId: run.id,
        fence,
        body: { type: 'sample', id: `sample-${step}`, step: step++, ...grid },
      });
    };
    for (let i = 0; i < 7; i++) await paint();
    const read = await readAll((page) => pageFor(store.db, samplesOfRuns(), run.id, page), {
      first: 3,
      between: async () => (step < 9 ? paint() : undefined),
    });
    expect(read.map(eventOf).map(({ body }) => body.type === 'sample' && body.step)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8,
    ]);
  });

  it('refuses what is no cursor of this list', async () => {
    await newDataset(store.db);
    const { cursors } = await datasetPage(store.db, { first: 1 });
    const id = randomUUID();
    const forged = [
      '',
      'x',
      '1',
      'a'.repeat(10_000),
      cursors[0]?.slice(0, -3) ?? '',
      Buffer.from('[]').toString('base64url'),
      Buffer.from('null').toString('base64url'),
      Buffer.from(JSON.stringify([2, 'dataset', new Date().toISOString(), id])).toString('base64url'),
      encodeCursor('run', [new Date().toISOString(), id]),
      encodeCursor('dataset', [new Date().toISOString()]),
      encodeCursor('dataset', [new Date().toISOString(), id, id]),
      encodeCursor('dataset', ['yesterday', id]),
      encodeCursor('dataset', ['now', id]),
      encodeCursor('dataset', ['infinity', id]),
      encodeCursor('dataset', ['Tue Nov 24 2026 (a place)', id]),
      encodeCursor('dataset', ['+275760-09-13T00:00:00.000Z', id]),
      encodeCursor('dataset', ['0000-01-01T00:00:00.000Z', id]),
      encodeCursor('dataset', [12, id]),
      encodeCursor('dataset', [new Date().toISOString(), 12]),
      encodeCursor('dataset', [new Date().toISOString(), 'a\0b']),
    ];
    forged.push(encodeCursor('dataset.CREATED_AT.ASC', [new Date().toISOString(), id]));
    for (const cursor of forged) {
      for (const argument of ['after', 'before']) {
        await expect(datasetPage(store.db, { first: 1, [argument]: cursor }), cursor).rejects.toMatchObject({
          code: 'INVALID_INPUT',
          path: [argument],
        });
      }
    }
    const byName = datasetList({}, { field: 'NAME', direction: 'ASC' });
    await expect(readPage(store.db, byName, { after: cursors[0] })).rejects.toMatchObject({ path: ['after'] });
    for (const date of ['-000001-12-31', '-271821-04-20', '10000-01-01', '2026-02-30', '2026-13-01', '']) {
      const after = encodeCursor('dataset', [`${date}T00:00:00.000Z`, id]);
      await expect(datasetPage(store.db, { first: 1, after }), date).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
    for (const position of [1.5, 2 ** 31, -(2 ** 31), '1']) {
      const after = encodeCursor('issue', [position]);
      await expect(pageFor(store.db, issuesOfDatasets, id, { first: 1, after })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
    }
  });

  it('takes every cursor that a row could have', async () => {
    for (const date of ['0001-01-01T00:00:00.000Z', '0070-06-01T12:00:00.001Z', '9999-12-31T23:59:59.999Z']) {
      for (const id of ['', "'; drop table datasets; --", 'é浮🎨', '\ud800', 'x'.repeat(20_000)]) {
        const { rows } = await datasetPage(store.db, { first: 1, after: encodeCursor('dataset', [date, id]) });
        expect(rows).toHaveLength(date.startsWith('9999') ? 1 : 0);
      }
    }
    for (const position of [0, -0, -1, 2 ** 31 - 1]) {
      const after = encodeCursor('issue', [position]);
      expect((await pageFor(store.db, issuesOfDatasets, 'none', { first: 1, after })).rows).toEqual([]);
    }
  });

  it('gives from 1 to 100 rows', async () => {
    for (const first of [0, -1, 101, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(datasetPage(store.db, { first })).rejects.toMatchObject({ code: 'INVALID_INPUT', path: ['first'] });
    }
    expect((await datasetPage(store.db, { first: 100 })).rows.length).toBeGreaterThan(20);
  });
});
