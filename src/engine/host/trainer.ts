/**
 * One training in a child process: what the trainer says, in order, up to `ended`. A child that dies before that is an
 * EngineDied at the place where its next message would have been. It knows nothing of rows.
 */
import { type Deferred, deferred } from '../../core/deferred.ts';
import { parseFromTrainer } from '../parse.ts';
import type { FromTrainer, StopReason, TrainJob } from '../protocol.ts';
import { EngineChild, type EngineDied, type HostOptions } from './child-process.ts';

/** From here on a metrics message replaces the one before it that nobody has taken yet: the reader cannot keep up. */
const INBOX = 1_000;

export class TrainerChild implements AsyncIterable<FromTrainer>, AsyncDisposable {
  readonly #child: EngineChild<FromTrainer>;
  readonly #job: TrainJob;
  readonly #inbox: FromTrainer[] = [];
  #death: EngineDied | undefined;
  #arrival: Deferred<void> | undefined;
  #greeted = false;
  #asked: StopReason | undefined;

  private constructor(job: TrainJob, options: HostOptions) {
    this.#job = job;
    this.#child = new EngineChild({
      ...options,
      role: 'trainer',
      parse: parseFromTrainer,
      heard: (message) => this.#put(message),
    });
  }

  /** Starts a child, which gets the job as soon as it says hello. */
  static start(job: TrainJob, options: HostOptions): TrainerChild {
    const trainer = new TrainerChild(job, options);
    void trainer.#child.died.then((death) => {
      trainer.#death = death;
      trainer.#arrival?.resolve();
    });
    return trainer;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks it to leave after the current step, also before it has begun; `ended` is the answer. */
  stop(why: StopReason): void {
    this.#asked = why;
    if (this.#greeted) this.#child.send({ type: 'stop', why });
  }

  /** Ends it without a checkpoint; the reader gets an EngineDied with this message. */
  kill(message: string): void {
    this.#child.kill('killed', message);
  }

  /**
   * Its messages; the last one is `ended`. One reader only.
   * @throws EngineDied where the child is gone before that.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<FromTrainer, void, undefined> {
    while (true) {
      const message = this.#inbox.shift();
      if (message !== undefined) {
        yield message;
        if (message.type === 'ended') return;
      } else if (this.#death !== undefined) {
        throw this.#death;
      } else {
        // Always settles: a message or the child's death, and the heartbeat sees to one of them.
        this.#arrival = deferred();
        await this.#arrival.promise;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }

  #begin(): void {
    this.#greeted = true;
    this.#child.send({ type: 'train', job: this.#job });
    if (this.#asked !== undefined) this.#child.send({ type: 'stop', why: this.#asked });
  }

  #put(message: FromTrainer): void {
    if (message.type === 'hello') this.#begin();
    const newest = this.#inbox.at(-1);
    if (this.#inbox.length >= INBOX && message.type === 'metrics' && newest?.type === 'metrics') this.#inbox.pop();
    this.#inbox.push(message);
    this.#arrival?.resolve();
  }
}
