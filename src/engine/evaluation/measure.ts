/**
 * Measures a generator against a collection, from asking for pictures to numbers (core/measures.ts says what each means).
 * A pure function of the generator, the collection's reference and the seed.
 */
import { AppError } from '../../core/errors.ts';
import type { LabelKind } from '../../core/labels.ts';
import type { KindFidelity, Measures } from '../../core/measures.ts';
import { normal } from '../../core/seeds.ts';
import type { PackIndex } from '../../datasets/pack.ts';
import type { Labels } from '../gan/conditions.ts';
import {
  type Asked,
  askableKinds,
  combinationOf,
  combinationsIn,
  eachAlone,
  isComplete,
  likeWorks,
  newCombinations,
  PER_LABEL,
  type Vocabulary,
} from './asking.ts';
import type { Reading } from './classifier.ts';
import { accuracyByLabel, meanOf } from './classifier-training.ts';
import type { Reference } from './collection.ts';
import { meanDistance, nearestWorks, type Points } from './distances.ts';
import type { JudgedKind } from './judged-labels.ts';
import { kid, scaled } from './kid.ts';
import { parzen } from './parzen.ts';
import { shrunk } from './shrink.ts';

/** The generator that is measured. */
export interface Subject extends Vocabulary {
  readonly latentSize: number;
  /** Side of its pictures in pixels. */
  readonly resolution: number;
  /** -> RGB bytes, picture after picture. */
  paint(painting: { readonly latents: Float32Array; readonly labels: Labels }): Uint8Array;
  /** See Measures; null where it has only the generator. */
  reconstruction(works: Int32Array): number | null;
  /** Index of the works that it was trained on, where those are others than it is compared with. */
  readonly trainedOn?: PackIndex | undefined;
}

export interface Measured {
  readonly measures: Measures;
  /** Pictures asked for what works are labelled with, at the classifier's side, and the nearest work of each. */
  readonly pictures: Uint8Array;
  readonly nearest: Int32Array;
}

const NOTHING: Asked = {};
/** Of fewer works of a label the mean distance is not told. */
const LEAST_FOR_DIVERSITY = 6;
/** Draws of `evaluation`: 0 holds works out, 1 samples works; from 1,000 on: halves for KID's interval. */
const DRAWS = { likeWorks: 10, alone: 11, together: 12, combinations: 20 } as const;

/** @throws AppError NO_LABELS where generator and classifier have no label in common */
export function measure(subject: Subject, reference: Reference, seed: number): Measured {
  const { classifier, works, pack } = reference;
  const kinds = askableKinds(subject, classifier.kinds);
  if (kinds.length === 0)
    throw new AppError('NO_LABELS', 'The generator knows no labels that enough works of the collection have.');
  const show = (asked: readonly Asked[], draw: number) => shown(subject, reference, { asked, seed, draw });
  const readBack = (only: readonly Asked[], { reading }: Shown) =>
    readBackOf({ kinds, reference, asked: only, reading });

  const like = show(likeWorks(subject, pack.index, works), DRAWS.likeWorks);
  const alone = show(eachAlone(kinds), DRAWS.alone);
  const known = combinationsIn(subject.trainedOn ?? pack.index, kinds);
  const unseen = newCombinations(kinds, known, { seed, counter: DRAWS.combinations });
  const together = unseen.length === 0 ? undefined : show(unseen, DRAWS.together);
  const isSeen = (asked: Asked) => isComplete(asked, kinds) && known.has(combinationOf(asked, kinds));
  const seen = kinds.length < 2 ? [] : like.asked.map((asked) => (isSeen(asked) ? asked : NOTHING));
  const combinations: Measures['combinations'] = [];
  const pictures = seen.filter((asked) => asked !== NOTHING).length;
  if (pictures > 0) combinations.push({ seen: true, pictures, kinds: readBack(seen, like).map(withoutLabels) });
  if (together !== undefined)
    combinations.push({ seen: false, pictures: unseen.length, kinds: readBack(unseen, together).map(withoutLabels) });

  const own = { count: works.length, values: reference.reading.features };
  const inUnits = ({ features, count }: Reading) => scaled({ count, values: features }, own);
  const ofWorks = inUnits(reference.reading);
  const pixels = asPoints(like.pictures, like.asked.length);
  const workPixels = asPoints(reference.pictures, works.length);
  const { works: nearest, memorised } = nearestWorks(pixels, workPixels);
  const measures: Measures = {
    pictures: like.asked.length,
    kid: kid(inUnits(like.reading), ofWorks, seed),
    fidelity: readBack(alone.asked, alone).map((found) => ({
      ...found,
      heldOut: reference.heldOut[columnOf(reference, found.kind)] ?? 0,
    })),
    combinations,
    diversity: diversity(kinds, reference, { works: ofWorks, pictures: inUnits(alone.reading) }),
    memorised,
    reconstruction: subject.reconstruction(works),
    parzen: parzen(pixels, workPixels),
  };
  return { measures, pictures: like.pictures, nearest };
}

