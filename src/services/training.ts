/**
 * The verbs of training runs: start, pause, resume, cancel, follow. Rows only: what a run's row says is done by the
 * driver, here or on another server.
 */
import { randomUUID } from 'node:crypto';
import { AppError } from '../core/errors.ts';
import { EventStream } from '../core/event-stream.ts';
import type { RunEvent } from '../core/events.ts';
import { localId } from '../core/global-id.ts';
import { didYouMean, LABEL_KINDS, type LabelKind } from '../core/labels.ts';
import { resolveConfig, type TrainConfig } from '../core/presets.ts';
import { nextStatus, type RunAction } from '../core/run-state.ts';
import { MAX_SEED } from '../core/seeds.ts';
import { datasetPage, findDataset } from '../store/datasets.ts';
import type { Db } from '../store/db.ts';
import { labelCount } from '../store/labels.ts';
import { insertRun, moveRun, runById, setWaiting, setWish } from '../store/runs.ts';
import type { DatasetRow, RunRow } from '../store/tables.ts';
import { runTopic } from '../store/topic-log.ts';
import type { LogFeed } from './log-feed.ts';
import { readManifest, writeManifest } from './run-files.ts';
import { drawSeed } from './seed.ts';
import { checkedAfter, checkedInterval, checkReached, type StreamPlace } from './stream-place.ts';

export interface StartRequest {
  /** Slug, id or name. */
  readonly dataset: string;
  readonly name?: string | null | undefined;
  readonly preset: string;
  readonly steps: number;
  readonly resolution: number;
  readonly batchSize?: number | null | undefined;
  readonly seed?: number | null | undefined;
  /** Fields of the preset to change. */
  readonly config?: unknown;
  /** So that the same wish makes one run. */
  readonly id?: string | undefined;
}

export interface TrainingOptions {
  readonly db: Db;
  readonly dataDir: string;
  readonly feed: LogFeed;
  /** The driver of this process: told, so that nothing waits for its next look. */
  readonly driver: { wake(): void; nudge(runId: string): void };
  /** How long pause and cancel wait for a running child to leave before they answer with the run as it is. */
  readonly moveWaitMs?: number;
}

type Verb = 'pause' | 'resume' | 'cancel';

const MOST_STEPS = 10_000_000;
const LONGEST_NAME = 120;

export class TrainingService {
  readonly #options: TrainingOptions;
  readonly #moveWaitMs: number;

  constructor(options: TrainingOptions) {
    this.#options = options;
    this.#moveWaitMs = options.moveWaitMs ?? 10_000;
  }

