/**
 * What a trainer says, as rows and files: events, sample grids, checkpoints, the finished model and the move that ends
 * it. Every write names the fence of the claim; once one is refused, another server has the run and `lost` is true.
 */
import { createHash, randomUUID } from 'node:crypto';
import { relative, resolve, sep } from 'node:path';
import { unreachable } from '../core/errors.ts';
import type { RunEventBody } from '../core/events.ts';
import type { Log } from '../core/log.ts';
import { warningsOf } from '../core/measures.ts';
import type { RunAction } from '../core/run-state.ts';
import type { FromTrainer, TrainJob } from '../engine/protocol.ts';
import type { Blobs } from '../store/blobs.ts';
import { insertCheckpoint } from '../store/checkpoints.ts';
import type { Db } from '../store/db.ts';
import { appendEvent, kidsOf, sampleById } from '../store/run-log.ts';
import { moveRun } from '../store/runs.ts';
import type { RunRow } from '../store/tables.ts';
import type { ModelService } from './models.ts';
import { encodePixels } from './pictures.ts';
import { retain } from './retention.ts';

export interface RecorderParts {
  readonly db: Db;
  readonly blobs: Blobs;
  readonly dataDir: string;
  readonly models: ModelService;
  readonly log: Log;
}

type Of<Type extends FromTrainer['type']> = Extract<FromTrainer, { type: Type }>;
type Patch = Partial<RunRow>;

export class RunRecorder {
  readonly #parts: RecorderParts;
  readonly #run: RunRow;
  #lost = false;
  /** The newest step in the log: after a death the child repeats what came after its checkpoint. */
  #step: number;
  #failures: number;
  #device: string | null;

  constructor(parts: RecorderParts, run: RunRow) {
    this.#parts = parts;
    this.#run = run;
    this.#step = run.step;
    this.#failures = run.failures;
    this.#device = run.device;
  }

  /** Another server has the run now, or its row was moved: nothing more may be written. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Deaths in a row without a new step in between. */
  get failures(): number {
    return this.#failures;
  }

  /** Writes one message down. After `ended` the run has made its move. */
  async hear(message: FromTrainer, job: TrainJob): Promise<void> {
    switch (message.type) {
      case 'hello':
        this.#device = message.device;
        return;
      case 'alive':
      case 'log':
        return;
      case 'started':
        return this.#started(message, job);
      case 'metrics':
        return this.#metrics(message);
      case 'sample':
        return this.#sample(message);
      case 'measures':
        return this.#measures(message);
      case 'checkpoint':
        return this.#checkpoint(message, job);
      case 'ended':
        return this.#ended(message, job);
      default:
        return unreachable(message);
    }
  }

  /** Makes a move, with its event. A move that is refused makes the run lost. */
  async move(action: RunAction, reason: string | null, patch: Patch = {}, db: Db = this.#parts.db): Promise<void> {
    const { id: runId, fence } = this.#run;
    // A run that goes back into the queue takes the wish with it.
    const settled: Patch = action === 'lose' ? {} : { wish: null };
    const device = this.#device;
    const moved = await moveRun(db, {
      runId,
      fence,
      action,
      ...(reason === null ? {} : { reason }),
      patch: { etaSeconds: null, device, ...settled, ...patch },
    });
    if (moved === undefined) this.#lose();
  }

  /** One more death: back into the queue, or given up where there were too many. */
  async died(reason: string, mostDeaths: number): Promise<void> {
    this.#failures += 1;
    const failures = this.#failures;
    if (failures < mostDeaths) return this.move('lose', `${reason} It is started again.`, { failures });
    const error = `${reason} Given up after ${failures} deaths without a new step.`;
    return this.move('fail', error, { failures, error });
  }

