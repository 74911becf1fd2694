import { describe, expect, it } from 'vitest';
import { isFinal, nextStatus, RUN_STATUSES, type RunAction, statusesAllowing } from '../../src/core/run-state.ts';

const ACTIONS: readonly RunAction[] = ['claim', 'pause', 'resume', 'cancel', 'finish', 'fail', 'lose'];

describe('the moves of a training run', () => {
  it('are exactly these', () => {
    const table = RUN_STATUSES.map((from) => [
      from,
      ...ACTIONS.flatMap((action) => {
        const to = nextStatus(from, action);
        return to === undefined ? [] : [`${action} -> ${to}`];
      }),
    ]);
    expect(table).toEqual([
      ['QUEUED', 'claim -> RUNNING', 'pause -> PAUSED', 'cancel -> CANCELLED'],
      ['RUNNING', 'pause -> PAUSED', 'cancel -> CANCELLED', 'finish -> COMPLETED', 'fail -> FAILED', 'lose -> QUEUED'],
      ['PAUSED', 'resume -> QUEUED', 'cancel -> CANCELLED'],
      ['COMPLETED'],
      ['FAILED', 'resume -> QUEUED'],
      ['CANCELLED'],
    ]);
  });

  it('knows from where an action is allowed', () => {
    expect(statusesAllowing('cancel')).toEqual(['QUEUED', 'RUNNING', 'PAUSED']);
    expect(statusesAllowing('resume')).toEqual(['PAUSED', 'FAILED']);
    expect(statusesAllowing('claim')).toEqual(['QUEUED']);
  });

  it('ends a stream at COMPLETED, FAILED and CANCELLED only', () => {
    expect(RUN_STATUSES.filter(isFinal)).toEqual(['COMPLETED', 'FAILED', 'CANCELLED']);
  });
});
