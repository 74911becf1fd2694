/**
 * How good a generator is, in numbers: what an evaluation gives, as it is stored and answered. The formulas are in
 * engine/evaluation; docs/evaluation.md says how to read them.
 */
import { z } from 'zod';
import { LABEL_KINDS } from './labels.ts';

const share = z.number().min(0).max(1);

const kindFidelity = z.object({
  kind: z.enum(LABEL_KINDS),
  /** Share of the pictures asked for a label of this kind that the classifier takes for that label, mean over labels. */
  accuracy: share,
  /** Of a classifier that guesses: one in so many labels. */
  chance: share,
});

export const measures = z.object({
  /** Generated pictures that were compared with as many works. */
  pictures: z.int().positive(),
  /** Kernel inception distance in the features of the collection's own classifier, with its 95 % interval. */
  kid: z.object({ value: z.number(), low: z.number(), high: z.number() }),
  /** Each label asked for alone. */
  fidelity: z.array(
    kindFidelity.extend({
      /** The classifier's accuracy on works that it was not trained on: what can be hoped for at best. */
      heldOut: share,
      labels: z.array(z.object({ slug: z.string(), accuracy: share })),
    }),
  ),
  /** All kinds asked for together, read back one by one: combinations that works have, and others. */
  combinations: z.array(z.object({ seen: z.boolean(), pictures: z.int().positive(), kinds: z.array(kindFidelity) })),
  /** How far pictures of a label lie apart, against works of it: 1 is as varied as the collection, 0 is one picture. */
  diversity: z.number().nonnegative(),
  /** Share of the pictures that are copies of a work: much nearer to it than to any other. */
  memorised: share,
  /** Root of the mean squared error of Dec(Enc(work)), of pixels in 0..1; null where only the generator is there. */
  reconstruction: z.number().nonnegative().nullable(),
  /** Mean log-likelihood of works under a Parzen window on generated pictures, and its standard error. */
  parzen: z.object({ logLikelihood: z.number(), standardError: z.number().nonnegative() }),
});
export type Measures = z.infer<typeof measures>;
export type KindFidelity = z.infer<typeof kindFidelity>;

export const MEASURE_WARNINGS = ['COLLAPSE', 'MEMORISING', 'DIVERGING', 'LABELS_IGNORED'] as const;
export interface MeasureWarning {
  readonly code: (typeof MEASURE_WARNINGS)[number];
  readonly message: string;
}

const LEAST_DIVERSITY = 0.25;
const MOST_MEMORISED = 0.2;
const MOST_WORSE = 2;
/** Below so many times chance a label is as good as ignored, where the classifier itself can tell. */
const LEAST_OVER_CHANCE = 1.5;

/** What somebody who watches a run should be told of. `best`: the lowest KID of the run before. */
export function warningsOf(found: Measures, best: number | undefined): MeasureWarning[] {
  const warnings: MeasureWarning[] = [];
  const warn = (code: MeasureWarning['code'], message: string) => warnings.push({ code, message });
  if (found.diversity < LEAST_DIVERSITY) {
    const percent = Math.round(found.diversity * 100);
    warn('COLLAPSE', `Pictures of a label are nearly alike: ${percent} % of the variety of the works.`);
  }
  if (found.memorised > MOST_MEMORISED)
    warn('MEMORISING', `${Math.round(found.memorised * 100)} % of the pictures are copies of works.`);
  if (best !== undefined && best > 0 && found.kid.low > MOST_WORSE * best)
    warn('DIVERGING', `KID is ${found.kid.value.toFixed(3)}; it was ${best.toFixed(3)} before.`);
  for (const { kind, accuracy, chance, heldOut } of found.fidelity) {
    if (heldOut > 2 * LEAST_OVER_CHANCE * chance && accuracy < LEAST_OVER_CHANCE * chance)
      warn('LABELS_IGNORED', `The ${kind} that is asked for is not seen in the pictures.`);
  }
  return warnings;
}
