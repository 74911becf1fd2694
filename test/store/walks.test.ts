/**
 * Random walks through lists, forward and backward, while rows come and go: what was there all the time is met once, and
 * what a page says of its neighbours is true. Every order of the works, whose titles and years are often missing.
 */
import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page, PageRequest } from '../../src/core/paging.ts';
import { type ArtworkField, artworkList, artworkOrders } from '../../src/store/artworks.ts';
import type { Store } from '../../src/store/db.ts';
import { labelList, upsertLabels } from '../../src/store/labels.ts';
import { DIRECTIONS, type Direction } from '../../src/store/order.ts';
import { countRows, type List, readPage } from '../../src/store/page.ts';
import { runList } from '../../src/store/runs.ts';
import { type ArtworkRow, artworks, runs } from '../../src/store/tables.ts';
import { openTestStore } from '../helpers/database.ts';
import { newDataset, newRun } from './rows.ts';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store[Symbol.asyncDispose]());

/** A generator of numbers below `below`, the same for every run of the tests. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Roll = ReturnType<typeof dice>;

async function addWork(datasetId: string, roll: Roll): Promise<string> {
  const id = randomUUID();
  const title = roll(3) === 0 ? null : ['', 'a', 'A', 'b', 'é', '"', '浮世絵'][roll(7)];
  const year = roll(3) === 0 ? null : [-1, 0, 1, 1900, 2 ** 31 - 1, -(2 ** 31 - 1)][roll(6)];
  await store.db.insert(artworks).values({ id, datasetId, file: `${roll(5)}/${id}`, title, year, packIndex: 0 });
  return id;
}

const removeWork = (id: string) => store.db.delete(artworks).where(eq(artworks.id, id));

const orders = (Object.keys(artworkOrders.keys) as ArtworkField[]).flatMap((field) =>
  DIRECTIONS.map((direction): [ArtworkField, Direction] => [field, direction]),
);

interface Walk {
  readonly backward: boolean;
  readonly size: () => number;
  readonly between?: () => Promise<unknown>;
}

/** All rows in the list's order, read page by page from one end to the other. */
async function walked<Row>(list: List<Row>, { backward, size, between }: Walk): Promise<Row[]> {
  const pages: Row[][] = [];
  for (let cursor: string | undefined; ; ) {
    const request: PageRequest = backward ? { last: size(), before: cursor } : { first: size(), after: cursor };
    const page = await readPage(store.db, list, request);
    pages.push(page.rows);
    // The row of the cursor itself may have been taken away, but rows that stay lie behind it.
    const behind = backward ? page.hasNextPage : page.hasPreviousPage;
    expect(await behind()).toBe(cursor !== undefined);
    if (!(await (backward ? page.hasPreviousPage() : page.hasNextPage()))) break;
    cursor = backward ? page.cursors[0] : page.cursors.at(-1);
    await between?.();
  }
  return (backward ? pages.toReversed() : pages).flat();
}

const idsOf = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

const flagsOf = async ({ hasPreviousPage, hasNextPage }: Page<unknown>) => [
  await hasPreviousPage(),
  await hasNextPage(),
];

describe.each(orders)('works by %s %s', (field, direction) => {
  it('are met once each, from either end, while others come and go', async () => {
    for (let round = 0; round < 4; round++) {
      const roll = dice(round * 31 + field.length + direction.length);
      const { id: dataset } = await newDataset(store.db);
      const list = artworkList({ dataset }, { field, direction });
      const staying: string[] = [];
      const others: string[] = [];
      for (let i = roll(30) + 2; i >= 0; i--) {
        staying.push(await addWork(dataset, roll));
        others.push(await addWork(dataset, roll));
      }
      const between = async () => {
        others.push(await addWork(dataset, roll));
        const [gone] = others.splice(roll(others.length), 1);
        if (gone !== undefined) await removeWork(gone);
      };
      for (const backward of [false, true]) {
        const met = idsOf(await walked(list, { backward, size: () => roll(6) + 3, between }));
        expect(new Set(met).size).toBe(met.length);
        expect(met.filter((id) => staying.includes(id)).toSorted()).toEqual(staying.toSorted());
      }
      const forth = idsOf(await walked(list, { backward: false, size: () => roll(6) + 1 }));
      const back = idsOf(await walked(list, { backward: true, size: () => roll(6) + 1 }));
      expect(back).toEqual(forth);
      expect(forth).toHaveLength(await countRows(store.db, list));
    }
  });

  it('are sorted, those without a value at the end', async () => {
    const { id: dataset } = await newDataset(store.db);
    const roll = dice(5);
    for (let i = 0; i < 30; i++) await addWork(dataset, roll);
    const rows = await walked(artworkList({ dataset }, { field, direction }), { backward: true, size: () => 7 });
    const value = (row: ArtworkRow) => ({ FILE: row.file, TITLE: row.title, YEAR: row.year })[field];
    const values = rows.map(value);
    const present = values.filter((each) => each !== null);
    expect(values.slice(0, present.length)).toEqual(present);
    if (field === 'YEAR') {
      const years = present.map(Number);
      expect(years).toEqual(years.toSorted((a, b) => (direction === 'ASC' ? a - b : b - a)));
    } else {
      const bytes = present.map((text) => Buffer.from(String(text)).toString('hex'));
      expect(bytes).toEqual(direction === 'ASC' ? bytes.toSorted() : bytes.toSorted().reverse());
    }
  });

  it('are cut out by any two cursors, and the flags say what lies around', async () => {
    const { id: dataset } = await newDataset(store.db);
    const roll = dice(11);
    for (let i = 0; i < 8; i++) await addWork(dataset, roll);
    const list = artworkList({ dataset }, { field, direction });
    const { rows, cursors } = await readPage(store.db, list, { first: 100 });
    for (let from = -1; from < rows.length; from++) {
      for (let to = 0; to <= rows.length; to++) {
        const cut = idsOf(rows.slice(from + 1, Math.max(from + 1, to)));
        const range = { after: cursors[from], before: cursors[to] };
        const first = await readPage(store.db, list, { first: 3, ...range });
        expect(idsOf(first.rows)).toEqual(cut.slice(0, 3));
        expect(await flagsOf(first)).toEqual([from >= 0, cut.length > 3]);
        const last = await readPage(store.db, list, { last: 3, ...range });
        expect(idsOf(last.rows)).toEqual(cut.slice(-3));
        expect(await flagsOf(last)).toEqual([cut.length > 3, to < rows.length]);
      }
    }
  });
});

