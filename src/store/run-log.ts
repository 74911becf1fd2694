/**
 * The durable log of a run: a row per event, numbered without a gap, committed before anyone is told. A notice says only
 * that a run has reached a number; readers page from the log.
 */
import { and, asc, eq, gt, gte, inArray, lte, or, sql } from 'drizzle-orm';
import { downsample } from '../core/downsample.ts';
import { AppError } from '../core/errors.ts';
import { type RunEvent, type RunEventBody, type RunEventType, runEventBody } from '../core/events.ts';
import { type Asked, given } from './conditions.ts';
import type { Db } from './db.ts';
import { byColumns, type OrderBy, type Orders, orderOf } from './order.ts';
import { type NestedList, nestedName } from './page.ts';
import { type RunRow, runEvents, runs } from './tables.ts';
import { announce, appendEntry, RUNS_TOPIC, runTopic } from './topic-log.ts';

const MOST_POINTS = 10_000;

export type EventRow = typeof runEvents.$inferSelect;

export interface Append {
  readonly runId: string;
  /** Of the claim that writes: an older one is refused. */
  readonly fence: number;
  readonly body: RunEventBody;
  /** Columns of the run's row that change with the event. */
  readonly patch?: Partial<RunRow>;
}

/** @returns the event's seq, or undefined where another claim has the run: then nothing was written. */
export function appendEvent(db: Db, { runId, fence, body, patch }: Append): Promise<number | undefined> {
  return db.transaction(async (tx) => {
    const [row] = await tx
      .update(runs)
      .set({ ...patch, lastSeq: sql`${runs.lastSeq} + 1` })
      .where(and(eq(runs.id, runId), eq(runs.fence, fence), eq(runs.status, 'RUNNING')))
      .returning({ seq: runs.lastSeq });
    if (row === undefined) return undefined;
    await writeEvent(tx, { runId, seq: row.seq, body });
    return row.seq;
  });
}

/** The row and its notice, in the transaction that gave out the seq; the notice leaves with the commit. */
export async function writeEvent(
  tx: Db,
  { runId, seq, body }: { readonly runId: string; readonly seq: number; readonly body: RunEventBody },
): Promise<void> {
  // Not now(), which is the transaction's start: times grow with seq, for seq was given out under the row's lock.
  await tx.insert(runEvents).values({ runId, seq, at: sql`clock_timestamp()`, type: body.type, body });
  await announce(tx, runTopic(runId), seq);
  if (body.type === 'state') await appendEntry(tx, RUNS_TOPIC, { runId, status: body.status, reason: body.reason });
}

export interface ReadEvents {
  readonly runId: string;
  /** Events after this seq; 0: from the start. */
  readonly after: number;
  readonly limit: number;
  readonly types?: readonly RunEventType[];
}

export async function readEvents(db: Db, { runId, after, limit, types }: ReadEvents): Promise<RunEvent[]> {
  const rows = await db
    .select()
    .from(runEvents)
    .where(
      and(
        eq(runEvents.runId, runId),
        gt(runEvents.seq, after),
        types === undefined ? undefined : inArray(runEvents.type, [...types]),
      ),
    )
    .orderBy(asc(runEvents.seq))
    .limit(limit);
  return rows.map(eventOf);
}

/**
 * Runs' metrics, at most `maxPoints` each: the first, the last and the extremes of the losses are among them. A long run
 * has very many, so that what is to be left out is chosen by three numbers each, and only the rest is read.
 * @throws AppError INVALID_INPUT where `maxPoints` is out of bounds.
 */
