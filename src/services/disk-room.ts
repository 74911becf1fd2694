/** Runs that were paused because the disk was full go on by themselves once there is room for what they write next. */
import { access, statfs } from 'node:fs/promises';
import type { Log } from '../core/log.ts';
import { checkpointsOf } from '../store/checkpoints.ts';
import type { Db } from '../store/db.ts';
import { moveRun, runsWaitingForRoom } from '../store/runs.ts';
import { foldersOf } from './run-files.ts';

/** Besides two checkpoints: events, grids, the finished model. */
const SPARE_BYTES = 16 * 2 ** 20;

export interface RoomScope {
  readonly db: Db;
  readonly dataDir: string;
  readonly log: Log;
}

/** Queues the runs of this data folder that have waited for room and have it now. @returns how many */
export async function resumeWhereRoom({ db, dataDir, log }: RoomScope): Promise<number> {
  const waiting = await runsWaitingForRoom(db);
  if (waiting.length === 0) return 0;
  const { bavail, bsize } = await statfs(dataDir);
  const checkpoints = await checkpointsOf(
    db,
    waiting.map(({ id }) => id),
  );
  let resumed = 0;
  for (const { id, fence } of waiting) {
    const largest = Math.max(0, ...(checkpoints.get(id) ?? []).map(({ bytes }) => bytes));
    const here = await access(foldersOf(dataDir, id).checkpointsDir).then(
      () => true,
      () => false,
    );
    if (!here || bavail * bsize < SPARE_BYTES + 2 * largest) continue;
    const moved = await moveRun(db, { runId: id, fence, action: 'resume', reason: 'There is room on the disk again.' });
    if (moved === undefined) continue;
    log.info({ run: id }, 'A run goes on: there is room on the disk again');
    resumed++;
  }
  return resumed;
}
