/**
 * The measures of a run that is being trained, every so many steps: its average generator against the collection. The
 * collection's classifier is trained when it is first needed and not there.
 */
import { AppError } from '../../core/errors.ts';
import type { Measures } from '../../core/measures.ts';
import type { PackReader } from '../../datasets/pack-reader.ts';
import { measure } from '../evaluation/measure.ts';
import type { Trainer } from '../gan/trainer.ts';
import type { TrainJob } from '../protocol.ts';
import { subjectOf } from './evaluation.ts';
import type { Painter } from './paint.ts';
import { type OpenReference, openReference } from './reference.ts';

interface ScheduledParts {
  readonly job: TrainJob;
  readonly pack: PackReader;
  readonly trainer: Trainer;
  readonly painter: Painter;
}

export class ScheduledMeasures implements Disposable {
  readonly #parts: ScheduledParts;
  #reference: OpenReference | undefined;
  /** Why this collection cannot be measured. */
  #impossible: string | undefined;

  constructor(parts: ScheduledParts) {
    this.#parts = parts;
  }

  isDue(step: number): boolean {
    const { evaluateEvery } = this.#parts.job.config;
    return evaluateEvery > 0 && step > 0 && step % evaluateEvery === 0 && this.#impossible === undefined;
  }

  /**
   * Undefined where the signal came first; or, with `problem` told once, where the collection has too few labels.
   * Always the same numbers for the same generator and collection.
   */
  async take(signal: AbortSignal): Promise<{ measures?: Measures; problem?: string }> {
    const { job, pack, trainer, painter } = this.#parts;
    const { packSha256, classifiersDir: folder, config, seed } = job;
    const { resolution, latentSize } = config;
    try {
      this.#reference ??= await openReference({ pack, packSha256, folder, resolution, signal });
      const { weights, average } = trainer.state;
      painter.refresh(average);
      const { labels } = pack.index;
      const autoencoder = { weights, pack };
      const subject = subjectOf({ net: trainer.net, painter, latentSize, resolution, labels, autoencoder });
      return { measures: measure(subject, this.#reference.reference, seed).measures };
    } catch (error) {
      if (signal.aborted) return {};
      if (!(error instanceof AppError) || error.code !== 'NO_LABELS') throw error;
      this.#impossible = error.message;
      return { problem: error.message };
    }
  }

  [Symbol.dispose](): void {
    this.#reference?.[Symbol.dispose]();
  }
}
