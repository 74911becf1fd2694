/** Runs from the queue to a model's pictures, with the real engine: what the scripted child stands for elsewhere. */
import { relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Generator } from '../../src/engine/host/generator.ts';
import { checkpointsOf } from '../../src/store/checkpoints.ts';
import { updateDataset } from '../../src/store/datasets.ts';
import type { Store } from '../../src/store/db.ts';
import { modelsByRuns } from '../../src/store/models.ts';
import { runById } from '../../src/store/runs.ts';
import type { RunRow } from '../../src/store/tables.ts';
import { openTestStore } from '../helpers/database.ts';
import { ASKER, type Lab, openLab } from '../helpers/lab.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { tinyPack } from '../helpers/tiny-pack.ts';
import { waitFor } from '../helpers/wait-for.ts';

let store: Store;
let lab: Lab;
beforeAll(async () => {
  store = await openTestStore();
  lab = await openLab(store);
  const { path, sha256 } = await tinyPack(lab.dataDir);
  await updateDataset(store.db, lab.dataset.id, { packFile: relative(lab.dataDir, path), packSha256: sha256 });
});
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
});

const tiny = { labelKinds: ['style'], width: 2, latentSize: 4, batchSize: 4, metricsEvery: 1, checkpointEvery: 15 };
const queue = (name: string) => lab.start({ name, steps: 60, config: tiny });
const rowOf = async (run: RunRow) => (await runById(store.db, run.id)) ?? run;
const whenCompleted = (run: RunRow) =>
  waitFor(async () => {
    const row = await rowOf(run);
    if (row.status === 'FAILED') throw new Error(row.error ?? 'failed');
    return row.status === 'COMPLETED' && row;
  }, 60_000);

/** Of its last checkpoint. */
async function stateOf(run: RunRow): Promise<string | undefined> {
  return (await checkpointsOf(store.db, [run.id])).get(run.id)?.find(({ step }) => step === 60)?.sha256;
}

describe('a run on the real engine', () => {
  it('that was killed, and one that was paused, end with the very weights of one that was left alone', async () => {
    const driver = await lab.drive({ engine: 'real', heartbeatTimeoutMs: 60_000 });
    const alone = await queue('alone');
    await whenCompleted(alone);

    const killed = await queue('killed');
    const pid = await waitFor(async () => (await rowOf(killed)).step >= 20 && driver.pid);
    process.kill(pid, 'SIGKILL');
    expect((await whenCompleted(killed)).fence).toBe(2);

    const paused = await queue('paused');
    await waitFor(async () => (await rowOf(paused)).step >= 5);
    expect(await lab.training.pause(paused.id)).toMatchObject({ status: 'PAUSED' });
    await lab.training.resume(paused.id);
    await whenCompleted(paused);

    expect(await stateOf(alone)).toMatch(/^[0-9a-f]{64}$/);
    expect(await stateOf(killed)).toBe(await stateOf(alone));
    expect(await stateOf(paused)).toBe(await stateOf(alone));

    const models = await modelsByRuns(store.db, [alone.id, killed.id]);
    await using engine = Generator.start({ device: 'cpu', heartbeatTimeoutMs: 60_000, log: recordingLog() });
    const { generation } = await lab.paintWith(engine);
    const ask = (run: RunRow, n: number, seed: number) =>
      generation.generate({ label: 'red', n, seed, truncation: 1, model: models.get(run.id)?.id }, ASKER);
    const four = await ask(alone, 4, 1);
    expect(new Set(four.map(({ sha256 }) => sha256)).size).toBe(4);
    expect((await ask(killed, 1, 3))[0]?.sha256).toBe(four[2]?.sha256);
  });
});
