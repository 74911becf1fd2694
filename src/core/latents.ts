/**
 * Latents as what they are made of: z = sum of weight x N(seed). Numbers of different seeds are independent, so the squares
 * of the weights add up to one and z is as normal as that of a seed alone. Variations and ways between pictures stay such
 * sums, so a picture at the end of ten steps is still a short recipe.
 */
import { isNearly, sixDecimals } from './decimals.ts';
import { AppError } from './errors.ts';

export interface Term {
  readonly weight: number;
  readonly seed: number;
}

/** In the order of the seeds, each once, no weight 0. */
export type Latent = readonly Term[];

export const MOST_TERMS = 16;
/** Below, the way between two latents is as good as straight. */
const SMALL_SINE = 1e-4;

export const plainLatent = (seed: number): Latent => [{ weight: 1, seed }];

export function isLatent(latent: Latent): boolean {
  const squares = latent.reduce((sum, { weight }) => sum + weight * weight, 0);
  const inOrder = latent.every(({ weight, seed }, i) => weight !== 0 && seed > (latent[i - 1]?.seed ?? -1));
  return inOrder && latent.length <= MOST_TERMS && isNearly(squares, 1);
}

/** The seed that weighs most. */
export function leadingSeed(latent: Latent): number {
  const [first, ...rest] = latent;
  if (first === undefined) throw new Error('A latent has at least one seed');
  return rest.reduce((most, term) => (Math.abs(term.weight) > Math.abs(most.weight) ? term : most), first).seed;
}

/**
 * A latent near another: turned by strength x 90 degrees towards that of a seed. 0 is the latent itself, 1 the seed's.
 * @throws AppError INVALID_INPUT where it would be made of more seeds than a recipe holds
 */
export function variationOf(latent: Latent, strength: number, seed: number): Latent {
  const angle = (strength * Math.PI) / 2;
  return sumOf([
    [latent, Math.cos(angle)],
    [plainLatent(seed), Math.sin(angle)],
  ]);
}

/**
 * The latent at `place` 0..1 of the way between two, by spherical interpolation (White: Sampling generative networks,
 * 2016). The angle is that between the sums, for independent numbers: no latent has to be drawn for it.
 * @throws AppError INVALID_INPUT where it would be made of more seeds than a recipe holds
 */
export function latentBetween(from: Latent, to: Latent, place: number): Latent {
  const weights = new Map(to.map(({ seed, weight }) => [seed, weight]));
  const cosine = from.reduce((sum, { seed, weight }) => sum + weight * (weights.get(seed) ?? 0), 0);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  // Nearly the same, or nearly opposite: the straight way, brought back to length by sumOf.
  const straight = Math.sin(angle) < SMALL_SINE;
  const part = (share: number) => (straight ? share : Math.sin(share * angle));
  return sumOf([
    [from, part(1 - place)],
    [to, part(place)],
  ]);
}

/** The sum of latents with factors, brought back to variance one. */
function sumOf(latents: readonly (readonly [Latent, number])[]): Latent {
  const weights = new Map<number, number>();
  for (const [latent, factor] of latents)
    for (const { seed, weight } of latent) weights.set(seed, (weights.get(seed) ?? 0) + factor * weight);
  const length = Math.hypot(...weights.values());
  const terms = [...weights]
    .map(([seed, weight]) => ({ weight: sixDecimals(weight / length), seed }))
    .filter(({ weight }) => weight !== 0)
    .sort((a, b) => a.seed - b.seed);
  if (terms.length <= MOST_TERMS) return terms;
  const message = `The picture would be made of ${terms.length} seeds; a recipe holds ${MOST_TERMS}. Start from a picture that is nearer to a single seed.`;
  throw new AppError('INVALID_INPUT', message);
}
