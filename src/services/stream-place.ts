/** Where a stream begins and how often it speaks, as clients ask for it. */
import { AppError } from '../core/errors.ts';

export interface StreamPlace {
  /** The last seq that the client has seen. */
  readonly after?: number | null | undefined;
  /** What may be left out comes at most this often. */
  readonly minIntervalMs?: number | null | undefined;
}

const LONGEST_INTERVAL_MS = 3_600_000;

/** @throws AppError INVALID_INPUT */
export function checkedAfter(after: number | null | undefined): number | undefined {
  if (after === null || after === undefined) return undefined;
  if (Number.isInteger(after) && after >= 0) return after;
  throw new AppError('INVALID_INPUT', 'after must be a whole number from 0: the last seq that was seen.', {
    path: ['after'],
  });
}

/** A place that the log has not come to is another log's. @throws AppError INVALID_INPUT */
export function checkReached(after: number, lastSeq: number): void {
  if (after <= lastSeq) return;
  const message = `after is ${after}, but the last event so far is ${lastSeq}. Leave it out to begin anew.`;
  throw new AppError('INVALID_INPUT', message, { path: ['after'] });
}

/** 0: everything. @throws AppError INVALID_INPUT */
export function checkedInterval(minIntervalMs: number | null | undefined): number {
  const interval = minIntervalMs ?? 0;
  if (Number.isInteger(interval) && interval >= 0 && interval <= LONGEST_INTERVAL_MS) return interval;
  throw new AppError('INVALID_INPUT', `minIntervalMs must be a whole number from 0 to ${LONGEST_INTERVAL_MS}.`, {
    path: ['minIntervalMs'],
  });
}
