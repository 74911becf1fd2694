/** Jobs that paint many pictures: their rows, whose turn it is, and what each of them tells. */
import { and, asc, count, eq, inArray, isNull, lte, or, type SQL, sql } from 'drizzle-orm';
import {
  type GenerationAction,
  type GenerationStatus,
  generationStatusesAllowing,
  isGenerationOver,
  nextGenerationStatus,
} from '../core/generation-state.ts';
import type { GenerationProgress } from '../core/topics.ts';
import { type Asked, given } from './conditions.ts';
import type { Db } from './db.ts';
import { type GenerationRow, generations } from './generation-tables.ts';
import { byColumns, type OrderBy, type Orders, orderOf } from './order.ts';
import type { List } from './page.ts';
import { appendEntry, clearTopic, generationTopic } from './topic-log.ts';

export interface GenerationFilter {
  /** Left out: everybody's. */
  readonly owner?: Asked<string>;
  /** Any of these. */
  readonly status?: Asked<readonly GenerationStatus[]>;
}

export type GenerationField = 'CREATED_AT';

export const generationOrders: Orders<GenerationField> = {
  name: 'generation',
  usual: { field: 'CREATED_AT', direction: 'DESC' },
  keys: { CREATED_AT: byColumns(generations.createdAt, generations.id) },
};

export function generationList(
  { owner, status }: GenerationFilter,
  orderBy?: OrderBy<GenerationField> | null,
): List<GenerationRow> {
  const where = and(
    given(owner, (viewer) => eq(generations.owner, viewer)),
    given(status, (statuses) => inArray(generations.status, [...statuses])),
  );
  return { table: generations, order: orderOf(generationOrders, orderBy), where };
}

export function generationsByIds(db: Db, ids: readonly string[]): Promise<GenerationRow[]> {
  return db
    .select()
    .from(generations)
    .where(inArray(generations.id, [...ids]));
}

export async function generationById(db: Db, id: string): Promise<GenerationRow | undefined> {
  const [row] = await generationsByIds(db, [id]);
  return row;
}

/** The job that its owner has given this key, if there is one. */
export async function generationByKey(db: Db, owner: string, key: string): Promise<GenerationRow | undefined> {
  const [row] = await db
    .select()
    .from(generations)
    .where(and(eq(generations.owner, owner), eq(generations.idempotencyKey, key)));
  return row;
}

/** Undefined where a job with this id, or of this owner with this key, is there already. */
export function insertGeneration(db: Db, values: typeof generations.$inferInsert): Promise<GenerationRow | undefined> {
  return db.transaction(async (tx) => {
    const [row] = await tx.insert(generations).values(values).onConflictDoNothing().returning();
    if (row !== undefined) await tell(tx, row);
    return row;
  });
}

/** How many of an owner's jobs are not over. */
export async function openGenerations(db: Db, owner: string): Promise<number> {
  const [row] = await db
    .select({ jobs: count() })
    .from(generations)
    .where(and(eq(generations.owner, owner), inArray(generations.status, generationStatusesAllowing('cancel'))));
  return row?.jobs ?? 0;
}

/** Pictures of all jobs that are yet to be painted, and would take room on the disk. */
export async function pendingPictures(db: Db): Promise<number> {
  const pending = sql<number>`coalesce(sum(${generations.n} - ${generations.done}), 0)`.mapWith(Number);
  const [row] = await db
    .select({ pending })
    .from(generations)
    .where(inArray(generations.status, generationStatusesAllowing('cancel')));
  return row?.pending ?? 0;
}

const inMs = (ms: number) => sql`clock_timestamp() + ${ms} * interval '1 millisecond'`;

/** Takes the job whose turn it is, if there is one; no two callers get the same. */
export function claimGeneration(db: Db, leaseMs: number): Promise<GenerationRow | undefined> {
  return db.transaction(async (tx) => {
    const now = sql`clock_timestamp()`;
    const next = tx
      .select({ id: generations.id })
      .from(generations)
      .where(
        and(
          inArray(generations.status, generationStatusesAllowing('begin')),
          lte(generations.turnAt, now),
          or(isNull(generations.leaseUntil), lte(generations.leaseUntil, now)),
        ),
      )
      .orderBy(asc(generations.turnAt), asc(generations.id))
      .limit(1)
      .for('update', { skipLocked: true });
    const [row] = await tx
      .update(generations)
      .set({
        status: 'RUNNING',
        fence: sql`${generations.fence} + 1`,
        leaseUntil: inMs(leaseMs),
        startedAt: sql`coalesce(${generations.startedAt}, now())`,
      })
      .where(eq(generations.id, sql`(${next})`))
      .returning();
    if (row !== undefined && row.fence === 1) await tell(tx, row);
    return row;
  });
}

export interface Held {
  readonly id: string;
  readonly fence: number;
}

/** @returns whether the job is still held: it may have been cancelled, or taken by another server. */
export async function holdGeneration(db: Db, held: Held, leaseMs: number): Promise<boolean> {
  const rows = await db
    .update(generations)
    .set({ leaseUntil: inMs(leaseMs) })
    .where(isHeld(held))
    .returning({ id: generations.id });
  return rows.length > 0;
}

