/**
 * The child that paints, classifies, exports and takes in models: kept alive as long as the API process lives. A
 * child that dies is started again with growing pauses; what was asked of it is asked once more, and refused as
 * ENGINE_UNAVAILABLE if that one dies too.
 */
import { type Deferred, deferred } from '../../core/deferred.ts';
import { AppError, unreachable } from '../../core/errors.ts';
import { parseFromGenerator } from '../parse.ts';
import type {
  ExportFormat,
  FromGenerator,
  GeneratorRequest,
  KindJudgement,
  PaintRequest,
  ToGenerator,
} from '../protocol.ts';
import { EngineChild, type EngineDied, type HostOptions } from './child-process.ts';
import { type BorrowedPixels, PixelPool } from './pixel-pool.ts';

/** Pictures of one size, one after another: pictures x height x width x 3 bytes, until they are disposed of. */
export interface Painting extends BorrowedPixels {
  readonly width: number;
  readonly height: number;
}

type Answer =
  | { readonly type: 'painted'; readonly painting: Painting }
  | Extract<FromGenerator, { type: 'classified' | 'written' }>;

type Painted = Extract<FromGenerator, { type: 'painted' }>;

interface Job {
  readonly request: ToGenerator;
  readonly answer: Deferred<Answer>;
  deaths: number;
}

interface Limits {
  readonly signal?: AbortSignal | undefined;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** After so many deaths in a row the next child is started only when somebody asks for a picture. */
const EAGER_STARTS = 5;

export class Generator implements AsyncDisposable {
  readonly #options: HostOptions;
  readonly #jobs = new Map<number, Job>();
  readonly #pool = new PixelPool();
  #child: EngineChild<FromGenerator> | undefined;
  #device: string | undefined;
  #ready = false;
  #closed = false;
  #lastId = 0;
  /** Deaths since the last picture. */
  #failures = 0;
  #notBefore = 0;
  #restart: NodeJS.Timeout | undefined;

  private constructor(options: HostOptions) {
    this.#options = options;
  }

  /** Starts the child and does not wait for it. */
  static start(options: HostOptions): Generator {
    const generator = new Generator(options);
    generator.#spawn();
    return generator;
  }

  /** What it paints on, e.g. "CPU"; undefined until the first child has said hello. */
  get device(): string | undefined {
    return this.#device;
  }