  #lose(): void {
    this.#lost = true;
    this.#parts.log.warn({ run: this.#run.id, fence: this.#run.fence }, 'The run has another owner, or was moved');
  }

  async #append(body: RunEventBody, patch: Patch = {}): Promise<void> {
    const { id: runId, fence } = this.#run;
    const seq = await appendEvent(this.#parts.db, { runId, fence, body, patch });
    if (seq === undefined) this.#lose();
  }

  async #started({ step, damaged }: Of<'started'>, { resumeFrom }: TrainJob): Promise<void> {
    this.#parts.log.info({ run: this.#run.id, step, device: this.#device }, 'Training');
    if (damaged.length === 0) return;
    const from = step === 0 ? 'the start' : `the checkpoint of step ${step}`;
    const reason = `${damaged.length} of ${resumeFrom.length} checkpoints are damaged; training goes on from ${from}.`;
    await this.#append({ type: 'state', status: 'RUNNING', reason }, { device: this.#device });
  }

  async #metrics(message: Of<'metrics'>): Promise<void> {
    const { step, imagesPerSecond, etaSeconds } = message;
    if (step <= this.#step) return;
    this.#step = step;
    // Further than ever before: whatever ended it last time, it is not stuck.
    this.#failures = 0;
    const progress = { step, imagesPerSecond, etaSeconds, device: this.#device, failures: this.#failures };
    await this.#append(message, progress);
  }

  async #sample({ pixels, ...grid }: Of<'sample'>): Promise<void> {
    const { db, blobs } = this.#parts;
    const id = sampleId(this.#run.id, grid.step);
    if ((await sampleById(db, id)) !== undefined) return;
    const { width, height } = grid;
    const png = await encodePixels({ pixels, width, height }, { format: 'png' });
    // The file before the row that names it.
    const sha256 = await blobs.put(png, 'png');
    await this.#append({ ...grid, labels: [...grid.labels], id, sha256 });
  }

  async #measures(message: Of<'measures'>): Promise<void> {
    const kids = await kidsOf(this.#parts.db, this.#run.id);
    // A restarted child measures again what it has trained again.
    if (kids.has(message.step)) return;
    const best = kids.size === 0 ? undefined : Math.min(...kids.values());
    await this.#append({ ...message, warnings: warningsOf(message, best) });
  }

  async #checkpoint({ step, sha256, bytes, dir }: Of<'checkpoint'>, job: TrainJob): Promise<void> {
    const { db, dataDir, log } = this.#parts;
    const { id: runId, fence } = this.#run;
    const place = relative(dataDir, resolve(job.checkpointsDir, dir)).split(sep).join('/');
    const row = await insertCheckpoint(db, { id: randomUUID(), runId, fence, step, sha256, bytes, dir: place });
    if (row === undefined) return this.#lose();
    this.#failures = 0;
    await retain({ db, dataDir, runId, log }, job.config);
  }

  async #ended({ reason, message, step: last }: Of<'ended'>, job: TrainJob): Promise<void> {
    const step = Math.max(last, this.#step);
    switch (reason) {
      case 'finished':
        return this.#finish(job);
      case 'diverged':
        return this.#fail(message ?? 'The losses are no longer finite numbers: try lower learning rates.', step);
      case 'failed':
        return this.#fail(message ?? 'The trainer gave up without a reason.', step);
      case 'disk-full':
        return this.pauseForDisk();
      case 'pause':
      case 'cancel':
        return this.move(reason, message, { step });
      case 'shutdown':
        return this.move('lose', 'The server is stopping; training goes on when one is there again.', { step });
      default:
        return unreachable(reason);
    }
  }

  /** No room for the next file: all that was written before is whole. */
  pauseForDisk(): Promise<void> {
    const error = 'The disk is full. Make room: training then goes on by itself from its last checkpoint.';
    return this.move('pause', error, { error, waitsFor: 'room' });
  }

  #fail(error: string, step: number): Promise<void> {
    return this.move('fail', error, { error, step });
  }

  /** The model and the move in one transaction: a completed run has its model, and a model its completed run. */
  async #finish({ modelDir, totalSteps }: TrainJob): Promise<void> {
    const { db, models } = this.#parts;
    const card = await models.readFinished(modelDir);
    await db
      .transaction(async (tx) => {
        await models.addFinished(tx, this.#run, { modelDir, card });
        await this.move('finish', null, { step: totalSteps, etaSeconds: 0, failures: 0 }, tx);
        if (this.#lost) tx.rollback();
      })
      .catch((error: unknown) => {
        if (!this.#lost) throw error;
      });
  }
}

/** One grid per run and step, also when a restarted child draws it again. */
function sampleId(runId: string, step: number): string {
  const hex = createHash('sha256').update(`${runId}:${step}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
