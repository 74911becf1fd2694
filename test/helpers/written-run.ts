/** A training run whose log a test writes by itself, as a trainer would: as fast as it likes, and with what it likes. */
import { randomUUID } from 'node:crypto';
import { encodeGlobalId } from '../../src/core/global-id.ts';
import { insertDataset } from '../../src/store/datasets.ts';
import type { Db } from '../../src/store/db.ts';
import { appendEvent } from '../../src/store/run-log.ts';
import { claimNextRun, insertRun, moveRun } from '../../src/store/runs.ts';

const LEASE_MS = 3_600_000;

export class WrittenRun {
  /** As clients know it. */
  readonly id: string;
  readonly #db: Db;
  readonly #runId: string;
  readonly #fence: number;
  #step = 0;

  private constructor(db: Db, claimed: { readonly id: string; readonly fence: number }) {
    this.#db = db;
    this.#runId = claimed.id;
    this.#fence = claimed.fence;
    this.id = encodeGlobalId('TrainingRun', claimed.id);
  }

  /** It runs: its log has the events 1 and 2. */
  static async begin(db: Db): Promise<WrittenRun> {
    const name = `written-${randomUUID()}`;
    const dataset = await insertDataset(db, {
      ...{ slug: name, name, path: `/collections/${name}`, layout: 'AUTO', status: 'READY', maxResolution: 64 },
    });
    const run = {
      ...{ id: randomUUID(), name, datasetId: dataset.id, preset: 'studio', config: {} },
      ...{ resolution: 32, seed: 1, totalSteps: 1_000_000 },
    };
    // At once, or the server's own driver would take it.
    const claimed = await db.transaction(async (tx) => {
      await insertRun(tx, run);
      return claimNextRun(tx, { owner: 'a test', leaseMs: LEASE_MS });
    });
    if (claimed?.id !== run.id) throw new Error('Another run was waiting');
    return new WrittenRun(db, claimed);
  }

  /** So many events of metrics, with a pause after each. */
  async write(count: number, pauseMs = 0): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#step += 1;
      await this.#append(this.#step);
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** Its last event, after which streams of it end. */
  async finish(): Promise<void> {
    await moveRun(this.#db, { runId: this.#runId, action: 'finish', fence: this.#fence });
  }

  async #append(step: number): Promise<void> {
    const losses = { dLoss: 1 + 1 / step, gLoss: 0.5 + 1 / step, l2Loss: null };
    const rates = { realAccuracy: null, fakeAccuracy: null, imagesPerSecond: 100, etaSeconds: null };
    const body = { type: 'metrics' as const, step, ...losses, ...rates };
    const seq = await appendEvent(this.#db, { runId: this.#runId, fence: this.#fence, body, patch: { step } });
    if (seq === undefined) throw new Error('The run was taken away');
  }
}
