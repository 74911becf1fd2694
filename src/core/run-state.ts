/**
 * The life of a training run as a table of moves. Nothing else decides what a run may do next.
 *
 *   QUEUED ── claim ──> RUNNING ── finish ──> COMPLETED
 *     ▲  ▲                │ │ └─── fail ────> FAILED ── resume ──> QUEUED
 *     │  └──── lose ──────┘ └───── pause ───> PAUSED ── resume ──> QUEUED
 *   `lose`: its worker died or the server stopped; the run goes back into the queue with its last checkpoint.
 *   `cancel` is allowed from QUEUED, RUNNING and PAUSED.
 */
export const RUN_STATUSES = ['QUEUED', 'RUNNING', 'PAUSED', 'COMPLETED', 'FAILED', 'CANCELLED'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
export type RunAction = 'claim' | 'pause' | 'resume' | 'cancel' | 'finish' | 'fail' | 'lose';

const moves = {
  QUEUED: { claim: 'RUNNING', pause: 'PAUSED', cancel: 'CANCELLED' },
  RUNNING: { pause: 'PAUSED', finish: 'COMPLETED', fail: 'FAILED', cancel: 'CANCELLED', lose: 'QUEUED' },
  PAUSED: { resume: 'QUEUED', cancel: 'CANCELLED' },
  FAILED: { resume: 'QUEUED' },
  COMPLETED: {},
  CANCELLED: {},
} as const satisfies Record<RunStatus, Partial<Record<RunAction, RunStatus>>>;

/** The status after `action`, or undefined where the table has no such move. */
export function nextStatus(from: RunStatus, action: RunAction): RunStatus | undefined {
  const row: Partial<Record<RunAction, RunStatus>> = moves[from];
  return row[action];
}

/** What a user may ask of a run in this status. */
export function availableActions(from: RunStatus): RunAction[] {
  return (['pause', 'resume', 'cancel'] as const).filter((action) => nextStatus(from, action) !== undefined);
}

/** The statuses from which `action` is allowed: the WHERE of a guarded update. */
export function statusesAllowing(action: RunAction): RunStatus[] {
  return RUN_STATUSES.filter((status) => nextStatus(status, action) !== undefined);
}

/** No event follows one of these, so a stream of the run's events may end. FAILED ends it too: a resume opens a new one. */
export function isFinal(status: RunStatus): boolean {
  return status === 'COMPLETED' || status === 'FAILED' || status === 'CANCELLED';
}
