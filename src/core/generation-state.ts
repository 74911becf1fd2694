/**
 * The life of a job that paints many pictures, as a table of moves.
 *
 *   QUEUED ── begin ──> RUNNING ── finish ──> COMPLETED
 *      └────── cancel ──┬──┘ └───── fail ───> FAILED
 *                       └──> CANCELLED
 */
export const GENERATION_STATUSES = ['QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const;
export type GenerationStatus = (typeof GENERATION_STATUSES)[number];
export type GenerationAction = 'begin' | 'finish' | 'fail' | 'cancel';

const moves = {
  QUEUED: { begin: 'RUNNING', fail: 'FAILED', cancel: 'CANCELLED' },
  RUNNING: { begin: 'RUNNING', finish: 'COMPLETED', fail: 'FAILED', cancel: 'CANCELLED' },
  COMPLETED: {},
  FAILED: {},
  CANCELLED: {},
} as const satisfies Record<GenerationStatus, Partial<Record<GenerationAction, GenerationStatus>>>;

/** The status after `action`, or undefined where the table has no such move. */
export function nextGenerationStatus(from: GenerationStatus, action: GenerationAction): GenerationStatus | undefined {
  const row: Partial<Record<GenerationAction, GenerationStatus>> = moves[from];
  return row[action];
}

/** The statuses from which `action` is allowed: the WHERE of a guarded update. */
export function generationStatusesAllowing(action: GenerationAction): GenerationStatus[] {
  return GENERATION_STATUSES.filter((status) => nextGenerationStatus(status, action) !== undefined);
}

/** Nothing is told of a job after one of these. */
export function isGenerationOver(status: GenerationStatus): boolean {
  return status !== 'QUEUED' && status !== 'RUNNING';
}
