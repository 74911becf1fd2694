/**
 * Which works a step trains on, and which labels its generated pictures are asked for: pure functions of (seed, step).
 *
 * Where the preset rewards variety, both come in pairs (places 2p and 2p + 1): two works that share labels, and two
 * latents that are asked for the same ones. So D sees how different two works of a label are, and G must match it.
 */
import { AppError } from '../../core/errors.ts';
import { LABEL_KINDS, type LabelKind } from '../../core/labels.ts';
import type { TrainConfig } from '../../core/presets.ts';
import { integers, uniform } from '../../core/seeds.ts';
import type { PackIndex } from '../../datasets/pack.ts';
import type { Labels } from '../gan/conditions.ts';

export interface Drawn {
  readonly works: Int32Array;
  readonly labels: Labels;
  readonly asked: Labels;
}

/** What a run's configuration says about drawing. */
export type SamplerConfig = Pick<
  TrainConfig,
  'labelKinds' | 'batchSize' | 'labelBalance' | 'labelDropout' | 'labelMixing' | 'diversityWeight'
>;

/** A label per kind of the run; -1: none, or one that is not asked for. */
type LabelSet = readonly number[];

export class Sampler {
  readonly #index: PackIndex;
  readonly #config: SamplerConfig;
  readonly #seed: number;
  /** Works that can be drawn, and the running sum of their weights. */
  readonly #works: Int32Array;
  readonly #cumulative: Float64Array;
  readonly #worksOf: ReadonlyMap<LabelKind, readonly (readonly number[])[]>;

