/** What generated pictures are asked for when a generator is measured: labels of works, single labels, combinations. */
import type { LabelKind } from '../../core/labels.ts';
import { integers } from '../../core/seeds.ts';
import type { PackIndex } from '../../datasets/pack.ts';
import type { Head } from '../gan/architecture.ts';
import type { JudgedKind } from './judged-labels.ts';

/** What one picture is asked for: slugs by kind. */
export type Asked = { readonly [K in LabelKind]?: string };

/** The labels that a generator knows. */
export interface Vocabulary {
  readonly heads: readonly Head[];
  /** Class of a label; -1: it does not know it. */
  classOf(kind: LabelKind, slug: string): number;
}

/** Pictures of each label alone. */
export const PER_LABEL = 16;
/** Pictures of combinations that no work has. */
const NEW_COMBINATIONS = 256;

/** The judged labels that the generator knows, of kinds with at least two. */
export function askableKinds({ heads, classOf }: Vocabulary, judged: readonly JudgedKind[]): JudgedKind[] {
  return judged
    .filter(({ kind }) => heads.some((head) => head.kind === kind))
    .map(({ kind, labels }) => ({ kind, labels: labels.filter(({ slug }) => classOf(kind, slug) >= 0) }))
    .filter(({ labels }) => labels.length > 1);
}

/** For every work its own labels, as far as the generator knows them. */
export function likeWorks({ heads, classOf }: Vocabulary, index: PackIndex, works: Int32Array): Asked[] {
  return Array.from(works, (work) => {
    const slugs = heads.map(({ kind }) => [kind, slugIn(index, kind, work)] as const);
    return Object.fromEntries(slugs.filter(([kind, slug]) => slug !== undefined && classOf(kind, slug) >= 0));
  });
}

/** Every label by itself, so many times. */
export function eachAlone(kinds: readonly JudgedKind[]): Asked[] {
  return kinds.flatMap(({ kind, labels }) =>
    labels.flatMap(({ slug }) => Array.from({ length: PER_LABEL }, (): Asked => ({ [kind]: slug }))),
  );
}

/** The combinations of labels that works of a collection have. */
export function combinationsIn(index: PackIndex, kinds: readonly JudgedKind[]): Set<string> {
  return new Set(
    Array.from({ length: index.count }, (_, work) =>
      combinationOf(Object.fromEntries(kinds.map(({ kind }) => [kind, slugIn(index, kind, work)])), kinds),
    ),
  );
}

/** A text that is the same for the same labels of these kinds. */
export function combinationOf(asked: Asked, kinds: readonly JudgedKind[]): string {
  return JSON.stringify(kinds.map(({ kind }) => asked[kind] ?? null));
}

/** Whether a label of every kind is asked for, and it is one of these. */
export function isComplete(asked: Asked, kinds: readonly JudgedKind[]): boolean {
  return kinds.every(({ kind, labels }) => labels.some(({ slug }) => slug === asked[kind]));
}

/** Combinations of a label of every kind that are not known; fewer, or none, where there are none. */
export function newCombinations(kinds: readonly JudgedKind[], known: ReadonlySet<string>, draw: Draw): Asked[] {
  if (kinds.length < 2) return [];
  const found: Asked[] = [];
  const tries = 20 * NEW_COMBINATIONS;
  const draws = kinds.map(({ labels }, i) => integers(draw.seed, 'evaluation', draw.counter + i, tries, labels.length));
  for (let i = 0; i < tries && found.length < NEW_COMBINATIONS; i++) {
    const slugs = kinds.map(({ kind, labels }, k) => [kind, labels[draws[k]?.[i] ?? 0]?.slug] as const);
    const asked: Asked = Object.fromEntries(slugs);
    if (!known.has(combinationOf(asked, kinds))) found.push(asked);
  }
  return found;
}

interface Draw {
  readonly seed: number;
  /** It and the next two are taken. */
  readonly counter: number;
}

function slugIn(index: PackIndex, kind: LabelKind, work: number): string | undefined {
  return index.labels[kind][index.works[kind][work] ?? -1]?.slug;
}
