/**
 * A run's folder, `<dataDir>/runs/<id>/`: run.json, checkpoints/ and model/. run.json is written before the run's row and
 * never changed: it holds the training file to the run, also when the dataset is imported again meanwhile.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { trainConfig } from '../core/presets.ts';
import { flushFolder } from '../store/blobs.ts';

const manifest = z.object({
  format: z.literal(1),
  name: z.string(),
  config: trainConfig,
  seed: z.int().nonnegative(),
  totalSteps: z.int().positive(),
  dataset: z.object({ id: z.string(), slug: z.string(), packFile: z.string(), packSha256: z.string() }),
});
export type RunManifest = z.infer<typeof manifest>;

export interface RunFolders {
  readonly checkpointsDir: string;
  readonly modelDir: string;
}

export function foldersOf(dataDir: string, runId: string): RunFolders {
  const folder = join(dataDir, 'runs', runId);
  return { checkpointsDir: join(folder, 'checkpoints'), modelDir: join(folder, 'model') };
}

/** Where the classifiers lie that measure generators: one per packed dataset. */
export const classifiersOf = (dataDir: string) => join(dataDir, 'classifiers');

const manifestFile = (dataDir: string, runId: string) => join(dataDir, 'runs', runId, 'run.json');

/** On disk, also after a power cut, when this resolves. */
export async function writeManifest(dataDir: string, runId: string, content: RunManifest): Promise<void> {
  const file = manifestFile(dataDir, runId);
  const folder = dirname(file);
  await mkdir(foldersOf(dataDir, runId).checkpointsDir, { recursive: true });
  {
    await using draft = await open(`${file}.draft`, 'w');
    await draft.writeFile(`${JSON.stringify(content, null, 2)}\n`);
    await draft.sync();
  }
  await rename(`${file}.draft`, file);
  for (const path of [folder, dirname(folder)]) await flushFolder(path);
}

/** @throws where the file is gone or is not one */
export async function readManifest(dataDir: string, runId: string): Promise<RunManifest> {
  return manifest.parse(JSON.parse(await readFile(manifestFile(dataDir, runId), 'utf8')));
}
