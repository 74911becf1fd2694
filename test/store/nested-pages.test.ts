/** Pages of many parents in one statement: each must be the page that is read for that parent alone. */
import { randomUUID } from 'node:crypto';
import { and, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LABEL_KINDS } from '../../src/core/labels.ts';
import type { Page, PageRequest } from '../../src/core/paging.ts';
import { artworksOfLabels } from '../../src/store/artworks.ts';
import { issuesOfDatasets, replaceArtworks, replaceIssues } from '../../src/store/datasets.ts';
import type { Store } from '../../src/store/db.ts';
import { EVERYTHING } from '../../src/store/gallery-filter.ts';
import { imagesOf, keepImages } from '../../src/store/images.ts';
import { labelsOfDatasets, upsertLabels } from '../../src/store/labels.ts';
import { countRows, countRowsOf, type NestedList, readPage, readPages } from '../../src/store/page.ts';
import { appendEvent, samplesOfRuns } from '../../src/store/run-log.ts';
import { claimNextRun } from '../../src/store/runs.ts';
import { openTestStore } from '../helpers/database.ts';
import { newDataset, newModel, newRun } from './rows.ts';

const NONE = 'none';

let store: Store;
/** Of datasets, of runs, and of the labels of each kind: the last of each has nothing, and one is not there at all. */
const parents = { datasets: [NONE], runs: [NONE], artist: [NONE], style: [NONE], genre: [NONE] };

beforeAll(async () => {
  store = await openTestStore();
  const { db } = store;
  // Equal names, other cases and diacritics: what decides must be the same in both ways to read.
  const names = ['Same', 'Same', 'same', 'Ásgrímur', 'Zorn', 'anna'];
  const labels = await upsertLabels(
    db,
    LABEL_KINDS.flatMap((kind) => names.map((name, i) => ({ kind, slug: `n${i}`, name }))),
  );
  for (const kind of LABEL_KINDS) parents[kind].push(...names.map((_, i) => labels.get(`${kind}:n${i}`)?.id ?? ''));
  const idOf = (kind: 'artist' | 'style' | 'genre', i: number) =>
    i % 5 === 4 ? null : (labels.get(`${kind}:n${i % 5}`)?.id ?? null);
  const conditions = (i: number) => ({ artistId: idOf('artist', i), styleId: idOf('style', i + 1), genreId: null });

  for (const works of [9, 1, 0]) {
    const { id } = await newDataset(db);
    parents.datasets.push(id);
    const files = Array.from({ length: works }, (_, i) => ({
      file: `f${i}`,
      title: i % 3 === 0 ? null : `Title ${i % 2}`,
      year: i % 4 === 0 ? null : 1899 + (i % 3),
      packIndex: i,
      ...conditions(i),
    }));
    await replaceArtworks(db, id, files);
    await replaceIssues(
      db,
      id,
      Array.from({ length: works }, (_, i) => ({ file: `x${i}`, code: 'BAD', message: 'why' })),
    );
    const run = await newRun(db, id);
    const fence = (await claimNextRun(db, { owner: 'me', leaseMs: 60_000 }))?.fence ?? -1;
    parents.runs.push(run.id);
    const grid = { columns: 1, rows: 1, labels: [], sha256: 'a', width: 1, height: 1 };
    for (let step = 0; step < works; step++) {
      const body = { type: 'sample' as const, id: randomUUID(), step, ...grid };
      await appendEvent(db, { runId: run.id, fence, body });
    }
  }
  const { id: modelId } = await newModel(db);
  const picture = { modelId, seed: 1, truncation: 1, sha256: 'a', width: 1, height: 1 };
  const moments = Array.from({ length: 14 }, (_, i) => new Date(Date.UTC(2026, 0, 1, 0, 0, 0, i % 3)));
  await keepImages(
    db,
    moments.map((keptAt, i) => ({ ...picture, id: randomUUID(), keptAt, ...conditions(i) })),
  );
});
afterAll(() => store[Symbol.asyncDispose]());

const told = async <Row>({ rows, cursors, hasNextPage, hasPreviousPage }: Page<Row>) => {
  return { rows, cursors, next: await hasNextPage(), previous: await hasPreviousPage() };
};

