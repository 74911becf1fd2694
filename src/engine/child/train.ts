/**
 * A training run as a story, top to bottom in the order of time: load, step, measure, sample, save, end. It says what
 * happened; main.ts decides who hears it.
 */
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError } from '../../core/errors.ts';
import { LABEL_KINDS } from '../../core/labels.ts';
import type { ModelLabels } from '../../core/model-card.ts';
import { PackReader, sha256OfFile } from '../../datasets/pack-reader.ts';
import { Prefetch } from '../data/prefetch.ts';
import { type Accuracies, type Losses, Trainer } from '../gan/trainer.ts';
import type { FromTrainer, StopReason, TrainJob } from '../protocol.ts';
import { device } from '../tensorflow.ts';
import { type CardDraft, loadCheckpoint, removeDrafts, type SavedCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { networksOf, writeModel } from './model-files.ts';
import { Painter } from './paint.ts';
import { SampleGrid } from './sample-grid.ts';
import { ScheduledMeasures } from './scheduled-measures.ts';
import { storedTensors } from './weight-files.ts';

/** What the loop asks between two steps: whether somebody wants it to end. */
export interface Wishes {
  stop(): StopReason | undefined;
  /** Aborted once somebody does. */
  readonly signal: AbortSignal;
}

export async function* train(job: TrainJob, wishes: Wishes): AsyncGenerator<FromTrainer, void> {
  if ((await sha256OfFile(job.pack)) !== job.packSha256) {
    yield failed(0, 'The packed dataset is damaged: its SHA-256 differs. Import the dataset again.');
    return;
  }
  using pack = PackReader.open(job.pack);
  const { config, seed, totalSteps } = job;
  const net = networksOf({ config, labels: pack.index.labels });
  using trainer = new Trainer(net, config, seed);
  await using batches = new Prefetch({ pack: job.pack, config, seed, pixelRange: net.pixelRange });
  using painter = new Painter(net, trainer.average, config);
  const grid = new SampleGrid(trainer, { painter, config, index: pack.index, seed });
  using measures = new ScheduledMeasures({ job, pack, trainer, painter });

  removeDrafts(job.checkpointsDir);
  removeDrafts(dirname(job.modelDir));
  const { damaged, ...start } = resume(job.resumeFrom, trainer);
  yield { type: 'started', step: start.step, damaged };

  const draft = (step: number) => cardOf(job, pack, step);
  const clock = new Clock(config.batchSize);
  let state: SavedState = start;
  // What was interrupted in a measurement has been saved, but not measured.
  if (start.step > job.measuredStep) yield* measured(measures, start.step, wishes.signal);
  for (let step = start.step + 1; step <= totalSteps; step++) {
    const wish = wishes.stop();
    if (wish !== undefined) {
      if (wish !== 'cancel' && state.step < step - 1)
        yield checkpointed(await saveCheckpoint(job.checkpointsDir, trainer, draft(step - 1)));
      yield { type: 'ended', step: step - 1, reason: wish, message: null };
      return;
    }
    const last = step === totalSteps;
    const losses = trainer.step(step, await batches.take(step), totalSteps);
    const broken = brokenLoss(losses);
    if (broken !== undefined) {
      yield {
        type: 'ended',
        step,
        reason: 'diverged',
        message: `${broken} became ${losses[broken]} at step ${step}; lower the learning rates.`,
      };
      return;
    }
    clock.stepped();
    if (last || step % config.metricsEvery === 0)
      yield { type: 'metrics', step, ...losses, ...clock.measure(totalSteps - step) };
    if (last || step % config.sampleEvery === 0) yield { type: 'sample', step, ...grid.paint() };
    const due = measures.isDue(step);
    yield* measured(measures, step, wishes.signal);
    if (last || due || step % config.checkpointEvery === 0) {
      const checkpoint = await saveCheckpoint(job.checkpointsDir, trainer, draft(step));
      state = checkpoint;
      yield checkpointed(checkpoint);
    }
    // IPC messages are heard between two steps.
    await nextTurn();
  }
  const card = draft(totalSteps);
  const provenance = { ...card.provenance, checkpointSha256: state.sha256 };
  const all = await storedTensors(trainer.state.weights);
  const discriminator = new Map([...all].filter(([name]) => name.startsWith('discriminator.')));
  writeModel(job.modelDir, { ...card, provenance }, { generator: await storedTensors(trainer.average), discriminator });
  yield { type: 'ended', step: totalSteps, reason: 'finished', message: null };
}

async function* measured(scheduled: ScheduledMeasures, step: number, signal: AbortSignal): AsyncGenerator<FromTrainer> {
  if (!scheduled.isDue(step)) return;
  const { measures, problem } = await scheduled.take(signal);
  if (measures !== undefined) yield { type: 'measures', step, ...measures };
  if (problem !== undefined) yield { type: 'log', level: 'warn', message: problem };
}

/** The newest state on disk; step 0: none. */
type SavedState = Pick<SavedCheckpoint, 'step' | 'sha256'>;

/** Goes on from the newest checkpoint whose every byte is right; the others are told as damaged. */
function resume(dirs: readonly string[], trainer: Trainer): SavedState & { damaged: string[] } {
  const damaged: string[] = [];
  for (const dir of dirs) {
    try {
      return { ...loadCheckpoint(dir, trainer), damaged };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      damaged.push(`${dir}: ${error.message}`);
    }
  }
  return { step: 0, sha256: '', damaged };
}

const checkpointed = ({ step, dir, sha256, bytes }: SavedCheckpoint): FromTrainer => ({
  type: 'checkpoint',
  step,
  dir,
  sha256,
  bytes,
});

/** What is known of the model of step `step`. */
function cardOf(
  { name, config, seed, totalSteps, packSha256 }: TrainJob,
  { index }: PackReader,
  step: number,
): CardDraft {
  const labels: ModelLabels = { artist: [], style: [], genre: [] };
  for (const kind of LABEL_KINDS) if (config.labelKinds.includes(kind)) labels[kind] = index.labels[kind];
  const origin = { seed, step, totalSteps, datasetSha256: packSha256, checkpointSha256: '', device: device() };
  return { format: 1, name, config, labels, provenance: origin };
}

function brokenLoss(losses: Losses & Accuracies): 'dLoss' | 'gLoss' | 'l2Loss' | undefined {
  return (['dLoss', 'gLoss', 'l2Loss'] as const).find(
    (name) => losses[name] !== null && !Number.isFinite(losses[name]),
  );
}

const failed = (step: number, message: string): FromTrainer => ({ type: 'ended', step, reason: 'failed', message });

/** Speed since the last measure. Monotonic: the wall clock may jump. */
class Clock {
  readonly #batchSize: number;
  #since = performance.now();
  #steps = 0;

  constructor(batchSize: number) {
    this.#batchSize = batchSize;
  }

  stepped(): void {
    this.#steps++;
  }

  measure(stepsLeft: number): { imagesPerSecond: number; etaSeconds: number } {
    const now = performance.now();
    const secondsPerStep = Math.max(now - this.#since, 1e-3) / 1000 / Math.max(this.#steps, 1);
    this.#since = now;
    this.#steps = 0;
    return { imagesPerSecond: this.#batchSize / secondsPerStep, etaSeconds: stepsLeft * secondsPerStep };
  }
}
