/**
 * Which checkpoint files stay: the newest and a number before it, the best ones, and every so manieth. Rows stay for ever;
 * a row forgets its files before they are deleted, so that no row ever names a folder that is not there.
 */
import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Log } from '../core/log.ts';
import type { TrainConfig } from '../core/presets.ts';
import { checkpointsOf, forgetFiles } from '../store/checkpoints.ts';
import type { Db } from '../store/db.ts';
import { kidsOf } from '../store/run-log.ts';
import type { CheckpointRow } from '../store/tables.ts';

export interface RetentionScope {
  readonly db: Db;
  readonly dataDir: string;
  readonly runId: string;
  readonly log: Log;
}

/** A run's checkpoints that still have files, newest first. */
export async function checkpointFiles({ db, runId }: Pick<RetentionScope, 'db' | 'runId'>): Promise<CheckpointRow[]> {
  const rows = (await checkpointsOf(db, [runId])).get(runId) ?? [];
  return rows.filter(({ dir }) => dir !== null).sort((a, b) => b.step - a.step);
}

export type RetentionPolicy = Pick<TrainConfig, 'keepCheckpoints' | 'keepBest' | 'keepEvery'>;

/** The steps, of those with files, whose files stay. `kids`: KID by step, where it was measured. */
export function keptSteps(
  steps: readonly number[],
  kids: ReadonlyMap<number, number>,
  { keepCheckpoints, keepBest, keepEvery }: RetentionPolicy,
): Set<number> {
  const newest = [...steps].sort((a, b) => b - a).slice(0, 1 + keepCheckpoints);
  const kidOf = (step: number) => kids.get(step) ?? Number.POSITIVE_INFINITY;
  const best = steps.filter((step) => kids.has(step)).sort((a, b) => kidOf(a) - kidOf(b) || a - b);
  const regular = steps.filter((step) => keepEvery > 0 && step % keepEvery === 0);
  return new Set([...newest, ...best.slice(0, keepBest), ...regular]);
}

/** Deletes the files of all checkpoints that the policy does not keep. */
export async function retain(scope: RetentionScope, policy: RetentionPolicy): Promise<void> {
  const rows = await checkpointFiles(scope);
  const steps = rows.map(({ step }) => step);
  const kept = keptSteps(steps, await kidsOf(scope.db, scope.runId), policy);
  for (const { id, dir, step } of rows) {
    if (kept.has(step)) continue;
    await forgetFiles(scope.db, id);
    if (dir !== null) await remove(resolve(scope.dataDir, dir), scope.log);
  }
}

/** Deletes what lies in a run's checkpoint folder and belongs to no row: a writer was killed between file and row. */
export async function sweepOrphans(scope: RetentionScope, checkpointsDir: string): Promise<void> {
  const kept = new Set((await checkpointFiles(scope)).map(({ dir }) => resolve(scope.dataDir, dir ?? '')));
  for (const name of await readdir(checkpointsDir)) {
    const path = join(checkpointsDir, name);
    if (!kept.has(path)) await remove(path, scope.log);
  }
}

/** A folder that cannot be deleted now is an orphan of the next sweep. */
async function remove(path: string, log: Log): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    log.warn({ path, error }, 'An old checkpoint could not be deleted');
  }
}
