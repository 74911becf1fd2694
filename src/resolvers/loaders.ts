/**
 * One DataLoader per relation: what a list of parents asks for one by one is read in one statement. Made anew for each
 * operation; a subscription's remember nothing, because it lives longer than the rows stay as they are.
 */
import DataLoader from 'dataloader';
import type { RunEvent } from '../core/events.ts';
import type { LabelKind } from '../core/labels.ts';
import type { Page } from '../core/paging.ts';
import { checkpointsByIds, checkpointsOf } from '../store/checkpoints.ts';
import { artworkCountsByDataset, artworksByIds, datasetsByIds } from '../store/datasets.ts';
import type { Db } from '../store/db.ts';
import { imageCounts } from '../store/images.ts';
import { artworkCounts, labelKey, labelsByIds, labelsBySlugs } from '../store/labels.ts';
import { modelsByIds, modelsByRuns } from '../store/models.ts';
import {
  issueCountsOfDatasets,
  issuePagesOfDatasets,
  labelCountsOfDatasets,
  labelPagesOfDatasets,
  sampleCountsOfRuns,
  samplePagesOfRuns,
} from '../store/nested-lists.ts';
import { artworkPagesOfLabels, imagePagesOfLabels } from '../store/nested-pages.ts';
import { measuresOf, metricsOfRuns, samplesByIds } from '../store/run-log.ts';
import { queuePlaces, runsByIds } from '../store/runs.ts';
import type { ArtworkRow, ImageRow, ImportIssueRow, LabelRow } from '../store/tables.ts';

/** The first page of a list that hangs on the row `id`; `kind` tells lists of one loader apart. */
export interface PageKey<Kind extends string> {
  readonly kind: Kind;
  readonly id: string;
  readonly first: number;
}

export type Loaders = ReturnType<typeof createLoaders>;

export function createLoaders(db: Db, { cache }: { readonly cache: boolean }) {
  const options = { cache };
  /** By a map from key to value; keys that it does not have are `otherwise`. */
  const fromMap = <Value, Otherwise>(
    read: (keys: string[]) => Promise<ReadonlyMap<string, Value>>,
    otherwise: Otherwise,
  ) =>
    new DataLoader<string, Value | Otherwise>(async (keys) => {
      const found = await read([...new Set(keys)]);
      return keys.map((key) => found.get(key) ?? otherwise);
    }, options);
  const byId = <Row extends { readonly id: string }>(read: (ids: string[]) => Promise<Row[]>) =>
    fromMap(async (ids) => new Map((await read(ids)).map((row) => [row.id, row])), undefined);

  return {
    label: byId((ids) => labelsByIds(db, ids)),
    labelBySlug: fromMap(
      async (keys) => new Map((await labelsBySlugs(db, keys)).map((row) => [labelKey(row), row])),
      undefined,
    ),
    artworksOfLabel: fromMap((ids) => artworkCounts(db, ids), 0),
    imagesOfLabel: fromMap((ids) => imageCounts(db, ids), 0),
    artworkPageOfLabel: pages<LabelKind, ArtworkRow>(options, (asked) => artworkPagesOfLabels(db, asked)),
    imagePageOfLabel: pages<LabelKind, ImageRow>(options, (asked) => imagePagesOfLabels(db, asked)),
    dataset: byId((ids) => datasetsByIds(db, ids)),
    artworksOfDataset: fromMap((ids) => artworkCountsByDataset(db, ids), 0),
    labelPageOfDataset: pages<LabelKind, LabelRow>(options, (asked) => labelPagesOfDatasets(db, asked)),
    labelsOfDataset: {
      artist: fromMap((ids) => labelCountsOfDatasets(db, 'artist', ids), 0),
      style: fromMap((ids) => labelCountsOfDatasets(db, 'style', ids), 0),
      genre: fromMap((ids) => labelCountsOfDatasets(db, 'genre', ids), 0),
    },
    issuePageOfDataset: pages<'issue', ImportIssueRow>(options, (asked) => issuePagesOfDatasets(db, asked)),
    issuesOfDataset: fromMap((ids) => issueCountsOfDatasets(db, ids), 0),
    artwork: byId((ids) => artworksByIds(db, ids)),
    sample: fromMap((ids) => samplesByIds(db, ids), undefined),
    run: byId((ids) => runsByIds(db, ids)),
    queuePlace: fromMap((ids) => queuePlaces(db, ids), null),
    samplePageOfRun: pages<'sample', RunEvent>(options, (asked) => samplePagesOfRuns(db, asked)),
    metricsOfRun: metrics(db, options),
    measuresOfRun: fromMap((ids) => measuresOf(db, ids), []),
    samplesOfRun: fromMap((ids) => sampleCountsOfRuns(db, ids), 0),
    checkpoint: byId((ids) => checkpointsByIds(db, ids)),
    checkpointsOfRun: fromMap((ids) => checkpointsOf(db, ids), []),
    model: byId((ids) => modelsByIds(db, ids)),
    modelOfRun: fromMap((ids) => modelsByRuns(db, ids), undefined),
  };
}

/** First pages of many parents: one read per kind and length of page. */
function pages<Kind extends string, Row>(
  options: { readonly cache: boolean },
  read: (asked: { kind: Kind; ids: string[]; first: number }) => Promise<Map<string, Page<Row>>>,
) {
  return perGroup<PageKey<Kind>, Page<Row>>(options, {
    groupOf: ({ kind, first }) => `${kind}:${first}`,
    read: ({ kind, first }, ids) => read({ kind, ids, first }),
    otherwise: () => new Error('No page was read'),
  });
}

interface MetricsKey {
  readonly id: string;
  readonly maxPoints: number;
}

/** Metrics of many runs: one read per number of points. */
function metrics(db: Db, options: { readonly cache: boolean }) {
  return perGroup<MetricsKey, RunEvent[]>(options, {
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
function perGroup<Key extends { readonly id: string }, Value>(
  options: { readonly cache: boolean },
  { groupOf, read, otherwise }: Group<Key, Value>,
) {
  return new DataLoader<Key, Value, string>(
    async (keys) => {
      const found = new Map<string, ReadonlyMap<string, Value>>();
      for (const like of keys) {
        const group = groupOf(like);
        if (found.has(group)) continue;
        const ids = keys.filter((key) => groupOf(key) === group).map(({ id }) => id);
        found.set(group, await read(like, [...new Set(ids)]));
      }
      return keys.map((key) => found.get(groupOf(key))?.get(key.id) ?? otherwise());
    },
    { ...options, cacheKeyFn: (key) => `${groupOf(key)}:${key.id}` },
  );
}
