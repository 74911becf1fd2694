// This server as it starts, with one run whose log is written here as a trainer's events are.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built } from '../../scripts/lib/built.mjs';
import { serve, use } from '../child.mjs';
import { metricsAt, writeEvents } from './watched-run.mjs';

const { startApp } = await built('app.js');
const { readConfig } = await built('config.js');
const { createLog } = await built('log.js');
const { encodeGlobalId } = await built('core/global-id.js');
const { insertDataset } = await built('store/datasets.js');
const { claimNextRun, insertRun, runById } = await built('store/runs.js');
const { appendEvent } = await built('store/run-log.js');
const { runEvents, runs } = await built('store/tables.js');
const { eq } = await import('drizzle-orm');

const dataDir = await mkdtemp(join(tmpdir(), 'artgan-fan-out-'));
const config = readConfig({ DATA_DIR: dataDir, PORT: '0', STARTER: 'off', LOG_LEVEL: 'warn' });
const app = await startApp({ config, log: createLog(config) });
await app.ready;
const { db } = app.store;

async function begin() {
  const dataset = await insertDataset(db, {
    ...{ slug: 'watched', name: 'Watched', path: '/watched', layout: 'AUTO', status: 'READY', maxResolution: 64 },
  });
  const run = {
    ...{ id: randomUUID(), name: 'watched', datasetId: dataset.id, preset: 'studio', config: {}, resolution: 64 },
    ...{ seed: 1, totalSteps: 10_000_000 },
  };
  // At once, or the server's own driver would take the run.
  return db.transaction(async (/** @type {any} */ tx) => {
    await insertRun(tx, run);
    return claimNextRun(tx, { owner: 'bench', leaseMs: 3_600_000 });
  });
}

const { id: runId, fence } = await begin();
let step = 0;
const write = () => appendEvent(db, { runId, fence, body: metricsAt(++step) });

serve(
  {
    where: () => ({ url: app.url, run: encodeGlobalId('TrainingRun', runId) }),
    lastSeq: async () => (await runById(db, runId)).lastSeq,
    write: (pace) => writeEvents(pace, write),
    /** A long history, written at once. */
    fill: async ({ count }) => {
      const { lastSeq } = await runById(db, runId);
      await db.transaction(async (/** @type {any} */ tx) => {
        for (let from = 0; from < count; from += 500) {
          const rows = Array.from({ length: 500 }, (_, i) => {
            const body = metricsAt(++step);
            return { runId, seq: lastSeq + from + i + 1, at: new Date(), type: body.type, body };
          });
          await tx.insert(runEvents).values(rows);
        }
        await tx
          .update(runs)
          .set({ lastSeq: lastSeq + count })
          .where(eq(runs.id, runId));
      });
    },
    use,
  },
  async () => {
    await app[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  },
);
