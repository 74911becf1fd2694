import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/core/errors.ts';
import { PRESETS, resolveConfig } from '../../src/core/presets.ts';

const mistake = (request: Parameters<typeof resolveConfig>[0]) => {
  try {
    resolveConfig(request);
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, path: error.path, message: error.message };
    throw error;
  }
  return undefined;
};

describe('the configuration of a run', () => {
  it('is the whole preset with the changes asked for', () => {
    const config = resolveConfig({
      preset: 'studio',
      resolution: 32,
      batchSize: 16,
      config: { metricsEvery: 5, flips: false },
    });
    expect(config).toEqual({
      ...PRESETS.studio.config,
      preset: 'studio',
      resolution: 32,
      batchSize: 16,
      metricsEvery: 5,
      flips: false,
    });
  });

  it.each([
    [{ preset: 'studoi', resolution: 64 }, 'UNKNOWN_PRESET', ['input', 'preset']],
    [{ preset: 'toString', resolution: 64 }, 'UNKNOWN_PRESET', ['input', 'preset']],
    [{ preset: 'studio', resolution: 48 }, 'INVALID_INPUT', ['input', 'resolution']],
    [{ preset: 'icip2017', resolution: 32 }, 'INVALID_INPUT', ['input', 'resolution']],
    [{ preset: 'studio', resolution: 64, batchSize: 0 }, 'INVALID_INPUT', ['input', 'batchSize']],
    [{ preset: 'studio', resolution: 64, config: { checkpointEvrey: 5 } }, 'INVALID_INPUT', ['input', 'config']],
    [
      { preset: 'studio', resolution: 64, config: { checkpointEvery: 0 } },
      'INVALID_INPUT',
      ['input', 'config', 'checkpointEvery'],
    ],
    [{ preset: 'studio', resolution: 64, config: { resolution: 32 } }, 'INVALID_INPUT', ['input', 'config']],
    [{ preset: 'studio', resolution: 64, config: [] }, 'INVALID_INPUT', ['input', 'config']],
    [
      { preset: 'icip2017', resolution: 64, config: { labelKinds: ['style', 'genre'] } },
      'INVALID_INPUT',
      ['input', 'config', 'labelKinds'],
    ],
    [
      { preset: 'studio', resolution: 64, config: { labelKinds: ['style', 'style'] } },
      'INVALID_INPUT',
      ['input', 'config', 'labelKinds'],
    ],
    [{ preset: 'studio', resolution: 64, batchSize: 1 }, 'INVALID_INPUT', ['input', 'batchSize']],
    [{ preset: 'studio', resolution: 64, batchSize: 7 }, 'INVALID_INPUT', ['input', 'batchSize']],
    [{ preset: 'studio', resolution: 64, config: { batchSize: 7 } }, 'INVALID_INPUT', ['input', 'config', 'batchSize']],
    [
      { preset: 'icip2017', resolution: 64, config: { labelDropout: 0.1 } },
      'INVALID_INPUT',
      ['input', 'config', 'labelDropout'],
    ],
  ] as const)('%j is refused', (request, code, path) => {
    expect(mistake(request)).toMatchObject({ code, path });
  });

  it('names the fields that exist when one does not', () => {
    expect(mistake({ preset: 'studio', resolution: 64, config: { speed: 1 } })?.message).toContain('checkpointEvery');
  });
});