  /** Of the packed file that a run is trained on; null where its folder is not here any more. */
  async datasetSha256(runId: string): Promise<string | null> {
    const manifest = await readManifest(this.#options.dataDir, runId).catch(() => undefined);
    return manifest?.dataset.packSha256 ?? null;
  }

  /**
   * Queues a run. Nothing is written where the request has a mistake.
   * @throws AppError with the path of the mistake: INVALID_INPUT, UNKNOWN_PRESET, UNKNOWN_DATASET, DATASET_NOT_READY,
   *   NO_LABELS
   */
  async start(request: StartRequest): Promise<RunRow> {
    const { db, dataDir, driver } = this.#options;
    const { steps, preset, resolution, id = randomUUID() } = request;
    const known = request.id === undefined ? undefined : await runById(db, id);
    if (known !== undefined) return known;
    const seed = request.seed ?? drawSeed();
    const name = request.name?.trim() ?? '';
    check(
      Number.isInteger(steps) && steps >= 1 && steps <= MOST_STEPS,
      'steps',
      `a whole number from 1 to ${MOST_STEPS}`,
    );
    check(Number.isSafeInteger(seed) && seed >= 0, 'seed', `a whole number from 0 to ${MAX_SEED}`);
    check(name.length <= LONGEST_NAME, 'name', `at most ${LONGEST_NAME} characters long`);
    const batchSize = request.batchSize ?? undefined;
    const asked = resolveConfig({ preset, resolution, batchSize, config: request.config });
    const dataset = await this.#dataset(request.dataset);
    const pack = packOf(dataset, asked);
    const config = { ...asked, labelKinds: await this.#labelKinds(dataset, asked) };
    const run = {
      id,
      name: name === '' ? `${dataset.name}, ${resolution} px` : name,
      config,
      seed,
      totalSteps: steps,
    };
    // The file before the row that names it.
    await writeManifest(dataDir, run.id, {
      format: 1,
      ...run,
      dataset: { id: dataset.id, slug: dataset.slug, ...pack },
    });
    const row = await insertRun(db, {
      ...run,
      datasetId: dataset.id,
      preset: config.preset,
      resolution: config.resolution,
    });
    driver.wake();
    return row;
  }

  /** @throws AppError NOT_FOUND or WRONG_STATE */
  pause(runId: string): Promise<RunRow> {
    return this.#move(runId, 'pause');
  }

  /** Puts a paused or failed run at the end of the queue. @throws AppError NOT_FOUND or WRONG_STATE */
  async resume(runId: string): Promise<RunRow> {
    const run = await this.#move(runId, 'resume');
    this.#options.driver.wake();
    return run;
  }

  /** @throws AppError NOT_FOUND or WRONG_STATE */
  cancel(runId: string): Promise<RunRow> {
    return this.#move(runId, 'cancel');
  }

  /**
   * A run's events after seq `after`, then live, to its last one; metrics at most every `minIntervalMs`.
   * @throws AppError NOT_FOUND, or INVALID_INPUT where a number is out of bounds
   */
  async follow(runId: string, { after, minIntervalMs }: StreamPlace): Promise<EventStream<RunEvent>> {
    const from = checkedAfter(after) ?? 0;
    const interval = checkedInterval(minIntervalMs);
    const { id, lastSeq } = await this.#find(runId, ['run']);
    checkReached(from, lastSeq);
    const log = this.#options.feed.ofRun(id);
    if (interval === 0) return new EventStream(log, from);
    const mayBeSkipped = ({ body }: RunEvent) => body.type === 'metrics';
    return new EventStream(log, from, { minIntervalMs: interval, mayBeSkipped });
  }

  async #find(runId: string, path: readonly string[] = ['input', 'run']): Promise<RunRow> {
    const run = await runById(this.#options.db, localId(runId, 'TrainingRun'));
    if (run === undefined)
      throw new AppError(
        'NOT_FOUND',
        `There is no training run with the id "${runId.slice(0, 200)}". The query trainingRuns lists them.`,
        {
          path,
        },
      );
    return run;
  }

  /** A run that nobody trains is moved at once; one that runs is asked to, and the answer waited for. */
  async #move(runId: string, verb: Verb): Promise<RunRow> {
    const { db, driver } = this.#options;
    while (true) {
      const run = await this.#find(runId);
      if (verb === 'pause' && run.waitsFor !== null) return this.#stayPaused(run);
      if (nextStatus(run.status, verb) === undefined) throw wrongState(run, verb);
      if (run.status !== 'RUNNING') {
        const fresh = verb === 'resume' ? { error: null, failures: 0, queuedAt: new Date() } : {};
        const { id, fence } = run;
        const moved = await moveRun(db, { runId: id, action: verb, fence, patch: { wish: null, ...fresh } });
        if (moved !== undefined) return moved;
        // It was claimed or moved in the meantime: look again.
      } else if (verb !== 'resume') {
        await setWish(db, { runId: run.id, wish: verb });
        driver.nudge(run.id);
        return this.#settled(run.id);
      }
    }
  }

  /** A run that would go on by itself stays where it is. */
  async #stayPaused(run: RunRow): Promise<RunRow> {
    await setWaiting(this.#options.db, run.id, null);
    return this.#find(run.id);
  }

  /** The run once its wish is settled, one way or another, or as it is when the time is up. */
  async #settled(id: string): Promise<RunRow> {
    const until = AbortSignal.timeout(this.#moveWaitMs);
    let wake = () => {};
    let grown = false;
    const leave = this.#options.feed.onGrow(runTopic(id), () => {
      grown = true;
      wake();
    });
    until.addEventListener('abort', () => wake(), { once: true });
    try {
      while (true) {
        grown = false;
        const run = await this.#find(id);
        if (run.wish === null || until.aborted) return run;
        if (grown) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      leave();
    }
  }