export interface Advance {
  readonly done: number;
  readonly bytes: number;
  readonly picturesPerSecond: number;
}

/** Tells that the next pictures are there. @returns the job, or undefined where it is not held any more. */
export function advanceGeneration(db: Db, held: Held, { done, bytes, picturesPerSecond }: Advance) {
  return db.transaction(async (tx): Promise<GenerationRow | undefined> => {
    const isAll = sql`${done} >= ${generations.n}`;
    const [row] = await tx
      .update(generations)
      .set({
        done,
        bytes: sql`${generations.bytes} + ${bytes}`,
        picturesPerSecond,
        failures: 0,
        error: null,
        status: sql`case when ${isAll} then 'COMPLETED' else ${generations.status} end`,
        finishedAt: sql`case when ${isAll} then clock_timestamp() end`,
        leaseUntil: sql`case when ${isAll} then null else ${generations.leaseUntil} end`,
      })
      .where(isHeld(held))
      .returning();
    if (row !== undefined) await tell(tx, row);
    return row;
  });
}

/** Its turn is over; the next one comes after `pauseMs`. `error`: why it could not go on, and how often in a row. */
export async function releaseGeneration(
  db: Db,
  held: Held,
  { pauseMs = 0, error }: { readonly pauseMs?: number; readonly error?: string } = {},
): Promise<void> {
  const fault = error === undefined ? {} : { error, failures: sql`${generations.failures} + 1` };
  await db.transaction(async (tx) => {
    const [row] = await tx
      .update(generations)
      .set({ leaseUntil: null, turnAt: inMs(pauseMs), ...fault })
      .where(isHeld(held))
      .returning();
    if (row !== undefined && error !== undefined) await tell(tx, row);
  });
}

/** Makes a move of core/generation-state.ts. @returns the job after it; undefined where there is no such move from its status */
export function moveGeneration(
  db: Db,
  { id, action, error, fence }: { id: string; action: GenerationAction; error?: string; fence?: number },
): Promise<GenerationRow | undefined> {
  return db.transaction(async (tx) => {
    const mine = and(eq(generations.id, id), fence === undefined ? undefined : eq(generations.fence, fence));
    const [before] = await tx.select({ status: generations.status }).from(generations).where(mine).for('update');
    const status = before === undefined ? undefined : nextGenerationStatus(before.status, action);
    if (status === undefined) return undefined;
    const over = isGenerationOver(status) ? { finishedAt: sql`now()`, leaseUntil: null } : {};
    const [row] = await tx
      .update(generations)
      .set({ status, error: error ?? null, ...over })
      .where(eq(generations.id, id))
      .returning();
    if (row !== undefined) await tell(tx, row);
    return row;
  });
}

/** At the start of the only server that can hold jobs: what is held was its predecessor's. */
export async function freeGenerations(db: Db): Promise<void> {
  await db.update(generations).set({ leaseUntil: null }).where(eq(generations.status, 'RUNNING'));
}

/** Together with its log. @returns whether it was there, and over */
export function deleteGeneration(db: Db, id: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const over = sql`${generations.status} not in ('QUEUED', 'RUNNING')`;
    const gone = await tx
      .delete(generations)
      .where(and(eq(generations.id, id), over))
      .returning({ id: generations.id });
    if (gone.length > 0) await clearTopic(tx, generationTopic(id));
    return gone.length > 0;
  });
}

/** How many jobs have their turn before each of these; only of jobs that wait. */
export async function generationPlaces(db: Db, ids: readonly string[]): Promise<Map<string, number>> {
  const queue = db
    .select({
      id: generations.id,
      place: sql<number>`row_number() over (order by ${generations.turnAt}, ${generations.id})`
        .mapWith(Number)
        .as('place'),
    })
    .from(generations)
    .where(inArray(generations.status, generationStatusesAllowing('begin')))
    .as('queue');
  const rows = await db
    .select()
    .from(queue)
    .where(inArray(queue.id, [...ids]));
  return new Map(rows.map(({ id, place }) => [id, place]));
}

/** Jobs of a model: how many are there, and how many of them are not over. */
export async function generationsOfModel(db: Db, modelId: string): Promise<{ jobs: number; open: number }> {
  const open = sql<number>`count(*) filter (where ${generations.status} in ('QUEUED', 'RUNNING'))`.mapWith(Number);
  const [row] = await db.select({ jobs: count(), open }).from(generations).where(eq(generations.modelId, modelId));
  return row ?? { jobs: 0, open: 0 };
}

function isHeld({ id, fence }: Held): SQL | undefined {
  return and(eq(generations.id, id), eq(generations.fence, fence), eq(generations.status, 'RUNNING'));
}

async function tell(tx: Db, { id, status, n, done, error }: GenerationRow): Promise<void> {
  const entry: GenerationProgress = { generationId: id, generationStatus: status, n, done, error };
  await appendEntry(tx, generationTopic(id), entry);
}
