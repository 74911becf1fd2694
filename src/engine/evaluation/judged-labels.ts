/**
 * Which labels of a collection a classifier can learn and be tested on, and which works are kept from it for the test:
 * pure functions of the collection's index.
 */
import { LABEL_KINDS, type LabelKind } from '../../core/labels.ts';
import { orderByChance } from '../../core/seeds.ts';
import type { PackIndex } from '../../datasets/pack.ts';

/** Of fewer works a classifier learns the works, not the label. */
const LEAST_WORKS = 8;
/** One in so many works of a label is held out. */
const HELD_OUT = 5;

export interface JudgedLabel {
  /** Its class in the collection's index. */
  readonly label: number;
  readonly slug: string;
}

/** A kind with the labels that are judged, at least two of them. */
export interface JudgedKind {
  readonly kind: LabelKind;
  readonly labels: readonly JudgedLabel[];
}

export function judgedKinds({ labels }: Pick<PackIndex, 'labels'>): JudgedKind[] {
  return LABEL_KINDS.map((kind) => ({
    kind,
    labels: labels[kind].flatMap(({ slug, count }, label) => (count >= LEAST_WORKS ? [{ label, slug }] : [])),
  })).filter((judged) => judged.labels.length > 1);
}

/** Per kind the place of a work's label among the judged ones; -1: none of them. */
export function judgedLabelsOf(index: PackIndex, kinds: readonly JudgedKind[]): Int32Array[] {
  return kinds.map(({ kind, labels }) => {
    const places = new Map(labels.map(({ label }, place) => [label, place]));
    return Int32Array.from(index.works[kind], (label) => places.get(label) ?? -1);
  });
}

/** The works that the classifier does not see in training: a fifth of each label, by the rarest label of a work. */
export function heldOutWorks(index: PackIndex, kinds: readonly JudgedKind[], seed: number): Set<number> {
  const places = judgedLabelsOf(index, kinds);
  const countOf = (kind: number, place: number) => {
    const judged = kinds[kind];
    const label = judged?.labels[place]?.label ?? -1;
    return judged === undefined ? 0 : (index.labels[judged.kind][label]?.count ?? 0);
  };
  const groups = new Map<string, number[]>();
  for (let work = 0; work < index.count; work++) {
    const own = places.flatMap((column, kind) => {
      const place = column[work] ?? -1;
      return place < 0 ? [] : [{ name: `${kind}:${place}`, count: countOf(kind, place) }];
    });
    if (own.length === 0) continue;
    const { name } = own.reduce((rarest, next) => (next.count < rarest.count ? next : rarest));
    const group = groups.get(name) ?? [];
    groups.set(name, group);
    group.push(work);
  }
  const order = orderByChance(seed, 'evaluation', 0, index.count);
  return new Set(
    [...groups.values()].flatMap((works) =>
      works.sort(order).slice(0, Math.max(1, Math.floor(works.length / HELD_OUT))),
    ),
  );
}
