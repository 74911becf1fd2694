/**
 * What a picture is asked for: combinations of labels, each with its weight. The network is given the weighted sum of their
 * condition vectors, so half Ukiyo-e and half Baroque lies half-way between the two.
 */
import { isNearly, sixDecimals } from './decimals.ts';
import { AppError } from './errors.ts';
import { type Conditions, LABEL_KINDS } from './labels.ts';

export interface Part {
  /** More than 0; all together 1. */
  readonly weight: number;
  readonly conditions: Conditions;
}

/** In the order of `keyOf`, each combination once. */
export type Mix = readonly Part[];

export const MOST_PARTS = 16;

export const plainMix = (conditions: Conditions): Mix => [{ weight: 1, conditions }];

export function isMix(mix: Mix): boolean {
  const sum = mix.reduce((total, { weight }) => total + weight, 0);
  const keys = mix.map(keyOf);
  const inOrder = mix.every(({ weight }, i) => weight > 0 && (i === 0 || (keys[i - 1] ?? '') < (keys[i] ?? '')));
  return inOrder && mix.length <= MOST_PARTS && isNearly(sum, 1);
}

/**
 * Parts as a mix: equal combinations together, weights brought to a sum of one.
 * @throws AppError INVALID_INPUT where there are none, or more than a recipe holds
 */
export function mixOf(parts: readonly Part[]): Mix {
  const merged = new Map<string, Part>();
  for (const part of parts) {
    const key = keyOf(part);
    merged.set(key, { ...part, weight: part.weight + (merged.get(key)?.weight ?? 0) });
  }
  const sum = parts.reduce((total, { weight }) => total + weight, 0);
  const mix = [...merged]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, part]) => ({ ...part, weight: sixDecimals(part.weight / sum) }))
    .filter(({ weight }) => weight > 0);
  if (mix.length > 0 && mix.length <= MOST_PARTS) return mix;
  throw new AppError('INVALID_INPUT', `A mix has 1 to ${MOST_PARTS} parts with weights above 0.`, { path: ['mix'] });
}

/** The mix at `place` 0..1 of the way between two. */
export function mixBetween(from: Mix, to: Mix, place: number): Mix {
  const scaled = (mix: Mix, factor: number) => mix.map((part) => ({ ...part, weight: part.weight * factor }));
  return mixOf([...scaled(from, 1 - place), ...scaled(to, place)].filter(({ weight }) => weight > 0));
}

/** What a picture is listed under: of each kind the label that weighs most. */
export function leadingConditions(mix: Mix): Conditions {
  const leading: { -readonly [K in keyof Conditions]: Conditions[K] } = {};
  for (const kind of LABEL_KINDS) {
    const weights = new Map<string, number>();
    for (const { weight, conditions } of mix) {
      const slug = conditions[kind];
      if (slug !== undefined) weights.set(slug, (weights.get(slug) ?? 0) + weight);
    }
    const [most] = [...weights].sort(([, a], [, b]) => b - a);
    if (most !== undefined) leading[kind] = most[0];
  }
  return leading;
}

function keyOf({ conditions: { artist, style, genre } }: Pick<Part, 'conditions'>): string {
  return JSON.stringify([artist ?? null, style ?? null, genre ?? null]);
}
