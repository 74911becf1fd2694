/**
 * One claimed run from claim to end: starts the trainer child, hands what it says to the recorder, keeps the lease, reads
 * the wish to pause or cancel, and decides what a dead child means.
 */
import { access, mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDiskFull } from '../core/errors.ts';
import { EngineDied, type HostOptions } from '../engine/host/child-process.ts';
import { TrainerChild } from '../engine/host/trainer.ts';
import type { FromTrainer, StopReason, TrainJob } from '../engine/protocol.ts';
import { kidsOf } from '../store/run-log.ts';
import { renewLease } from '../store/runs.ts';
import type { RunRow } from '../store/tables.ts';
import { checkpointFiles, sweepOrphans } from './retention.ts';
import { classifiersOf, foldersOf, type RunManifest, readManifest } from './run-files.ts';
import { type RecorderParts, RunRecorder } from './run-recorder.ts';

export interface SessionParts extends RecorderParts {
  readonly host: HostOptions;
  readonly leaseMs: number;
  readonly renewMs: number;
  /** How long a child may take to leave after it was asked to; then it is killed. */
  readonly stopMs: { readonly [why in StopReason]: number };
}

/** Deaths without a new step in between, after which a run is given up. */
const MOST_DEATHS = 5;

export class RunSession {
  readonly #parts: SessionParts;
  readonly #run: RunRow;
  readonly #recorder: RunRecorder;
  #trainer: TrainerChild | undefined;
  #asked: StopReason | undefined;
  #grace: NodeJS.Timeout | undefined;
  #heldAt = performance.now();
  #renewing: Promise<void> | undefined;

  constructor(parts: SessionParts, run: RunRow) {
    this.#parts = parts;
    this.#run = run;
    this.#recorder = new RunRecorder(parts, run);
  }

  get runId(): string {
    return this.#run.id;
  }

  /** Of the trainer child, while there is one. */
  get pid(): number | undefined {
    return this.#trainer?.pid;
  }

  /**
   * Trains until the run has ended, was stopped or its child died, and makes the move that belongs to it.
   * @returns deaths in a row, for the pause before the next claim; 0 where the child did not die
   * @throws what the store throws: then the lease runs out and the run goes back into the queue
   */
  async drive(): Promise<number> {
    const { wish } = this.#run;
    try {
      if (wish !== null) await this.#recorder.move(wish, null);
      else await this.#train(await this.#job());
      return 0;
    } catch (error) {
      return this.#recorder.lost ? 0 : await this.#fall(error);
    }
  }

  /** Asks the child to leave. A cancel outdoes a pause; after a shutdown either is left to who claims next. */
  stop(why: StopReason): void {
    if (this.#asked !== undefined && !(this.#asked === 'pause' && why === 'cancel')) return;
    this.#asked = why;
    this.#trainer?.stop(why);
    const limit = this.#parts.stopMs[why];
    clearTimeout(this.#grace);
    this.#grace = setTimeout(() => this.#trainer?.kill(`It did not leave within ${limit / 1000} s.`), limit);
    // The child itself keeps the process alive for as long as this can matter.
    this.#grace.unref();
  }

  /** Renews the lease and reads the wish, now. */
  async renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    await this.#renewing;
  }

  async #renew(): Promise<void> {
    const { db, leaseMs, log } = this.#parts;
    try {
      const { held, wish } = await renewLease(db, { runId: this.#run.id, fence: this.#run.fence, leaseMs });
      if (!held) this.#trainer?.kill('Another server has taken the run over.');
      this.#heldAt = performance.now();
      if (wish !== null) this.stop(wish);
    } catch (error) {
      log.warn({ run: this.#run.id, error }, 'The lease of a run could not be renewed');
      // By now another server may train it: this child would do the same work for nobody.
      if (performance.now() - this.#heldAt > leaseMs) this.#trainer?.kill('The lease ran out.');
    }
  }

  async #train(job: TrainJob): Promise<void> {
    const { host, renewMs } = this.#parts;
    await using trainer = TrainerChild.start(job, host);
    this.#trainer = trainer;
    // Someone may have asked before there was a child.
    if (this.#asked !== undefined) trainer.stop(this.#asked);
    const beat = setInterval(() => void this.renew(), renewMs);
    try {
      for await (const message of trainer) {
        await this.#recorder.hear(this.#meant(message), job);
        if (this.#recorder.lost) return;
      }
    } finally {
      clearInterval(beat);
      clearTimeout(this.#grace);
      this.#trainer = undefined;
      await this.#renewing;
    }
  }

  /** A child that was already about to pause when the cancel came. */
  #meant(message: FromTrainer): FromTrainer {
    const outdone = message.type === 'ended' && message.reason === 'pause' && this.#asked === 'cancel';
    return outdone ? { ...message, reason: 'cancel' } : message;
  }

  /** The job as the child needs it. @throws Unready */
  async #job(): Promise<TrainJob> {
    const { db, dataDir, log } = this.#parts;
    const runId = this.#run.id;
    const { name, config, seed, totalSteps, dataset } = await this.#manifest();
    const pack = resolve(dataDir, dataset.packFile);
    await access(pack).catch((cause: unknown) => {
      throw new Unready(
        'The training file of its dataset is gone. Start a new run on the dataset as it is now.',
        cause,
      );
    });
    const { checkpointsDir, modelDir } = foldersOf(dataDir, runId);
    await mkdir(checkpointsDir, { recursive: true });
    const scope = { db, dataDir, runId, log };
    await sweepOrphans(scope, checkpointsDir);
    const resumeFrom = (await checkpointFiles(scope)).map(({ dir }) => resolve(dataDir, dir ?? ''));
    return {
      name,
      config,
      seed,
      totalSteps,
      pack,
      packSha256: dataset.packSha256,
      checkpointsDir,
      resumeFrom,
      classifiersDir: classifiersOf(dataDir),
      measuredStep: Math.max(0, ...(await kidsOf(db, runId)).keys()),
      modelDir,
    };
  }

  #manifest(): Promise<RunManifest> {
    return readManifest(this.#parts.dataDir, this.#run.id).catch((cause: unknown) => {
      throw new Unready(
        'Its run.json in the data folder cannot be read. Put it back from a backup, then resume.',
        cause,
      );
    });
  }

  /** What it means that the training broke off. */
  async #fall(error: unknown): Promise<number> {
    const recorder = this.#recorder;
    const { log } = this.#parts;
    if (error instanceof Unready) {
      log.error({ run: this.#run.id, error }, 'A run cannot be trained');
      await recorder.move('fail', error.message, { error: error.message });
      return 0;
    }
    if (isDiskFull(error)) {
      await recorder.pauseForDisk();
      return 0;
    }
    if (error instanceof EngineDied) log.warn({ run: this.#run.id, how: error.how }, error.message);
    else log.error({ run: this.#run.id, error }, 'A run could not be recorded');
    const reason =
      error instanceof EngineDied ? error.message : 'The server could not write the run down; see its log.';
    if (this.#asked === 'cancel') await recorder.move('cancel', null);
    else if (this.#asked === 'pause')
      await recorder.move('pause', `${reason} What came after the last checkpoint is lost.`);
    else if (this.#asked === 'shutdown') await recorder.move('lose', `The server is stopping. ${reason}`);
    else await recorder.died(reason, MOST_DEATHS);
    return this.#asked === undefined ? recorder.failures : 0;
  }
}

/** A run that cannot be trained as its files are. */
class Unready extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}
