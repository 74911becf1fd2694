/** Generators that can be asked for pictures. */
import { and, desc, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import { AppError } from '../core/errors.ts';
import { LABEL_KINDS } from '../core/labels.ts';
import { modelCard } from '../core/model-card.ts';
import type { Page, PageRequest } from '../core/paging.ts';
import { type Asked, contains, given } from './conditions.ts';
import type { Db } from './db.ts';
import { givensOf } from './gallery-selections.ts';
import { galleryCounts, gallerySelections, WHOLE_GALLERY } from './gallery-tables.ts';
import { upsertLabels } from './labels.ts';
import { byColumns, type OrderBy, type Orders, orderOf } from './order.ts';
import { type List, readPage } from './page.ts';
import { type ModelRow, models } from './tables.ts';
import { announce, MODELS_TOPIC } from './topic-log.ts';

/** Any number, the same in every server. */
const DEFAULT_LOCK = 728_364_502;

export interface ModelFilter {
  /** Contained in the name. */
  readonly name?: Asked<string>;
  /** Its id. */
  readonly run?: Asked<string>;
  readonly isDefault?: Asked<boolean>;
}

export type ModelField = 'CREATED_AT' | 'NAME';

export const modelOrders: Orders<ModelField> = {
  name: 'model',
  usual: { field: 'CREATED_AT', direction: 'DESC' },
  keys: { CREATED_AT: byColumns(models.createdAt, models.id), NAME: byColumns(models.name, models.id) },
};

export function modelList(
  { name, run, isDefault }: ModelFilter = {},
  orderBy?: OrderBy<ModelField> | null,
): List<ModelRow> {
  const where = and(
    given(name, (text) => contains(models.name, text)),
    given(run, (id) => eq(models.runId, id)),
    given(isDefault, (is) => eq(models.isDefault, is)),
    isNull(models.deletedAt),
  );
  return { table: models, order: orderOf(modelOrders, orderBy), where };
}

/** Also makes rows for the labels of its card: a model may know labels of a collection that is not here. */
export async function insertModel(db: Db, model: typeof models.$inferInsert): Promise<ModelRow> {
  const { labels } = modelCard.parse(model.card);
  await upsertLabels(
    db,
    LABEL_KINDS.flatMap((kind) => labels[kind].map(({ slug, name }) => ({ kind, slug, name }))),
  );
  const [row] = await db.insert(models).values(model).returning();
  if (row === undefined) throw new Error('The model was not written');
  return row;
}

export function modelPage(db: Db, page: PageRequest): Promise<Page<ModelRow>> {
  return readPage(db, modelList(), page);
}

export function modelsByIds(db: Db, ids: readonly string[]): Promise<ModelRow[]> {
  return db
    .select()
    .from(models)
    .where(inArray(models.id, [...ids]));
}

/** Models with these weights that can be asked for pictures. */
export function modelsBySha256(db: Db, sha256: string): Promise<ModelRow[]> {
  return db
    .select()
    .from(models)
    .where(and(eq(models.sha256, sha256), isNull(models.deletedAt)));
}

/** The newest model of each of these runs. */
export async function modelsByRuns(db: Db, runIds: readonly string[]): Promise<Map<string, ModelRow>> {
  const rows = await db
    .selectDistinctOn([models.runId])
    .from(models)
    .where(inArray(models.runId, [...runIds]))
    .orderBy(models.runId, desc(models.createdAt), desc(models.id));
  return new Map(rows.flatMap((row) => (row.runId === null ? [] : [[row.runId, row]])));
}

/** The model made of each of these checkpoints, the oldest where there are several. */
export async function modelsByCheckpoints(db: Db, ids: readonly string[]): Promise<Map<string, ModelRow>> {
  const rows = await db
    .selectDistinctOn([models.checkpointId])
    .from(models)
    .where(inArray(models.checkpointId, [...ids]))
    .orderBy(models.checkpointId, models.createdAt, models.id);
  return new Map(rows.flatMap((row) => (row.checkpointId === null ? [] : [[row.checkpointId, row]])));
}

/** How many kept pictures each of these models has painted. */
export async function imageCountsByModel(db: Db, ids: readonly string[]): Promise<Map<string, number>> {
  const rows = await db
    .select({ id: gallerySelections.modelId, kept: galleryCounts.pictures })
    .from(gallerySelections)
    .innerJoin(galleryCounts, eq(galleryCounts.selection, gallerySelections.id))
    .where(
      and(
        eq(gallerySelections.givens, givensOf(['model'])),
        inArray(gallerySelections.modelId, [...ids]),
        eq(galleryCounts.setId, WHOLE_GALLERY),
      ),
    );
  return new Map(rows.flatMap(({ id, kept }) => (id === null ? [] : [[id, kept]])));
}

/** Holds a model until the end of the transaction: nobody makes it the default or deletes it meanwhile. */
export async function lockModel(tx: Db, id: string): Promise<ModelRow | undefined> {
  await tx.execute(sql`select pg_advisory_xact_lock(${DEFAULT_LOCK})`);
  const [row] = await tx.select().from(models).where(eq(models.id, id)).for('update');
  return row;
}

/** Its row stays. To be called in the transaction that holds it. */
export async function markDeleted(tx: Db, id: string): Promise<ModelRow> {
  const [row] = await tx.update(models).set({ deletedAt: sql`now()` }).where(eq(models.id, id)).returning();
  if (row === undefined) throw new Error(`The model ${id} is gone`);
  await announce(tx, MODELS_TOPIC, 0);
  return row;
}

export function deletedModels(db: Db): Promise<ModelRow[]> {
  return db.select().from(models).where(isNotNull(models.deletedAt));
}

export async function modelByDir(db: Db, dir: string): Promise<ModelRow | undefined> {
  const [row] = await db.select().from(models).where(eq(models.dir, dir));
  return row;
}

export async function defaultModel(db: Db): Promise<ModelRow | undefined> {
  const [row] = await db.select().from(models).where(eq(models.isDefault, true));
  return row;
}

/** Makes this model the only default. To be called in a transaction. @throws AppError UNKNOWN_MODEL */
export async function setDefault(tx: Db, id: string): Promise<void> {
  // Two at once would each see the other's old default: one after the other.
  await tx.execute(sql`select pg_advisory_xact_lock(${DEFAULT_LOCK})`);
  await tx.update(models).set({ isDefault: false }).where(eq(models.isDefault, true));
  const changed = await tx
    .update(models)
    .set({ isDefault: true })
    .where(and(eq(models.id, id), isNull(models.deletedAt)))
    .returning({ id: models.id });
  if (changed.length === 0) throw new AppError('UNKNOWN_MODEL', `There is no model with the id "${id}".`);
  await announce(tx, MODELS_TOPIC, 0);
}
