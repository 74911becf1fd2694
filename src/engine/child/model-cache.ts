/** Generators loaded from model folders, the most recently used ones kept. */
import { AppError } from '../../core/errors.ts';
import type { Conditions } from '../../core/labels.ts';
import type { ModelCard } from '../../core/model-card.ts';
import { openModel } from './model-files.ts';
import { Painter } from './paint.ts';

const KEPT = 4;

export interface LoadedModel extends Disposable {
  readonly card: ModelCard;
  readonly painter: Painter;
  /** Class indices of a request's labels, one per head; -1: not asked for. @throws AppError UNKNOWN_LABEL */
  indicesOf(conditions: Conditions): number[];
}

export class ModelCache implements Disposable {
  /** In the order of use: the first was used longest ago. */
  readonly #models = new Map<string, LoadedModel>();

  /** @throws AppError DAMAGED_FILE */
  get(dir: string): LoadedModel {
    const model = this.#models.get(dir) ?? load(dir);
    this.#models.delete(dir);
    this.#models.set(dir, model);
    for (const [oldest, unused] of this.#models) {
      if (this.#models.size <= KEPT) break;
      unused[Symbol.dispose]();
      this.#models.delete(oldest);
    }
    return model;
  }

  [Symbol.dispose](): void {
    for (const model of this.#models.values()) model[Symbol.dispose]();
    this.#models.clear();
  }
}

function load(dir: string): LoadedModel {
  const { card, net, weights } = openModel(dir);
  const index = new Map<string, number>(
    net.heads.flatMap(({ kind }) => card.labels[kind].map(({ slug }, i) => [`${kind}:${slug}`, i] as const)),
  );
  const indicesOf = (conditions: Conditions) => {
    for (const [kind, slug] of Object.entries(conditions)) {
      if (!index.has(`${kind}:${slug}`))
        throw new AppError('UNKNOWN_LABEL', `The model does not know the ${kind} "${slug}".`);
    }
    return net.heads.map(({ kind }) => index.get(`${kind}:${conditions[kind]}`) ?? -1);
  };
  const painter = new Painter(net, weights, { latentSize: card.config.latentSize, frozen: true });
  const dispose = () => {
    painter[Symbol.dispose]();
    weights[Symbol.dispose]();
  };
  return { card, painter, indicesOf, [Symbol.dispose]: dispose };
}