describe('what a page says of its neighbours', () => {
  it('is true where the row of its cursor has gone, and asks only when it must', async () => {
    const { id: dataset } = await newDataset(store.db);
    const list = artworkList({ dataset });
    const roll = dice(3);
    for (let i = 0; i < 3; i++) await addWork(dataset, roll);
    const { rows, cursors } = await readPage(store.db, list, {});
    const [head, , tail] = rows;
    const end = await readPage(store.db, list, { after: cursors[2] });
    expect([end.rows, ...(await flagsOf(end))]).toEqual([[], true, false]);
    const start = await readPage(store.db, list, { last: 5, before: cursors[0] });
    expect([start.rows, ...(await flagsOf(start))]).toEqual([[], false, true]);
    for (const gone of [head, tail]) await removeWork(gone?.id ?? '');
    expect(await flagsOf(await readPage(store.db, list, { after: cursors[0] }))).toEqual([false, false]);
    expect(await flagsOf(await readPage(store.db, list, { last: 5, before: cursors[2] }))).toEqual([false, false]);

    const before = store.statements();
    const page = await readPage(store.db, list, { first: 1 });
    await flagsOf(page);
    expect(store.statements() - before).toBe(1);
    const next = await readPage(store.db, list, { after: cursors[0] });
    await next.hasNextPage();
    expect(store.statements() - before).toBe(2);
    await Promise.all([next.hasPreviousPage(), next.hasPreviousPage()]);
    expect(store.statements() - before).toBe(3);
  });
});

describe('orders by what is counted or may be missing', () => {
  it('walk labels by the number of their works', async () => {
    const { id: datasetId } = await newDataset(store.db);
    const slugs = Array.from({ length: 9 }, (_, i) => `walk-${i}`);
    const made = await upsertLabels(
      store.db,
      slugs.map((slug) => ({ kind: 'genre' as const, slug, name: 'walk 100% _' })),
    );
    for (const [i, { id: genreId }] of [...made.values()].entries()) {
      const works = Array.from({ length: i % 4 }, () => ({ id: randomUUID(), datasetId, genreId, packIndex: 0 }));
      if (works.length > 0) await store.db.insert(artworks).values(works.map((work) => ({ ...work, file: work.id })));
    }
    for (const direction of DIRECTIONS) {
      const list = labelList('genre', { name: 'WALK 100%' }, { field: 'ARTWORK_COUNT', direction });
      for (const backward of [false, true]) {
        const slugsMet = (await walked(list, { backward, size: () => 2 })).map(({ slug }) => slug);
        const counts = slugsMet.map((slug) => slugs.indexOf(slug) % 4);
        expect(counts).toEqual([0, 0, 0, 1, 1, 2, 2, 3, 3].toSorted((a, b) => (direction === 'ASC' ? a - b : b - a)));
      }
    }
    const named = (name: string) => countRows(store.db, labelList('genre', { name }));
    expect(await Promise.all(['100%', '%', '_', '\\', '1_0', ''].map(named))).toEqual([9, 9, 9, 0, 0, 9]);
    const used = (hasArtworks: boolean) => countRows(store.db, labelList('genre', { hasArtworks }));
    expect([await used(true), await used(false)]).toEqual([6, 3]);
  });

  it('walk runs by their end, those without one at the end', async () => {
    const { id: datasetId } = await newDataset(store.db);
    for (let i = 0; i < 9; i++) {
      const { id } = await newRun(store.db, datasetId);
      const finishedAt = i % 3 === 0 ? null : new Date(Date.UTC(2026, 0, 1, 0, 0, 0, i % 2));
      await store.db.update(runs).set({ finishedAt }).where(eq(runs.id, id));
    }
    for (const direction of DIRECTIONS) {
      const list = runList({ dataset: datasetId }, { field: 'FINISHED_AT', direction });
      const forth = await walked(list, { backward: false, size: () => 2 });
      expect(idsOf(await walked(list, { backward: true, size: () => 4 }))).toEqual(idsOf(forth));
      const times = forth.map(({ finishedAt }) => finishedAt?.getUTCMilliseconds() ?? null);
      const sorted = direction === 'ASC' ? [0, 0, 0, 1, 1, 1] : [1, 1, 1, 0, 0, 0];
      expect(times).toEqual([...sorted, null, null, null]);
    }
  });
});
