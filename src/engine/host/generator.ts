/**
 * The child that paints: kept alive as long as the API process lives. A child that dies is started again with growing
 * pauses; what was asked of it is asked once more, and refused as ENGINE_UNAVAILABLE if that one dies too.
 */
import { type Deferred, deferred } from '../../core/deferred.ts';
import { AppError } from '../../core/errors.ts';
import { parseFromGenerator } from '../parse.ts';
import type { FromGenerator, PaintRequest } from '../protocol.ts';
import { EngineChild, type EngineDied, type HostOptions } from './child-process.ts';

/** Pictures of one size, one after another: pictures x height x width x 3 bytes. */
export interface Painting {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

interface Job {
  readonly id: number;
  readonly modelDir: string;
  readonly pictures: readonly PaintRequest[];
  readonly answer: Deferred<Painting>;
  deaths: number;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** After so many deaths in a row the next child is started only when somebody asks for a picture. */
const EAGER_STARTS = 5;

export class Generator implements AsyncDisposable {
  readonly #options: HostOptions;
  readonly #jobs = new Map<number, Job>();
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
  async paint(
    modelDir: string,
    pictures: readonly PaintRequest[],
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Painting> {
    signal?.throwIfAborted();
    if (this.#closed) throw unavailable('The server is stopping.');
    this.#lastId += 1;
    const job: Job = { id: this.#lastId, modelDir, pictures, answer: deferred(), deaths: 0 };
    const leave = () => job.answer.reject(signal?.reason);
    signal?.addEventListener('abort', leave, { once: true });
    this.#jobs.set(job.id, job);
    if (this.#ready) this.#send(job);
    else this.#ensureChild();
    try {
      return await job.answer.promise;
    } finally {
      signal?.removeEventListener('abort', leave);
      this.#jobs.delete(job.id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    for (const job of this.#jobs.values()) job.answer.reject(unavailable('The server is stopping.'));
    await this.#child?.[Symbol.asyncDispose]();
  }

  #send({ id, modelDir, pictures }: Job): void {
    this.#child?.send({ type: 'paint', id, modelDir, pictures });
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
      for (const job of this.#jobs.values()) this.#send(job);
    } else if (message.type === 'painted') {
      this.#deliver(child, message);
    } else if (message.type === 'refused') {
      const job = this.#jobs.get(message.id);
      job?.answer.reject(new AppError('ENGINE_UNAVAILABLE', `The engine could not paint: ${message.message}`));
    }
  }

  #deliver(child: EngineChild<FromGenerator>, { id, width, height, pixels }: Painting & { readonly id: number }): void {
    this.#failures = 0;
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    if (pixels.length !== job.pictures.length * width * height * 3) {
      child.kill(
        'garbage',
        `The generator process answered ${job.pictures.length} requests with ${pixels.length} bytes.`,
      );
      return;
    }
    job.answer.resolve({ width, height, pixels });
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

function unavailable(message: string, cause?: unknown): AppError {
  return new AppError('ENGINE_UNAVAILABLE', `${message} Try again in a moment.`, { retryable: true, cause });
}
