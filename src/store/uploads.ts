/** Uploads as rows. A row that waits names no file; one that is READY names its file by the SHA-256 of that. */
import { and, count, eq, gt, inArray, lte, sql } from 'drizzle-orm';
import type { Db } from './db.ts';
import { byColumns, type Orders, orderOf } from './order.ts';
import type { List } from './page.ts';
import { type UploadRow, uploads } from './upload-tables.ts';

/** Any number, the same in every server. */
const UPLOADS_LOCK = 728_364_503;
/** A small file takes a block of the disk, too. */
const LEAST_BYTES = 4_096;

export type NewUpload = Pick<
  typeof uploads.$inferInsert,
  'id' | 'owner' | 'filename' | 'saidBytes' | 'saidSha256' | 'expiresAt'
>;

/** What is known of an upload once its file is stored. */
export interface StoredUpload {
  readonly sentSha256: string;
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly recipe: string | null;
}

const uploadOrders: Orders<'CREATED_AT'> = {
  name: 'upload',
  usual: { field: 'CREATED_AT', direction: 'DESC' },
  keys: { CREATED_AT: byColumns(uploads.createdAt, uploads.id) },
};

/** The uploads of one owner, or all. */
export function uploadList(owner: string | undefined): List<UploadRow> {
  const where = owner === undefined ? undefined : eq(uploads.owner, owner);
  return { table: uploads, order: orderOf(uploadOrders, undefined), where };
}

/** @returns the row of this id, also where it was there before. */
export async function insertUpload(db: Db, upload: NewUpload): Promise<UploadRow> {
  const [made] = await db.insert(uploads).values(upload).onConflictDoNothing({ target: uploads.id }).returning();
  const row = made ?? (await uploadById(db, upload.id));
  if (row === undefined) throw new Error('The upload was not written');
  return row;
}

export async function uploadById(db: Db, id: string): Promise<UploadRow | undefined> {
  const [row] = await db.select().from(uploads).where(eq(uploads.id, id));
  return row;
}

/** How many of an owner's uploads still wait. */
export async function waitingUploads(db: Db, owner: string, now: Date): Promise<number> {
  const [row] = await db
    .select({ waiting: count() })
    .from(uploads)
    .where(and(eq(uploads.owner, owner), eq(uploads.status, 'WAITING'), gt(uploads.expiresAt, now)));
  return row?.waiting ?? 0;
}

/** Bytes of all stored files, each by its row. */
export async function uploadedBytes(db: Db): Promise<number> {
  const [row] = await db
    .select({ bytes: sql<string>`coalesce(sum(greatest(${uploads.bytes}, ${LEAST_BYTES})), 0)` })
    .from(uploads)
    .where(eq(uploads.status, 'READY'));
  return Number(row?.bytes ?? 0);
}

/**
 * A waiting upload becomes READY. One that is so already stays as it is, and is answered.
 * @returns undefined where there is none any more, `full` where all together would have more than `most` bytes
 */
export function finishUpload(
  db: Db,
  id: string,
  { stored, most }: { readonly stored: StoredUpload; readonly most: number },
): Promise<UploadRow | 'full' | undefined> {
  return held(db, async (tx) => {
    const row = await uploadById(tx, id);
    if (row?.status !== 'WAITING') return row;
    if ((await uploadedBytes(tx)) + Math.max(LEAST_BYTES, stored.bytes) > most) return 'full';
    const [ready] = await tx
      .update(uploads)
      .set({ ...stored, status: 'READY', expiresAt: null })
      .where(eq(uploads.id, id))
      .returning();
    return ready;
  });
}

/** @returns the row that was there. */
export async function deleteUpload(db: Db, id: string): Promise<UploadRow | undefined> {
  const [row] = await db.delete(uploads).where(eq(uploads.id, id)).returning();
  return row;
}

/** Forgets the uploads that nothing was sent for in time. @returns how many */
export async function expireUploads(db: Db, now: Date): Promise<number> {
  const expired = await db
    .delete(uploads)
    .where(and(eq(uploads.status, 'WAITING'), lte(uploads.expiresAt, now)))
    .returning({ id: uploads.id });
  return expired.length;
}

/** Those of these files that a row names. */
export async function namedUploads(db: Db, sha256s: readonly string[]): Promise<ReadonlySet<string | null>> {
  const rows = await db
    .select({ sha256: uploads.sha256 })
    .from(uploads)
    .where(inArray(uploads.sha256, [...sha256s]));
  return new Set(rows.map(({ sha256 }) => sha256));
}

/** Does `work` where no row names this file, and none will before it is done. */
export function whereUnnamed(db: Db, sha256: string, work: () => Promise<void>): Promise<void> {
  return held(db, async (tx) => {
    const [named] = await tx.select({ id: uploads.id }).from(uploads).where(eq(uploads.sha256, sha256)).limit(1);
    if (named === undefined) await work();
  });
}

/** One after the other: sums and names stay true until the transaction ends. */
function held<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${UPLOADS_LOCK})`);
    return work(tx);
  });
}