/** One statement, and the same rows, cursors and flags, for pages that are too short, just right and too long. */
async function expectSame<Row>(list: NestedList<Row>, ids: readonly string[]): Promise<void> {
  // What is known of a list's length is compared with what is counted.
  const way = list.way && { ...list.way, counted: undefined };
  const alone = (id: string) => ({ ...list, way, where: and(list.where, list.of(sql`${id}`)) });
  const sizes: PageRequest[] = [1, 2, 3, 8, 9, 100].flatMap((size) => [{ first: size }, { last: size }]);
  let cursors: string[] = [];
  for (const id of ids) cursors = [...cursors, ...(await readPage(store.db, alone(id), { first: 9 })).cursors];
  const [early, late] = [cursors[1], cursors.at(-1)];
  const ranges = [
    { after: early },
    { last: 2, before: late },
    { first: 2, after: early, before: late },
    { last: 1, after: early },
  ];
  for (const page of [...sizes, ...ranges]) {
    const before = store.statements();
    const pages = await readPages(store.db, list, { ids, page });
    expect(store.statements() - before).toBe(1);
    const answers = await Promise.all([...pages].map(async ([id, found]) => [id, await told(found)] as const));
    // Whatever is asked of them: one question for all.
    expect(store.statements() - before).toBeLessThanOrEqual(2);
    expect(answers.map(([id]) => id)).toEqual(ids);
    for (const [id, answer] of answers) {
      const one = await told(await readPage(store.db, alone(id), page));
      expect(answer, `${JSON.stringify(page)} of ${id}`).toEqual(one);
    }
  }
  const counts = await countRowsOf(store.db, list, ids);
  for (const id of ids) expect(counts.get(id)).toBe(await countRows(store.db, alone(id)));
  expect(cursors.length).toBeGreaterThan(0);
}

describe('pages of many parents at once', () => {
  it.each(['artist', 'style'] as const)('are those of each alone: works of labels, %s', async (kind) => {
    await expectSame(artworksOfLabels(kind), parents[kind]);
    await expectSame(artworksOfLabels(kind, { yearFrom: 1900 }, { field: 'YEAR', direction: 'DESC' }), parents[kind]);
    await expectSame(artworksOfLabels(kind, {}, { field: 'TITLE', direction: 'ASC' }), parents[kind]);
  });

  it.each(['artist', 'style'] as const)('are those of each alone: kept pictures of labels, %s', async (kind) => {
    await expectSame(imagesOf(kind), parents[kind]);
    await expectSame(imagesOf(kind, EVERYTHING, { field: 'KEPT_AT', direction: 'ASC' }), parents[kind]);
  });

  it.each(['artist', 'style'] as const)('are those of each alone: labels of datasets, %s', async (kind) => {
    await expectSame(labelsOfDatasets(kind), parents.datasets);
    const by = { field: 'ARTWORK_COUNT', direction: 'DESC' } as const;
    await expectSame(labelsOfDatasets(kind, { name: 'SAME' }, by), parents.datasets);
  });

  it('are those of each alone: import issues of datasets', async () => {
    await expectSame(issuesOfDatasets, parents.datasets);
  });

  it('are those of each alone: samples of runs', async () => {
    await expectSame(samplesOfRuns(), parents.runs);
    await expectSame(samplesOfRuns({ stepFrom: 2, stepTo: 6 }, { field: 'STEP', direction: 'DESC' }), parents.runs);
  });

  it('are empty for labels that nothing has, and for no parents at all', async () => {
    const pages = await readPages(store.db, artworksOfLabels('genre'), { ids: parents.genre, page: { first: 5 } });
    expect(pages.size).toBe(parents.genre.length);
    expect([...pages.values()].flatMap(({ rows }) => rows)).toEqual([]);
    const before = store.statements();
    for (const list of [imagesOf('style'), issuesOfDatasets, samplesOfRuns()]) {
      expect((await readPages<unknown>(store.db, list, { ids: [], page: {} })).size).toBe(0);
    }
    expect(store.statements()).toBe(before);
  });

  it('have from 1 to 100 rows each', async () => {
    for (const size of [0, 101, 1.5]) {
      for (const end of ['first', 'last']) {
        const read = readPages(store.db, artworksOfLabels('style'), { ids: [NONE], page: { [end]: size } });
        await expect(read).rejects.toMatchObject({ code: 'INVALID_INPUT', path: [end] });
      }
    }
  });
});
