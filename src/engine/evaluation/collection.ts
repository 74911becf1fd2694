/**
 * A collection as generated pictures are measured against it: its classifier, and a sample of its works with what the
 * classifier says of them.
 */
import { LABEL_KINDS, type LabelKind } from '../../core/labels.ts';
import { orderByChance } from '../../core/seeds.ts';
import type { PackReader } from '../../datasets/pack-reader.ts';
import { middles, readCrops } from '../data/crops.ts';
import type { Classifier, Reading } from './classifier.ts';

/** Works that are compared with at most: enough for a narrow interval, few enough for memory. */
const MOST_WORKS = 1_000;
const BYTES = [0, 255] as const;

export interface ReferenceOptions {
  readonly pack: PackReader;
  readonly classifier: Classifier;
  /** Per kind of the classifier its accuracy on works that it was not trained on. */
  readonly heldOut: readonly number[];
  readonly seed: number;
}

export class Reference {
  readonly pack: PackReader;
  readonly classifier: Classifier;
  readonly heldOut: readonly number[];
  /** Positions in the pack of the works that stand for the collection. */
  readonly works: Int32Array;
  /** Their pictures, RGB bytes at the classifier's side. */
  readonly pictures: Uint8Array;
  readonly reading: Reading;

  constructor({ pack, classifier, heldOut, seed }: ReferenceOptions) {
    this.pack = pack;
    this.classifier = classifier;
    this.heldOut = heldOut;
    this.works = sampleOf(pack, seed);
    const { side } = classifier;
    this.pictures = Uint8Array.from(readCrops(pack, this.works, { side, range: BYTES, places: middles }));
    this.reading = classifier.read(this.pictures);
  }

  /** Class of a work's label in the pack's index; -1: it has none of this kind. */
  labelOf(kind: LabelKind, work: number): number {
    return this.pack.index.works[kind][work] ?? -1;
  }
}

/** Works with a label, in an order by chance. */
function sampleOf({ index }: PackReader, seed: number): Int32Array {
  const order = orderByChance(seed, 'evaluation', 1, index.count);
  const labelled = Array.from({ length: index.count }, (_, work) => work).filter((work) =>
    LABEL_KINDS.some((kind) => (index.works[kind][work] ?? -1) >= 0),
  );
  return Int32Array.from(labelled.sort(order).slice(0, MOST_WORKS));
}
