/** The child in fixtures/scripted-child.mjs, and what it takes to start one. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resolveConfig } from '../../src/core/presets.ts';
import type { TrainJob } from '../../src/engine/protocol.ts';

export const SCRIPTED = fileURLToPath(new URL('../fixtures/scripted-child.mjs', import.meta.url));

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'artgan-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A job whose faults are the words of `name`; see the fixture. */
export async function scriptedJob(folder: string, name: string, totalSteps = 20): Promise<TrainJob> {
  const checkpointsDir = join(folder, 'checkpoints');
  await mkdir(checkpointsDir, { recursive: true });
  const config = { metricsEvery: 5, sampleEvery: 10, checkpointEvery: 10 };
  return {
    name,
    config: resolveConfig({ preset: 'studio', resolution: 32, config }),
    seed: 7,
    totalSteps,
    pack: join(folder, 'none.artpack'),
    packSha256: '00',
    checkpointsDir,
    resumeFrom: [],
    measuredStep: 0,
    classifiersDir: join(folder, 'classifiers'),
    modelDir: join(folder, 'model'),
  };
}
