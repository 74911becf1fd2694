/** Training runs: rows that are their own queue. Claimed with SKIP LOCKED, held by a lease, written under a fence. */
import { and, count, eq, inArray, notInArray, type SQL, sql } from 'drizzle-orm';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import { isFinal, nextStatus, type RunAction, type RunStatus, statusesAllowing } from '../core/run-state.ts';
import { type Asked, contains, datasetNamed, given } from './conditions.ts';
import type { Db } from './db.ts';
import { byColumns, nullsLast, type OrderBy, type Orders, orderOf } from './order.ts';
import type { List } from './page.ts';
import { writeEvent } from './run-log.ts';
import { type RunRow, runs } from './tables.ts';

type NewRun = Omit<typeof runs.$inferInsert, 'status' | 'lastSeq' | 'fence'>;

export interface RunFilter {
  /** Contained in the name. */
  readonly name?: Asked<string>;
  readonly status?: Asked<readonly RunStatus[]>;
  /** By slug or id. */
  readonly dataset?: Asked<string>;
  readonly preset?: Asked<string>;
}

export type RunField = 'CREATED_AT' | 'NAME' | 'FINISHED_AT';

export const runOrders: Orders<RunField> = {
  name: 'run',
  usual: { field: 'CREATED_AT', direction: 'DESC' },
  keys: {
    CREATED_AT: byColumns(runs.createdAt, runs.id),
    NAME: byColumns(runs.name, runs.id),
    FINISHED_AT: nullsLast(runs.finishedAt, runs.id),
  },
};

export function runList(
  { name, status, dataset, preset }: RunFilter = {},
  orderBy?: OrderBy<RunField> | null,
): List<RunRow> {
  const where = and(
    given(name, (text) => contains(runs.name, text)),
    given(status, (statuses) => inArray(runs.status, [...statuses])),
    given(dataset, (text) => eq(runs.datasetId, datasetNamed(text))),
    given(preset, (text) => eq(runs.preset, text)),
  );
  return { table: runs, order: orderOf(runOrders, orderBy), where };
}

/** A new run in the queue, with the first event of its log. */
export function insertRun(db: Db, run: NewRun): Promise<RunRow> {
  return db.transaction(async (tx) => {
    const [row] = await tx
      .insert(runs)
      .values({ ...run, status: 'QUEUED', lastSeq: 1 })
      .returning();
    if (row === undefined) throw new Error('The run was not written');
    await writeEvent(tx, { runId: row.id, seq: 1, body: { type: 'state', status: 'QUEUED', reason: null } });
    return row;
  });
}

export async function runById(db: Db, id: string): Promise<RunRow | undefined> {
  const [row] = await runsByIds(db, [id]);
  return row;
}

export function runsByIds(db: Db, ids: readonly string[]): Promise<RunRow[]> {
  return db
    .select()
    .from(runs)
    .where(inArray(runs.id, [...ids]));
}

export interface Claim {
  readonly owner: string;
  readonly leaseMs: number;
  readonly exceptRunIds?: readonly string[];
}

const leaseEnd = (leaseMs: number) => sql`now() + ${leaseMs} * interval '1 millisecond'`;

/** Takes the run that has waited longest, if there is one; no two callers get the same. */
export function claimNextRun(db: Db, { owner, leaseMs, exceptRunIds = [] }: Claim): Promise<RunRow | undefined> {
  return db.transaction(async (tx) => {
    const waiting = tx
      .select({ id: runs.id })
      .from(runs)
      .where(
        and(eq(runs.status, 'QUEUED'), exceptRunIds.length === 0 ? undefined : notInArray(runs.id, [...exceptRunIds])),
      )
      .orderBy(runs.queuedAt, runs.id)
      .limit(1)
      .for('update', { skipLocked: true });
    const [row] = await tx
      .update(runs)
      .set({
        status: 'RUNNING',
        fence: sql`${runs.fence} + 1`,
        lastSeq: sql`${runs.lastSeq} + 1`,
        leaseOwner: owner,
        leaseUntil: leaseEnd(leaseMs),
        startedAt: sql`coalesce(${runs.startedAt}, now())`,
        error: null,
        waitsFor: null,
      })
      .where(eq(runs.id, sql`(${waiting})`))
      .returning();
    if (row === undefined) return undefined;
    await writeEvent(tx, { runId: row.id, seq: row.lastSeq, body: { type: 'state', status: 'RUNNING', reason: null } });
    return row;
  });
}

export interface Lease {
  readonly runId: string;
  readonly fence: number;
  readonly leaseMs: number;
}

/** Holds on to a run, and reads what was wished for it meanwhile. */
export async function renewLease(
  db: Db,
  { runId, fence, leaseMs }: Lease,
): Promise<{ held: boolean; wish: RunRow['wish'] }> {
  const [row] = await db
    .update(runs)
    .set({ leaseUntil: leaseEnd(leaseMs) })
    .where(and(eq(runs.id, runId), eq(runs.fence, fence), eq(runs.status, 'RUNNING')))
    .returning({ wish: runs.wish });
  return { held: row !== undefined, wish: row?.wish ?? null };
}

