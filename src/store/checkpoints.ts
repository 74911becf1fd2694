/** Checkpoints that lie on disk, or did until retention deleted their files. */
import { and, asc, eq, inArray } from 'drizzle-orm';
import type { Db } from './db.ts';
import { type CheckpointRow, checkpoints, runs } from './tables.ts';

type NewCheckpoint = typeof checkpoints.$inferInsert & { readonly fence: number };

/**
 * The row of a checkpoint whose files are on disk. A run that repeats steps after a death writes the same one again: the
 * row keeps its id.
 * @returns undefined where another claim has the run.
 */
export function insertCheckpoint(db: Db, { fence, ...checkpoint }: NewCheckpoint): Promise<CheckpointRow | undefined> {
  return db.transaction(async (tx) => {
    const [run] = await tx
      .select({ id: runs.id })
      .from(runs)
      .where(and(eq(runs.id, checkpoint.runId), eq(runs.fence, fence), eq(runs.status, 'RUNNING')))
      .for('update');
    if (run === undefined) return undefined;
    const { sha256, dir, bytes } = checkpoint;
    const [row] = await tx
      .insert(checkpoints)
      .values(checkpoint)
      .onConflictDoUpdate({ target: [checkpoints.runId, checkpoints.step], set: { sha256, dir, bytes } })
      .returning();
    return row;
  });
}

/** Per run, oldest step first. */
export async function checkpointsOf(db: Db, runIds: readonly string[]): Promise<Map<string, CheckpointRow[]>> {
  const rows = await db
    .select()
    .from(checkpoints)
    .where(inArray(checkpoints.runId, [...runIds]))
    .orderBy(asc(checkpoints.runId), asc(checkpoints.step));
  const byRun = new Map<string, CheckpointRow[]>(runIds.map((id) => [id, []]));
  for (const row of rows) byRun.get(row.runId)?.push(row);
  return byRun;
}

export function checkpointsByIds(db: Db, ids: readonly string[]): Promise<CheckpointRow[]> {
  return db
    .select()
    .from(checkpoints)
    .where(inArray(checkpoints.id, [...ids]));
}

/** Before the files are deleted, so that no row names files that are not there. */
export async function forgetFiles(db: Db, id: string): Promise<void> {
  await db.update(checkpoints).set({ dir: null }).where(eq(checkpoints.id, id));
}
