/** Pages of many parents in one statement: each must be the page that is read for that parent alone. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LABEL_KINDS } from '../../src/core/labels.ts';
import type { Page } from '../../src/core/paging.ts';
import {
  artworkPage,
  importIssueCount,
  importIssuePage,
  replaceArtworks,
  replaceIssues,
} from '../../src/store/datasets.ts';
import type { Store } from '../../src/store/db.ts';
import { imagePage, keepImages } from '../../src/store/images.ts';
import { labelCount, labelPage, upsertLabels } from '../../src/store/labels.ts';
import {
  issueCountsOfDatasets,
  issuePagesOfDatasets,
  labelCountsOfDatasets,
  labelPagesOfDatasets,
  sampleCountsOfRuns,
  samplePagesOfRuns,
} from '../../src/store/nested-lists.ts';
import { artworkPagesOfLabels, imagePagesOfLabels } from '../../src/store/nested-pages.ts';
import { appendEvent, sampleCount, samplePage } from '../../src/store/run-log.ts';
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
    const files = Array.from({ length: works }, (_, i) => ({ file: `f${i}`, packIndex: i, ...conditions(i) }));
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

interface Both<Row> {
  readonly ids: readonly string[];
  readonly together: (first: number) => Promise<Map<string, Page<Row>>>;
  readonly alone: (id: string, first: number) => Promise<Page<Row>>;
}

/** One statement, and the same rows, cursors and flags, for pages that are too short, just right and too long. */
async function expectSame<Row>({ ids, together, alone }: Both<Row>): Promise<void> {
  let shown = 0;
  for (const first of [1, 2, 3, 8, 9, 100]) {
    const before = store.statements();
    const pages = await together(first);
    expect(store.statements() - before).toBe(1);
    expect([...pages.keys()]).toEqual(ids);
    for (const id of ids) {
      expect(pages.get(id), `${first} of ${id}`).toEqual(await alone(id, first));
      shown += pages.get(id)?.rows.length ?? 0;
    }
  }
  expect(shown).toBeGreaterThan(0);
}

describe('pages of many parents at once', () => {
  it.each(['artist', 'style'] as const)('are those of each alone: works of labels, %s', async (kind) => {
    await expectSame({
      ids: parents[kind],
      together: (first) => artworkPagesOfLabels(store.db, { kind, ids: parents[kind], first }),
      alone: (id, first) => artworkPage(store.db, { label: { kind, id } }, { first }),
    });
  });

  it.each(['artist', 'style'] as const)('are those of each alone: kept pictures of labels, %s', async (kind) => {
    await expectSame({
      ids: parents[kind],
      together: (first) => imagePagesOfLabels(store.db, { kind, ids: parents[kind], first }),
      alone: (id, first) => imagePage(store.db, { first }, { label: { kind, id } }),
    });
  });

  it.each(['artist', 'style'] as const)('are those of each alone: labels of datasets, %s', async (kind) => {
    const ids = parents.datasets;
    await expectSame({
      ids,
      together: (first) => labelPagesOfDatasets(store.db, { kind, ids, first }),
      alone: (datasetId, first) => labelPage(store.db, kind, { first }, { datasetId }),
    });
    const counts = await labelCountsOfDatasets(store.db, kind, ids);
    for (const datasetId of ids) {
      expect(counts.get(datasetId) ?? 0).toBe(await labelCount(store.db, kind, { datasetId }));
    }
  });

  it('are those of each alone: import issues of datasets', async () => {
    const ids = parents.datasets;
    await expectSame({
      ids,
      together: (first) => issuePagesOfDatasets(store.db, { ids, first }),
      alone: (id, first) => importIssuePage(store.db, id, { first }),
    });
    const counts = await issueCountsOfDatasets(store.db, ids);
    for (const id of ids) expect(counts.get(id) ?? 0).toBe(await importIssueCount(store.db, id));
  });

  it('are those of each alone: samples of runs', async () => {
    const ids = parents.runs;
    await expectSame({
      ids,
      together: (first) => samplePagesOfRuns(store.db, { ids, first }),
      alone: (id, first) => samplePage(store.db, id, { first }),
    });
    const counts = await sampleCountsOfRuns(store.db, ids);
    for (const id of ids) expect(counts.get(id) ?? 0).toBe(await sampleCount(store.db, id));
  });

  it('are empty for labels that nothing has, and for no parents at all', async () => {
    const pages = await artworkPagesOfLabels(store.db, { kind: 'genre', ids: parents.genre, first: 5 });
    expect([...pages.values()].flatMap(({ rows }) => rows)).toEqual([]);
    expect((await imagePagesOfLabels(store.db, { kind: 'style', ids: [], first: 5 })).size).toBe(0);
    expect((await labelPagesOfDatasets(store.db, { kind: 'style', ids: [], first: 5 })).size).toBe(0);
    expect((await issuePagesOfDatasets(store.db, { ids: [], first: 5 })).size).toBe(0);
    expect((await samplePagesOfRuns(store.db, { ids: [], first: 5 })).size).toBe(0);
  });

  it('go on where a cursor of theirs says', async () => {
    const id = parents.datasets[1] ?? '';
    const [kind, ids] = ['artist' as const, [id]];
    const first = (await labelPagesOfDatasets(store.db, { kind, ids, first: 2 })).get(id);
    const rest = await labelPage(store.db, kind, { first: 100, after: first?.cursors.at(-1) }, { datasetId: id });
    const all = await labelPage(store.db, kind, { first: 100 }, { datasetId: id });
    expect([...(first?.rows ?? []), ...rest.rows]).toEqual(all.rows);
    expect(rest.rows.length).toBeGreaterThan(0);
  });

  it('have from 1 to 100 rows each', async () => {
    const refusal = { code: 'INVALID_INPUT', path: ['first'] };
    for (const first of [0, 101, 1.5]) {
      const [labelled, ofParents] = [
        { kind: 'style' as const, ids: parents.style, first },
        { ids: [NONE], first },
      ];
      await expect(artworkPagesOfLabels(store.db, labelled)).rejects.toMatchObject(refusal);
      await expect(imagePagesOfLabels(store.db, labelled)).rejects.toMatchObject(refusal);
      await expect(labelPagesOfDatasets(store.db, labelled)).rejects.toMatchObject(refusal);
      await expect(issuePagesOfDatasets(store.db, ofParents)).rejects.toMatchObject(refusal);
      await expect(samplePagesOfRuns(store.db, ofParents)).rejects.toMatchObject(refusal);
    }
  });
});
