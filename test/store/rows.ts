/** Rows to begin a test with, and how tests read them. */
import { randomUUID } from 'node:crypto';
import type { Page, PageRequest } from '../../src/core/paging.ts';
import { resolveConfig } from '../../src/core/presets.ts';
import { insertDataset } from '../../src/store/datasets.ts';
import type { Db } from '../../src/store/db.ts';
import { insertModel } from '../../src/store/models.ts';
import { type NestedList, readPages } from '../../src/store/page.ts';
import { insertRun } from '../../src/store/runs.ts';
import type { DatasetRow, ModelRow, RunRow } from '../../src/store/tables.ts';

type Given<Insert extends (db: Db, row: never) => unknown> = Partial<Parameters<Insert>[1]>;

export function newDataset(db: Db, given: Given<typeof insertDataset> = {}): Promise<DatasetRow> {
  const slug = given.slug ?? `dataset-${randomUUID()}`;
  return insertDataset(db, {
    slug,
    name: slug,
    path: `/collections/${slug}`,
    layout: 'AUTO',
    status: 'READY',
    maxResolution: 64,
    ...given,
  });
}

let queued = 0;

/** Each is in the queue a millisecond after the one before, however fast they are written. */
export function newRun(db: Db, datasetId: string): Promise<RunRow> {
  return insertRun(db, {
    queuedAt: new Date(Date.UTC(2020, 0, 1) + queued++),
    id: randomUUID(),
    name: 'run',
    datasetId,
    preset: 'studio',
    config: {},
    resolution: 32,
    seed: 2 ** 53 - 1,
    totalSteps: 10,
  });
}

export function newModel(db: Db, given: Given<typeof insertModel> = {}): Promise<ModelRow> {
  const id = randomUUID();
  return insertModel(db, {
    id,
    name: 'model',
    sha256: '0'.repeat(64),
    dir: `models/${id}`,
    resolution: 32,
    card: cardOf({ artist: [], style: [], genre: [] }),
    ...given,
  });
}

/** A page of the list of one parent. */
export async function pageFor<Row>(db: Db, list: NestedList<Row>, id: string, page: PageRequest): Promise<Page<Row>> {
  const found = (await readPages(db, list, { ids: [id], page })).get(id);
  if (found === undefined) throw new Error('No page was read');
  return found;
}

export function cardOf(labels: Record<'artist' | 'style' | 'genre', { slug: string; name: string; count: number }[]>) {
  return {
    format: 1,
    name: 'model',
    config: resolveConfig({ preset: 'studio', resolution: 32 }),
    labels,
    sha256: '0'.repeat(64),
    provenance: {
      seed: 1,
      step: 10,
      totalSteps: 10,
      datasetSha256: '0'.repeat(64),
      checkpointSha256: '0'.repeat(64),
      device: 'CPU',
    },
  };
}