export async function metricsOfRuns(
  db: Db,
  runIds: readonly string[],
  maxPoints: number,
): Promise<Map<string, RunEvent[]>> {
  if (!Number.isInteger(maxPoints) || maxPoints < 1 || maxPoints > MOST_POINTS)
    throw new AppError('INVALID_INPUT', `maxPoints must be from 1 to ${MOST_POINTS}, not ${maxPoints}.`, {
      path: ['maxPoints'],
    });
  const points = await db
    .select({ runId: runEvents.runId, seq: runEvents.seq, dLoss: lossIn('dLoss'), gLoss: lossIn('gLoss') })
    .from(runEvents)
    .where(and(inArray(runEvents.runId, [...runIds]), eq(runEvents.type, 'metrics')))
    .orderBy(asc(runEvents.seq));
  const chosen = [...grouped(points, ({ runId }) => runId)].map(([runId, ofRun]) => {
    // By the sum, in which a spike of either shows.
    const seqs = downsample(ofRun, maxPoints, ({ dLoss, gLoss }) => dLoss + gLoss).map(({ seq }) => seq);
    // One parameter, however many there are.
    return and(eq(runEvents.runId, runId), sql`${runEvents.seq} = any(string_to_array(${seqs.join()}, ',')::int[])`);
  });
  if (chosen.length === 0) return new Map();
  const rows = await db
    .select()
    .from(runEvents)
    .where(or(...chosen))
    .orderBy(asc(runEvents.seq));
  return grouped(rows.map(eventOf), ({ runId }) => runId);
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item)) ?? [];
    groups.set(keyOf(item), group);
    group.push(item);
  }
  return groups;
}

function lossIn(name: 'dLoss' | 'gLoss') {
  return sql<number>`(${runEvents.body} ->> ${sql.raw(`'${name}'`)})::float8`.mapWith(Number);
}

export interface SampleFilter {
  /** Both ends included. */
  readonly stepFrom?: Asked<number>;
  readonly stepTo?: Asked<number>;
}

export type SampleField = 'STEP';

/** As they were painted: a run that goes on from a checkpoint may paint a step once more. */
export const sampleOrders: Orders<SampleField> = {
  name: 'sample',
  usual: { field: 'STEP', direction: 'ASC' },
  keys: { STEP: byColumns(runEvents.seq) },
};

/** The sample grids of each run. */
export function samplesOfRuns(filter: SampleFilter = {}, orderBy?: OrderBy<SampleField> | null): NestedList<EventRow> {
  const step = sql`(${runEvents.body} ->> 'step')::int`;
  return {
    name: nestedName('samplesOfRuns', filter, orderBy),
    table: runEvents,
    order: orderOf(sampleOrders, orderBy),
    where: and(
      eq(runEvents.type, 'sample'),
      given(filter.stepFrom, (from) => gte(step, from)),
      given(filter.stepTo, (to) => lte(step, to)),
    ),
    of: (runId) => sql`${runEvents.runId} = ${runId}`,
  };
}

export async function sampleById(db: Db, sampleId: string): Promise<RunEvent | undefined> {
  return (await samplesByIds(db, [sampleId])).get(sampleId);
}

export async function samplesByIds(db: Db, sampleIds: readonly string[]): Promise<Map<string, RunEvent>> {
  const id = sql<string>`${runEvents.body} ->> 'id'`;
  const rows = await db
    .select()
    .from(runEvents)
    .where(and(eq(runEvents.type, 'sample'), inArray(id, [...sampleIds])));
  return new Map(rows.map(eventOf).flatMap((event) => (event.body.type === 'sample' ? [[event.body.id, event]] : [])));
}

/** A run's measures, oldest first. */
export async function measuresOf(db: Db, runIds: readonly string[]): Promise<Map<string, RunEvent[]>> {
  const rows = await db
    .select()
    .from(runEvents)
    .where(and(inArray(runEvents.runId, [...runIds]), eq(runEvents.type, 'measures')))
    .orderBy(asc(runEvents.seq));
  return grouped(rows.map(eventOf), ({ runId }) => runId);
}

/** The KID of every step of a run that was measured. */
export async function kidsOf(db: Db, runId: string): Promise<Map<number, number>> {
  const events = (await measuresOf(db, [runId])).get(runId) ?? [];
  return new Map(events.flatMap(({ body }) => (body.type === 'measures' ? [[body.step, body.kid.value]] : [])));
}

export function eventOf({ runId, seq, at, body }: EventRow): RunEvent {
  return { runId, seq, at, body: runEventBody.parse(body) };
}