  /** @throws AppError NO_LABELS */
  constructor(index: PackIndex, config: SamplerConfig, seed: number) {
    this.#index = index;
    this.#config = config;
    this.#seed = seed;
    const weights = workWeights(index, config);
    if (weights.size === 0)
      throw new AppError('NO_LABELS', 'No work of the dataset has a label that this run trains on.');
    this.#works = Int32Array.from(weights.keys());
    let sum = 0;
    this.#cumulative = Float64Array.from(weights.values(), (weight) => {
      sum += weight;
      return sum;
    });
    this.#worksOf = worksByLabel(index, weights);
  }

  /** What step `step`, from 1, sees. */
  at(step: number): Drawn {
    const works = this.#config.diversityWeight > 0 ? this.#pairs(step) : this.#draw('shuffle', step);
    const labels = this.#columns(Array.from(works, (work) => this.#labelsOf(work)));
    return { works, labels, asked: this.#asked(step) };
  }

  #draw(purpose: 'shuffle' | 'trainLabel', step: number): Int32Array {
    const total = this.#cumulative.at(-1) ?? 0;
    const points = uniform(this.#seed, purpose, step, this.#config.batchSize);
    return Int32Array.from(points, (point) => this.#works[firstAbove(this.#cumulative, point * total)] ?? 0);
  }

  /** Works in pairs that share the labels that are not withheld. */
  #pairs(step: number): Int32Array {
    const anchors = this.#draw('shuffle', step);
    const withheld = this.#withheld(2 * step);
    const chances = uniform(this.#seed, 'partner', step, anchors.length);
    return anchors.map((own, i) => {
      if (i % 2 === 0) return own;
      const anchor = anchors[i - 1] ?? own;
      const others = this.#sharing(withheld(this.#labelsOf(anchor), i - 1)).filter((work) => work !== anchor);
      // The only work of its kind is its own partner, cut and mirrored in another way.
      return others[Math.floor((chances[i] ?? 0) * others.length)] ?? anchor;
    });
  }

  /** All works that have these labels. */
  #sharing(wanted: LabelSet): readonly number[] {
    const { labelKinds } = this.#config;
    const named = labelKinds.map((kind, head) => [kind, wanted[head] ?? -1] as const).filter(([, label]) => label >= 0);
    if (named.length === 0) return Array.from(this.#works);
    const lists = named.map(([kind, label]) => this.#worksOf.get(kind)?.[label] ?? []);
    const shortest = lists.reduce((best, list) => (list.length < best.length ? list : best));
    return shortest.filter((work) => named.every(([kind, label]) => this.#index.works[kind][work] === label));
  }

  /**
   * What the generated pictures are asked for, each kind withheld from a share of them. Without balancing a single kind's
   * labels are drawn evenly (the papers); else they are those of works drawn like the real ones.
   */
  #asked(step: number): Labels {
    const { batchSize, diversityWeight } = this.#config;
    const wanted = this.#wanted(step);
    const withheld = this.#withheld(2 * step + 1);
    const sets = Array.from({ length: batchSize }, (_, i) => {
      const place = diversityWeight > 0 ? i - (i % 2) : i;
      return withheld(wanted[place] ?? [], place);
    });
    return this.#columns(sets);
  }

  #wanted(step: number): LabelSet[] {
    const { batchSize, labelKinds, labelBalance, labelMixing } = this.#config;
    const [only] = labelKinds;
    if (labelBalance > 0 || only === undefined || labelKinds.length > 1) {
      const sets = Array.from(this.#draw('trainLabel', step), (work) => this.#labelsOf(work));
      return labelMixing > 0 ? this.#mixed(sets, step) : sets;
    }
    const classes = this.#index.labels[only].length;
    return Array.from(integers(this.#seed, 'trainLabel', step, batchSize, classes), (label) => [label]);
  }

  /** A share of the sets gets each label from another one of the batch. */
  #mixed(sets: readonly LabelSet[], step: number): LabelSet[] {
    const { labelMixing, labelKinds } = this.#config;
    const chances = uniform(this.#seed, 'recombine', 2 * step, sets.length);
    const donors = integers(this.#seed, 'recombine', 2 * step + 1, sets.length * labelKinds.length, sets.length);
    return sets.map((own, i) => {
      if ((chances[i] ?? 0) >= labelMixing) return own;
      return own.map((_label, head) => sets[donors[i * labelKinds.length + head] ?? i]?.[head] ?? -1);
    });
  }

  /** Takes their share of labels away: a function of the place in the batch. */
  #withheld(counter: number): (labels: LabelSet, place: number) => LabelSet {
    const { batchSize, labelKinds, labelDropout } = this.#config;
    const heads = labelKinds.length;
    const chances = uniform(this.#seed, 'labelDropout', counter, batchSize * heads);
    return (labels, place) =>
      labels.map((label, head) => ((chances[place * heads + head] ?? 0) < labelDropout ? -1 : label));
  }

  #labelsOf(work: number): LabelSet {
    return this.#config.labelKinds.map((kind) => this.#index.works[kind][work] ?? -1);
  }

  #columns(sets: readonly LabelSet[]): Int32Array[] {
    return this.#config.labelKinds.map((_kind, head) => Int32Array.from(sets, (set) => set[head] ?? -1));
  }
}

/**
 * How often each work is drawn, by its position: the geometric mean over its labels of count^-labelBalance, so that with one
 * kind and a balance of 1 every label is drawn equally often. A work without any label of the run's kinds is left out.
 */
export function workWeights(
  index: PackIndex,
  config: Pick<TrainConfig, 'labelKinds' | 'labelBalance'>,
): Map<number, number> {
  const weights = new Map<number, number>();
  for (let work = 0; work < index.count; work++) {
    const counts = config.labelKinds.flatMap((kind) => {
      const label = index.works[kind][work] ?? -1;
      return label < 0 ? [] : [index.labels[kind][label]?.count ?? 1];
    });
    if (counts.length === 0) continue;
    const logMean = counts.reduce((sum, count) => sum + Math.log(count), 0) / counts.length;
    weights.set(work, Math.exp(-config.labelBalance * logMean));
  }
  return weights;
}

/** The drawable works of every label, by kind and class. */
function worksByLabel(index: PackIndex, drawable: ReadonlyMap<number, number>): Map<LabelKind, number[][]> {
  return new Map(
    LABEL_KINDS.map((kind) => {
      const lists: number[][] = index.labels[kind].map(() => []);
      for (const work of drawable.keys()) lists[index.works[kind][work] ?? -1]?.push(work);
      return [kind, lists];
    }),
  );
}

/** The first position whose value is above `x`, in a rising array. */
function firstAbove(rising: Float64Array, x: number): number {
  let [low, high] = [0, rising.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] ?? 0) > x) high = middle;
    else low = middle + 1;
  }
  return low;
}
