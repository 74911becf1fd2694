/**
 * One DataLoader per relation: what a list of parents asks for one by one is read in one statement. Made anew for each
 * operation, and for each event of a subscription: they remember what they have read.
 */
import DataLoader from 'dataloader';
import type { RunEvent } from '../core/events.ts';
import { type Page, type PageRequest, windowOf } from '../core/paging.ts';
import { checkpointsByIds, checkpointsOf } from '../store/checkpoints.ts';
import { artworkCountsByDataset, artworksByIds, datasetsByIds } from '../store/datasets.ts';
import type { Db } from '../store/db.ts';
import { generationPlaces, generationsByIds } from '../store/generations.ts';
import { imagesByIds } from '../store/images.ts';
import { artworkCounts, labelKey, labelsByIds, labelsBySlugs } from '../store/labels.ts';
import { imageCountsByModel, modelsByCheckpoints, modelsByIds, modelsByRuns } from '../store/models.ts';
import { countRowsOf, type NestedList, readPages } from '../store/page.ts';
import { measuresOf, metricsOfRuns, samplesByIds } from '../store/run-log.ts';
import { queuePlaces, runsByIds } from '../store/runs.ts';
import { galleryLoaders } from './gallery-loaders.ts';

export type Loaders = ReturnType<typeof createLoaders>;

export function createLoaders(db: Db) {
  /** By a map from key to value; keys that it does not have are `otherwise`. */
  const fromMap = <Value, Otherwise>(
    read: (keys: string[]) => Promise<ReadonlyMap<string, Value>>,
    otherwise: Otherwise,
  ) =>
    new DataLoader<string, Value | Otherwise>(async (keys) => {
      const found = await read([...new Set(keys)]);
      return keys.map((key) => found.get(key) ?? otherwise);
    });
  const byId = <Row extends { readonly id: string }>(read: (ids: string[]) => Promise<Row[]>) =>
    fromMap(async (ids) => new Map((await read(ids)).map((row) => [row.id, row])), undefined);

  return {
    ...nestedLists(db),
    ...galleryLoaders(db),
    label: byId((ids) => labelsByIds(db, ids)),
    labelBySlug: fromMap(
      async (keys) => new Map((await labelsBySlugs(db, keys)).map((row) => [labelKey(row), row])),
      undefined,
    ),
    artworksOfLabel: fromMap((ids) => artworkCounts(db, ids), 0),
    dataset: byId((ids) => datasetsByIds(db, ids)),
    artworksOfDataset: fromMap((ids) => artworkCountsByDataset(db, ids), 0),
    artwork: byId((ids) => artworksByIds(db, ids)),
    sample: fromMap((ids) => samplesByIds(db, ids), undefined),
    keptImage: byId((ids) => imagesByIds(db, ids)),
    generation: byId((ids) => generationsByIds(db, ids)),
    generationPlace: fromMap((ids) => generationPlaces(db, ids), null),
    run: byId((ids) => runsByIds(db, ids)),
    queuePlace: fromMap((ids) => queuePlaces(db, ids), null),
    metricsOfRun: metrics(db),
    measuresOfRun: fromMap((ids) => measuresOf(db, ids), []),
    checkpoint: byId((ids) => checkpointsByIds(db, ids)),
    checkpointsOfRun: fromMap((ids) => checkpointsOf(db, ids), []),
    model: byId((ids) => modelsByIds(db, ids)),
    modelOfCheckpoint: fromMap((ids) => modelsByCheckpoints(db, ids), undefined),
    imagesOfModel: fromMap((ids) => imageCountsByModel(db, ids), 0),
    modelOfRun: fromMap((ids) => modelsByRuns(db, ids), undefined),
  };
}

interface NestedKey {
  readonly list: NestedList<unknown>;
  /** Of the parent. */
  readonly id: string;
}

interface PageKey extends NestedKey {
  readonly page: PageRequest;
}

/** Pages and lengths of lists that hang on rows: one read per list and page, for all parents. */
function nestedLists(db: Db) {
  const missing = () => new Error('The list of a parent was not read');
  const pages = perGroup<PageKey, Page<unknown>>({
    groupOf: ({ list, page }) => `${list.name}:${JSON.stringify(windowOf(page))}`,
    read: ({ list, page }, ids) => readPages(db, list, { ids, page }),
    otherwise: missing,
  });
  const counts = perGroup<NestedKey, number>({
    groupOf: ({ list }) => list.name,
    read: ({ list }, ids) => countRowsOf(db, list, ids),
    otherwise: missing,
  });
  return {
    /** @throws AppError INVALID_INPUT where no list has such a page. */
    page: async <Row>(list: NestedList<Row>, { id, page }: Omit<PageKey, 'list'>): Promise<Page<Row>> =>
      // The list says what its rows are.
      (await pages.load({ list, id, page })) as Page<Row>,
    count: (list: NestedList<unknown>, id: string): Promise<number> => counts.load({ list, id }),
  };
}

interface MetricsKey {
  readonly id: string;
  readonly maxPoints: number;
}

/** Metrics of many runs: one read per number of points. */
function metrics(db: Db) {
  return perGroup<MetricsKey, RunEvent[]>({
    groupOf: ({ maxPoints }) => String(maxPoints),
    read: ({ maxPoints }, ids) => metricsOfRuns(db, ids, maxPoints),
    otherwise: () => [],
  });
}

interface Group<Key, Value> {
  /** Keys of one group are read at once. */
  readonly groupOf: (key: Key) => string;
  /** `like`: any key of the group. */
  readonly read: (like: Key, ids: string[]) => Promise<ReadonlyMap<string, Value>>;
  readonly otherwise: () => Value | Error;
}

/** What hangs on rows and is asked for in ways that cannot be read together. */
function perGroup<Key extends { readonly id: string }, Value>({ groupOf, read, otherwise }: Group<Key, Value>) {
  return new DataLoader<Key, Value, string>(
    async (keys) => {
      const groups = new Map<string, Promise<ReadonlyMap<string, Value> | Error>>();
      for (const like of keys) {
        const group = groupOf(like);
        if (groups.has(group)) continue;
        const ids = keys.filter((key) => groupOf(key) === group).map(({ id }) => id);
        // What one group was refused for does not hinder the others.
        groups.set(group, read(like, [...new Set(ids)]).catch(asError));
      }
      return Promise.all(
        keys.map(async (key) => {
          const found = await groups.get(groupOf(key));
          return found instanceof Error ? found : (found?.get(key.id) ?? otherwise());
        }),
      );
    },
    { cacheKeyFn: (key) => `${groupOf(key)}:${key.id}` },
  );
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
