import { describe, expect, it } from 'vitest';
import {
  GENERATION_STATUSES,
  generationStatusesAllowing,
  isGenerationOver,
  nextGenerationStatus,
} from '../../src/core/generation-state.ts';

describe('the life of a job', () => {
  it('goes from queued over running to its end, and no way back', () => {
    expect(nextGenerationStatus('QUEUED', 'begin')).toBe('RUNNING');
    expect(nextGenerationStatus('RUNNING', 'finish')).toBe('COMPLETED');
    expect(nextGenerationStatus('QUEUED', 'finish')).toBeUndefined();
    for (const status of GENERATION_STATUSES.filter(isGenerationOver))
      for (const action of ['begin', 'finish', 'fail', 'cancel'] as const)
        expect(nextGenerationStatus(status, action)).toBeUndefined();
  });

  it('can be cancelled until it is over', () => {
    expect(generationStatusesAllowing('cancel')).toEqual(['QUEUED', 'RUNNING']);
    expect(GENERATION_STATUSES.filter(isGenerationOver)).toEqual(['COMPLETED', 'FAILED', 'CANCELLED']);
  });
});