  async #dataset(text: string): Promise<DatasetRow> {
    const { db } = this.#options;
    const dataset = await findDataset(db, localId(text, 'Dataset'));
    if (dataset !== undefined) return dataset;
    const { rows } = await datasetPage(db, { first: 100 });
    const suggestions = didYouMean(
      text.slice(0, 200),
      rows.map(({ slug }) => slug),
    );
    const hint = suggestions.length > 0 ? ` Did you mean ${suggestions.map((slug) => `"${slug}"`).join(', ')}?` : '';
    throw new AppError(
      'UNKNOWN_DATASET',
      `There is no dataset "${text.slice(0, 200)}".${hint || ' The query datasets lists them.'}`,
      {
        path: ['input', 'dataset'],
        suggestions,
      },
    );
  }

  /** The kinds of labels to train on: those asked for that the dataset has. @throws AppError NO_LABELS */
  async #labelKinds(dataset: DatasetRow, config: TrainConfig): Promise<LabelKind[]> {
    const has = new Set<LabelKind>();
    for (const kind of LABEL_KINDS) {
      if ((await labelCount(this.#options.db, kind, { datasetId: dataset.id })) > 0) has.add(kind);
    }
    const kinds = config.labelKinds.filter((kind) => has.has(kind));
    if (kinds.length > 0) return kinds;
    const asked = config.labelKinds.map((kind) => `${kind}s`).join(', ');
    const other = [...has].map((kind) => `"${kind}"`).join(', ');
    const hint = has.size === 0 ? 'it has no labels at all' : `config can ask for what it has: labelKinds: [${other}]`;
    throw new AppError('NO_LABELS', `No work of dataset "${dataset.name}" has one of ${asked}; ${hint}.`, {
      path: has.size === 0 ? ['input', 'dataset'] : ['input', 'config', 'labelKinds'],
    });
  }
}

/** The training file of a dataset that can be trained on at this resolution. */
function packOf(dataset: DatasetRow, { resolution }: TrainConfig): { packFile: string; packSha256: string } {
  const { name, status, packFile, packSha256, maxResolution, error } = dataset;
  if (packFile === null || packSha256 === null) {
    const why =
      status === 'IMPORTING' ? 'is still being imported' : `could not be imported: ${error ?? 'unknown reason'}`;
    throw new AppError('DATASET_NOT_READY', `Dataset "${name}" ${why}.`, {
      path: ['input', 'dataset'],
      retryable: status === 'IMPORTING',
    });
  }
  const hint = `dataset "${name}" was imported for up to ${maxResolution}: import it again with a larger maxResolution`;
  check(resolution <= maxResolution, 'resolution', `at most ${maxResolution}: ${hint}`);
  return { packFile, packSha256 };
}

function check(holds: boolean, field: string, what: string, path: readonly string[] = ['input', field]): void {
  if (!holds) throw new AppError('INVALID_INPUT', `${field} must be ${what}.`, { path });
}

function wrongState({ status }: RunRow, verb: Verb): AppError {
  const verbs: readonly (RunAction & Verb)[] = ['pause', 'resume', 'cancel'];
  const allowed = verbs.filter((other) => nextStatus(status, other) !== undefined);
  const hint = allowed.length === 0 ? 'Nothing more can be done with it.' : `Possible now: ${allowed.join(', ')}.`;
  return new AppError('WRONG_STATE', `A run that is ${status} cannot be ${PAST[verb]}. ${hint}`, {
    path: ['input', 'run'],
  });
}

const PAST = { pause: 'paused', resume: 'resumed', cancel: 'cancelled' } as const;
