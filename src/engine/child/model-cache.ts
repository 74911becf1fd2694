/** Models loaded from their folders, the most recently used ones kept. */
import { AppError } from '../../core/errors.ts';
import type { Conditions } from '../../core/labels.ts';
import type { Mix } from '../../core/mix.ts';
import type { ModelCard } from '../../core/model-card.ts';
import type { Architecture } from '../gan/architecture.ts';
import { addConditions, conditionColumns } from '../gan/conditions.ts';
import { Critic } from './critic.ts';
import { openDiscriminator, openModel } from './model-files.ts';
import { Painter } from './paint.ts';

const KEPT = 4;

export interface LoadedModel extends Disposable {
  readonly card: ModelCard;
  readonly net: Architecture;
  readonly painter: Painter;
  /** Loaded when it is first asked for. @throws AppError NO_DISCRIMINATOR, DAMAGED_FILE */
  readonly critic: Critic;
  /** The row of conditions of a mix. @throws AppError UNKNOWN_LABEL */
  rowOf(mix: Mix): Float32Array;
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
  const { latentSize, resolution } = card.config;
  const painter = new Painter(net, weights, { latentSize, frozen: true });
  let opened: { readonly critic: Critic; readonly weights: Disposable } | undefined;
  const openCritic = () => {
    const discriminator = openDiscriminator(dir, card, net);
    return {
      critic: new Critic({ net, generator: weights, discriminator, resolution, latentSize }),
      weights: discriminator,
    };
  };
  return {
    card,
    net,
    painter,
    rowOf: rowsOf(card, net),
    get critic() {
      opened ??= openCritic();
      return opened.critic;
    },
    [Symbol.dispose]: () => {
      painter[Symbol.dispose]();
      opened?.critic[Symbol.dispose]();
      opened?.weights[Symbol.dispose]();
      weights[Symbol.dispose]();
    },
  };
}

function rowsOf({ labels }: ModelCard, net: Architecture): (mix: Mix) => Float32Array {
  const index = new Map<string, number>(
    net.heads.flatMap(({ kind }) => labels[kind].map(({ slug }, i) => [`${kind}:${slug}`, i] as const)),
  );
  const indicesOf = (conditions: Conditions) => {
    for (const [kind, slug] of Object.entries(conditions)) {
      if (!index.has(`${kind}:${slug}`))
        throw new AppError('UNKNOWN_LABEL', `The model does not know the ${kind} "${slug}".`);
    }
    return net.heads.map(({ kind }) => index.get(`${kind}:${conditions[kind]}`) ?? -1);
  };
  return (mix) => {
    const row = new Float32Array(conditionColumns(net.heads, net.unspecified));
    for (const { conditions, weight } of mix) addConditions(row, net, { indices: indicesOf(conditions), weight });
    return row;
  };
}