export interface Move {
  readonly runId: string;
  readonly action: RunAction;
  readonly reason?: string;
  /** Only where this claim still has the run. */
  readonly fence?: number;
  readonly patch?: Partial<RunRow>;
}

/**
 * Makes a move of core/run-state.ts with its event, in one transaction.
 * @returns the run after it, or undefined where the table has no such move from its status, or the fence is an older one.
 */
export function moveRun(db: Db, { runId, action, reason, fence, patch }: Move): Promise<RunRow | undefined> {
  return db.transaction(async (tx) => {
    const mine = and(eq(runs.id, runId), fence === undefined ? undefined : eq(runs.fence, fence));
    const [before] = await tx.select({ status: runs.status }).from(runs).where(mine).for('update');
    const status = before === undefined ? undefined : nextStatus(before.status, action);
    if (status === undefined) return undefined;
    // Who resumes a run queues again; one that has lost its worker keeps its turn.
    const turn = action === 'resume' ? { queuedAt: sql`now()` } : {};
    return moved(tx, { runId, status, reason: reason ?? null, patch: { ...patch, ...turn } });
  });
}

/** Runs whose server has not renewed its lease go back into the queue. @returns their ids. */
export function requeueExpired(db: Db): Promise<string[]> {
  return requeue(db, sql`${runs.leaseUntil} < now()`, 'Its server died; training goes on from the last checkpoint.');
}

/** At the start of the only server that can own runs: all that are still running were its predecessor's. */
export function requeueAll(db: Db): Promise<string[]> {
  return requeue(db, undefined, 'The server was restarted; training goes on from the last checkpoint.');
}

export async function setWish(
  db: Db,
  { runId, wish }: { readonly runId: string; readonly wish: RunRow['wish'] },
): Promise<void> {
  await db
    .update(runs)
    .set({ wish })
    .where(and(eq(runs.id, runId), eq(runs.status, 'RUNNING')));
}

/** What a paused run waits for; null: for its user. */
export async function setWaiting(db: Db, runId: string, waitsFor: RunRow['waitsFor']): Promise<void> {
  await db
    .update(runs)
    .set({ waitsFor })
    .where(and(eq(runs.id, runId), eq(runs.status, 'PAUSED')));
}

/** Paused runs that go on by themselves once there is room on the disk. */
export function runsWaitingForRoom(db: Db): Promise<RunRow[]> {
  return db
    .select()
    .from(runs)
    .where(and(eq(runs.status, 'PAUSED'), eq(runs.waitsFor, 'room')));
}

/** Places in the queue, 1 is next; only of runs that wait. */
export async function queuePlaces(db: Db, runIds: readonly string[]): Promise<Map<string, number>> {
  const queue = db
    .select({
      id: runs.id,
      place: sql<number>`row_number() over (order by ${runs.queuedAt}, ${runs.id})`.mapWith(Number).as('place'),
    })
    .from(runs)
    .where(eq(runs.status, 'QUEUED'))
    .as('queue');
  const rows = await db
    .select()
    .from(queue)
    .where(inArray(queue.id, [...runIds]));
  return new Map(rows.map(({ id, place }) => [id, place]));
}

function requeue(db: Db, condition: SQL | undefined, reason: string): Promise<string[]> {
  return db.transaction(async (tx) => {
    const lost = await tx
      .select({ id: runs.id })
      .from(runs)
      .where(and(inArray(runs.status, statusesAllowing('lose')), condition))
      .for('update', { skipLocked: true });
    for (const { id } of lost) await moved(tx, { runId: id, status: 'QUEUED', reason, patch: {} });
    return lost.map(({ id }) => id);
  });
}

interface Moved {
  readonly runId: string;
  readonly status: RunStatus;
  readonly reason: string | null;
  readonly patch: PgUpdateSetSource<typeof runs>;
}

async function moved(tx: Db, { runId, status, reason, patch }: Moved): Promise<RunRow> {
  const [row] = await tx
    .update(runs)
    .set({
      waitsFor: null,
      ...patch,
      status,
      lastSeq: sql`${runs.lastSeq} + 1`,
      leaseOwner: null,
      leaseUntil: null,
      finishedAt: isFinal(status) ? sql`now()` : null,
    })
    .where(eq(runs.id, runId))
    .returning();
  if (row === undefined) throw new Error(`Run ${runId} is gone`);
  await writeEvent(tx, { runId, seq: row.lastSeq, body: { type: 'state', status, reason } });
  return row;
}

/** How many runs there are of each status; statuses without any are absent. */
export async function runCountsByStatus(db: Db): Promise<Map<string, number>> {
  const rows = await db.select({ status: runs.status, runs: count() }).from(runs).groupBy(runs.status);
  return new Map(rows.map(({ status, runs: sum }) => [status, sum]));
}

/** Pictures a second that the running runs train on, together. */
export async function runSpeed(db: Db): Promise<number> {
  const speed = sql<number>`coalesce(sum(${runs.imagesPerSecond}), 0)`.mapWith(Number);
  const [row] = await db.select({ speed }).from(runs).where(eq(runs.status, 'RUNNING'));
  return row?.speed ?? 0;
}
