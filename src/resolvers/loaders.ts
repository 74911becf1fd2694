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
import { metricsOfRuns, samplesByIds } from '../store/run-log.ts';
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
    samplesOfRun: fromMap((ids) => sampleCountsOfRuns(db, ids), 0),
    checkpoint: byId((ids) => checkpointsByIds(db, ids)),
    checkpointsOfRun: fromMap((ids) => checkpointsOf(db, ids), []),
    model: byId((ids) => modelsByIds(db, ids)),
    modelOfRun: fromMap((ids) => modelsByRuns(db, ids), undefined),
  };
}

interface MetricsKey {
  readonly id: string;
  readonly maxPoints: number;
}

/** Metrics of many runs: two statements per number of points. */
function metrics(db: Db, options: { readonly cache: boolean }) {
  return new DataLoader<MetricsKey, RunEvent[], string>(
    async (keys) => {
      const found = new Map<number, Map<string, RunEvent[]>>();
      for (const maxPoints of new Set(keys.map((key) => key.maxPoints))) {
        const ids = keys.filter((key) => key.maxPoints === maxPoints).map(({ id }) => id);
        found.set(maxPoints, await metricsOfRuns(db, [...new Set(ids)], maxPoints));
      }
      return keys.map(({ id, maxPoints }) => found.get(maxPoints)?.get(id) ?? []);
    },
    { ...options, cacheKeyFn: ({ id, maxPoints }) => `${maxPoints}:${id}` },
  );
}

/** First pages of many parents: one statement per kind and length of page. */
function pages<Kind extends string, Row>(
  options: { readonly cache: boolean },
  read: (asked: { kind: Kind; ids: string[]; first: number }) => Promise<Map<string, Page<Row>>>,
) {
  const groupOf = ({ kind, first }: Pick<PageKey<Kind>, 'kind' | 'first'>) => `${kind}:${first}`;
  return new DataLoader<PageKey<Kind>, Page<Row>, string>(
    async (keys) => {
      const found = new Map<string, Map<string, Page<Row>>>();
      for (const { kind, first } of keys) {
        const group = groupOf({ kind, first });
        if (found.has(group)) continue;
        const ids = keys.filter((key) => groupOf(key) === group).map(({ id }) => id);
        found.set(group, await read({ kind, ids: [...new Set(ids)], first }));
      }
      return keys.map((key) => found.get(groupOf(key))?.get(key.id) ?? new Error('No page was read'));
    },
    { ...options, cacheKeyFn: (key) => `${groupOf(key)}:${key.id}` },
  );
}