interface Shown {
  readonly asked: readonly Asked[];
  /** RGB bytes at the classifier's side. */
  readonly pictures: Uint8Array;
  readonly reading: Reading;
}

interface Showing {
  readonly asked: readonly Asked[];
  readonly seed: number;
  readonly draw: number;
}

/** Paints what is asked for and lets the classifier read it. */
function shown(subject: Subject, { classifier }: Reference, { asked, seed, draw }: Showing): Shown {
  const labels = subject.heads.map(({ kind }) =>
    Int32Array.from(asked, ({ [kind]: slug }) => (slug === undefined ? -1 : subject.classOf(kind, slug))),
  );
  const latents = normal(seed, 'evaluation', draw, asked.length * subject.latentSize);
  const painted = subject.paint({ latents, labels });
  const pictures = shrunk(painted, { from: subject.resolution, to: classifier.side });
  return { asked, pictures, reading: classifier.read(pictures) };
}

const columnOf = ({ classifier }: Reference, kind: LabelKind) =>
  classifier.kinds.findIndex((judged) => judged.kind === kind);

interface Answered {
  readonly kinds: readonly JudgedKind[];
  readonly reference: Reference;
  readonly asked: readonly Asked[];
  readonly reading: Reading;
}

interface ReadBack extends KindFidelity {
  readonly labels: Measures['fidelity'][number]['labels'];
}

/** Per kind how many of the pictures that were asked for a label of it are taken for that label. */
function readBackOf({ kinds, reference, asked, reading }: Answered): ReadBack[] {
  return kinds.flatMap(({ kind }) => {
    const column = columnOf(reference, kind);
    const labels = reference.classifier.kinds[column]?.labels ?? [];
    const wanted = asked.map(({ [kind]: slug }) => labels.findIndex((label) => label.slug === slug));
    const shares = accuracyByLabel(wanted, reading.answers[column] ?? []);
    if (shares.size === 0) return [];
    const told = labels.flatMap(({ slug }, place) => {
      const accuracy = shares.get(place);
      return accuracy === undefined ? [] : [{ slug, accuracy }];
    });
    return [{ kind, accuracy: meanOf(shares), chance: 1 / labels.length, labels: told }];
  });
}

const withoutLabels = ({ kind, accuracy, chance }: ReadBack): KindFidelity => ({ kind, accuracy, chance });

interface Featured {
  /** Features of the reference's works, and of `PER_LABEL` pictures for each label of the kinds, in their order. */
  readonly works: Points;
  readonly pictures: Points;
}

/** The mean over labels of (distance between pictures of the label) / (distance between works of it). */
function diversity(kinds: readonly JudgedKind[], reference: Reference, { works, pictures }: Featured): number {
  const ratios: number[] = [];
  let first = 0;
  for (const { kind, labels } of kinds) {
    for (const { label } of labels) {
      const ofLabel = [...reference.works.keys()].filter(
        (i) => reference.labelOf(kind, reference.works[i] ?? -1) === label,
      );
      const painted = Array.from({ length: PER_LABEL }, (_, i) => first + i);
      first += PER_LABEL;
      if (ofLabel.length < LEAST_FOR_DIVERSITY) continue;
      ratios.push(meanDistance(rows(pictures, painted)) / meanDistance(rows(works, ofLabel)));
    }
  }
  // Where no label has enough works there is nothing to compare with, and nothing to complain of.
  return ratios.length === 0 ? 1 : ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}

function rows({ count, values }: Points, places: readonly number[]): Points {
  const size = values.length / count;
  const chosen = new Float32Array(places.length * size);
  places.forEach((place, i) => {
    chosen.set(values.subarray(place * size, (place + 1) * size), i * size);
  });
  return { count: places.length, values: chosen };
}

/** Bytes as values of 0..1. */
function asPoints(pictures: Uint8Array, count: number): Points {
  return { count, values: Float32Array.from(pictures, (byte) => byte / 255) };
}
