/**
 * As nested-pages.ts: first pages and counts of many parents in one statement each, for what hangs on datasets (labels,
 * import issues) and on runs (samples).
 */
import { and, count, countDistinct, eq, inArray, isNotNull, lte, sql } from 'drizzle-orm';
import type { RunEvent } from '../core/events.ts';
import type { LabelKind } from '../core/labels.ts';
import { checkedFirst, type Page } from '../core/paging.ts';
import { byPosition } from './datasets.ts';
import type { Db } from './db.ts';
import { byName, labelColumn } from './labels.ts';
import { pagesOf, placeWithin } from './nested-pages.ts';
import { bySeq, eventOf } from './run-log.ts';
import { artworks, type ImportIssueRow, importIssues, type LabelRow, labels, runEvents } from './tables.ts';

interface FirstPages {
  /** Of the parents. */
  readonly ids: readonly string[];
  readonly first: number;
}

/** The labels of one kind that works of each of these datasets have. */
export async function labelPagesOfDatasets(
  db: Db,
  { kind, ids, first }: FirstPages & { readonly kind: LabelKind },
): Promise<Map<string, Page<LabelRow>>> {
  const used = db
    .selectDistinct({ datasetId: artworks.datasetId, labelId: sql<string>`${labelColumn[kind]}`.as('label_id') })
    .from(artworks)
    .where(and(inArray(artworks.datasetId, [...ids]), isNotNull(labelColumn[kind])))
    .as('used');
  const place = sql<number>`row_number() over (partition by ${used.datasetId} order by ${labels.name}, ${labels.id})`;
  const ranked = db
    .select({ datasetId: used.datasetId, labelId: used.labelId, place: place.mapWith(Number).as('place') })
    .from(used)
    .innerJoin(labels, eq(labels.id, used.labelId))
    .as('ranked');
  const rows = await db
    .select({ row: labels, parent: ranked.datasetId })
    .from(labels)
    .innerJoin(ranked, eq(labels.id, ranked.labelId))
    .where(lte(ranked.place, checkedFirst(first) + 1))
    .orderBy(labels.name, labels.id);
  return pagesOf(rows, { ids, first, order: byName });
}

/** By dataset; those without such a label are absent. */
export async function labelCountsOfDatasets(
  db: Db,
  kind: LabelKind,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const rows = await db
    .select({ id: artworks.datasetId, labels: countDistinct(labelColumn[kind]) })
    .from(artworks)
    .where(inArray(artworks.datasetId, [...ids]))
    .groupBy(artworks.datasetId);
  return new Map(rows.map(({ id, labels }) => [id, labels]));
}

/** What the newest import of each of these datasets passed over. */
export async function issuePagesOfDatasets(
  db: Db,
  { ids, first }: FirstPages,
): Promise<Map<string, Page<ImportIssueRow>>> {
  const parent = importIssues.datasetId;
  const ranked = db
    .select({
      datasetId: parent,
      position: importIssues.position,
      place: placeWithin(parent, [importIssues.position], 'asc').as('place'),
    })
    .from(importIssues)
    .where(inArray(parent, [...ids]))
    .as('ranked');
  const rows = await db
    .select({ row: importIssues, parent })
    .from(importIssues)
    .innerJoin(ranked, and(eq(parent, ranked.datasetId), eq(importIssues.position, ranked.position)))
    .where(lte(ranked.place, checkedFirst(first) + 1))
    .orderBy(importIssues.position);
  return pagesOf(rows, { ids, first, order: byPosition });
}

/** By dataset; those whose import passed over nothing are absent. */
export async function issueCountsOfDatasets(db: Db, ids: readonly string[]): Promise<Map<string, number>> {
  const rows = await db
    .select({ id: importIssues.datasetId, issues: count() })
    .from(importIssues)
    .where(inArray(importIssues.datasetId, [...ids]))
    .groupBy(importIssues.datasetId);
  return new Map(rows.map(({ id, issues }) => [id, issues]));
}

/** The sample grids of each of these runs. */
export async function samplePagesOfRuns(db: Db, { ids, first }: FirstPages): Promise<Map<string, Page<RunEvent>>> {
  const parent = runEvents.runId;
  const ranked = db
    .select({ runId: parent, seq: runEvents.seq, place: placeWithin(parent, [runEvents.seq], 'asc').as('place') })
    .from(runEvents)
    .where(and(inArray(parent, [...ids]), eq(runEvents.type, 'sample')))
    .as('ranked');
  const rows = await db
    .select({ row: runEvents, parent })
    .from(runEvents)
    .innerJoin(ranked, and(eq(parent, ranked.runId), eq(runEvents.seq, ranked.seq)))
    .where(lte(ranked.place, checkedFirst(first) + 1))
    .orderBy(runEvents.seq);
  const pages = pagesOf(rows, { ids, first, order: bySeq });
  return new Map([...pages].map(([id, { rows: events, ...page }]) => [id, { ...page, rows: events.map(eventOf) }]));
}

/** By run; those without a sample are absent. */
export async function sampleCountsOfRuns(db: Db, ids: readonly string[]): Promise<Map<string, number>> {
  const rows = await db
    .select({ id: runEvents.runId, samples: count() })
    .from(runEvents)
    .where(and(inArray(runEvents.runId, [...ids]), eq(runEvents.type, 'sample')))
    .groupBy(runEvents.runId);
  return new Map(rows.map(({ id, samples }) => [id, samples]));
}
