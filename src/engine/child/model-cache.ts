/** Generators loaded from model folders, the most recently used ones kept. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import type { Conditions } from '../../core/labels.ts';
import { CARD_FILE, type ModelCard, modelCard } from '../../core/model-card.ts';
import { architectureOf, specsOfGenerator } from '../gan/architecture.ts';
import { loadModelWeights } from './checkpoint.ts';
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
  const card = readCard(dir);
  const { artist, style, genre } = card.labels;
  const net = architectureOf(card.config, { artist: artist.length, style: style.length, genre: genre.length });
  const weights = loadModelWeights(dir, card.sha256, specsOfGenerator(net));
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
  const painter = new Painter(net, weights, { latentSize: card.config.latentSize });
  const dispose = () => {
    painter[Symbol.dispose]();
    weights[Symbol.dispose]();
  };
  return { card, painter, indicesOf, [Symbol.dispose]: dispose };
}

function readCard(dir: string): ModelCard {
  try {
    return modelCard.parse(JSON.parse(readFileSync(join(dir, CARD_FILE), 'utf8')));
  } catch (cause) {
    throw new AppError('DAMAGED_FILE', `The model's ${CARD_FILE} cannot be read.`, { cause });
  }
}