  /** Whether a child is there that has loaded TensorFlow. */
  get ready(): boolean {
    return this.#ready;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Paints pictures with the model in a folder, in one batch.
   * @throws AppError ENGINE_UNAVAILABLE; retryable unless the engine itself refused. The signal's reason where aborted:
   *   the child's work cannot be interrupted and is thrown away.
   */
  async paint(modelDir: string, pictures: readonly PaintRequest[], limits: Limits = {}): Promise<Painting> {
    const answer = await this.#ask({ type: 'paint', modelDir, pictures }, limits);
    if (answer.type !== 'painted') throw new Error('The engine wrote what it should paint');
    return answer.painting;
  }

  /**
   * What the model's discriminator makes of a picture of its side, per kind of label that it knows.
   * @throws AppError NO_DISCRIMINATOR where the model has none; ENGINE_UNAVAILABLE
   */
  async classify(modelDir: string, pixels: Uint8Array, limits: Limits = {}): Promise<readonly KindJudgement[]> {
    const answer = await this.#ask({ type: 'classify', modelDir, pixels }, limits);
    if (answer.type !== 'classified') throw new Error('The engine did not say what it was asked for');
    return answer.kinds;
  }

  /**
   * Writes a model for others to run into a folder, which is made.
   * @throws AppError DAMAGED_FILE where the model's files are not whole; ENGINE_UNAVAILABLE
   */
  async exportModel(modelDir: string, format: ExportFormat, into: string): Promise<void> {
    await this.#ask({ type: 'export', modelDir, format, into });
  }

  /**
   * Makes a model folder of one from elsewhere, or of a checkpoint.
   * @throws AppError DAMAGED_FILE where it is not one, or not whole; ENGINE_UNAVAILABLE
   */
  async adoptModel(from: string, into: string): Promise<void> {
    await this.#ask({ type: 'adopt', from, into });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    for (const job of this.#jobs.values()) job.answer.reject(unavailable('The server is stopping.'));
    await this.#child?.[Symbol.asyncDispose]();
  }

  async #ask(request: GeneratorRequest, { signal }: Limits = {}): Promise<Answer> {
    signal?.throwIfAborted();
    if (this.#closed) throw unavailable('The server is stopping.');
    this.#lastId += 1;
    const job: Job = { request: { ...request, id: this.#lastId }, answer: deferred(), deaths: 0 };
    const leave = () => job.answer.reject(signal?.reason);
    signal?.addEventListener('abort', leave, { once: true });
    this.#jobs.set(job.request.id, job);
    if (this.#ready) this.#child?.send(job.request);
    else this.#ensureChild();
    try {
      return await job.answer.promise;
    } finally {
      signal?.removeEventListener('abort', leave);
      this.#jobs.delete(job.request.id);
    }
  }

  #spawn(): void {
    this.#restart = undefined;
    const child = new EngineChild<FromGenerator>({
      ...this.#options,
      role: 'generator',
      parse: parseFromGenerator,
      heard: (message) => this.#hear(child, message),
    });
    this.#child = child;
    void child.died.then((death) => this.#bury(death));
  }

  #hear(child: EngineChild<FromGenerator>, message: FromGenerator): void {
    if (message.type === 'hello') {
      this.#device = message.device;
      this.#ready = true;
      for (const { request } of this.#jobs.values()) this.#child?.send(request);
    } else if (message.type === 'painted') {
      this.#deliverParts(child, message);
    } else if (message.type === 'classified' || message.type === 'written') {
      this.#deliver(child, message.id, message);
    } else if (message.type === 'refused') {
      const { id, code, message: reason } = message;
      const said = code === null ? `The engine could not do it: ${reason}` : reason;
      this.#jobs.get(id)?.answer.reject(new AppError(code ?? 'ENGINE_UNAVAILABLE', said));
    }
  }

  /** What was painted together, as what each request asked for. */
  #deliverParts(child: EngineChild<FromGenerator>, { parts, width, height, pixels }: Painted): void {
    const each = width * height * 3;
    let start = 0;
    for (const { id, pictures } of parts) {
      const end = start + pictures * each;
      // Nobody waits any more for what has no job.
      if (this.#jobs.has(id)) {
        const borrowed = this.#pool.copyOf(pixels.subarray(start, end));
        this.#deliver(child, id, { type: 'painted', painting: { width, height, ...borrowed } });
      }
      start = end;
    }
  }

  #deliver(child: EngineChild<FromGenerator>, id: number, answer: Answer): void {
    this.#failures = 0;
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    const { request } = job;
    if (fits(request, answer)) job.answer.resolve(answer);
    else child.kill('garbage', 'The generator process answered something else than it was asked for.');
  }

  #bury(death: EngineDied): void {
    this.#child = undefined;
    this.#ready = false;
    if (this.#closed) return;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#notBefore = performance.now() + pauseMs;
    this.#options.log.warn({ failures: this.#failures, pauseMs }, `${death.message} Starting another.`);
    for (const job of this.#jobs.values()) {
      job.deaths += 1;
      if (job.deaths > 1) job.answer.reject(unavailable('The engine died twice while it painted.', death));
    }
    const waiting = [...this.#jobs.values()].some(({ deaths }) => deaths <= 1);
    if (waiting || this.#failures < EAGER_STARTS) this.#ensureChild();
  }

  /** A child is there or will be, not before the pause after the last death is over. */
  #ensureChild(): void {
    if (this.#child !== undefined || this.#restart !== undefined) return;
    this.#restart = setTimeout(() => this.#spawn(), Math.max(0, this.#notBefore - performance.now()));
  }
}

function fits(request: GeneratorRequest, answer: Answer): boolean {
  switch (answer.type) {
    case 'painted': {
      const { width, height, pixels } = answer.painting;
      return request.type === 'paint' && pixels.length === request.pictures.length * width * height * 3;
    }
    case 'classified':
      return request.type === 'classify';
    case 'written':
      return request.type === 'export' || request.type === 'adopt';
    default:
      return unreachable(answer);
  }
}

function unavailable(message: string, cause?: unknown): AppError {
  return new AppError('ENGINE_UNAVAILABLE', `${message} Try again in a moment.`, { retryable: true, cause });
}
