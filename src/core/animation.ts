/**
 * Animations: ways through the pictures that a model can paint, from stop to stop. An animation's id is its recipe, made of
 * those of its stops; every picture on the way is one by its own recipe, too.
 */
import { z } from 'zod';
import { compactId, idOfJson, jsonOfId, readCompactId } from './compact-id.ts';
import { sixDecimals } from './decimals.ts';
import { AppError } from './errors.ts';
import { isLatent, latentBetween } from './latents.ts';
import { mixBetween } from './mix.ts';
import { decodeRecipe, encodeRecipe, type Recipe, recipeOf } from './recipe.ts';

export interface Animation {
  /** Of one model, none of them a repainted upload. */
  readonly stops: readonly Recipe[];
  /** From each stop to the next, counting the first of them alone. */
  readonly framesPerStop: number;
  /** Whether the way leads from the last stop back to the first, and is shown again and again. */
  readonly loop: boolean;
  readonly frameMs: number;
}

export const MOST_STOPS = 16;
export const MOST_FRAMES = 240;
/** Below, browsers take 100. */
const MIN_FRAME_MS = 20;
const MAX_FRAME_MS = 10_000;

const stored = z.tuple([
  z.literal(1),
  z.int().min(1).max(MOST_FRAMES),
  z.int().min(MIN_FRAME_MS).max(MAX_FRAME_MS),
  z.literal([0, 1]),
  z.array(z.unknown()).min(2).max(MOST_STOPS),
]);

export function frameCountOf({ stops, framesPerStop, loop }: Animation): number {
  return loop ? stops.length * framesPerStop : (stops.length - 1) * framesPerStop + 1;
}

/**
 * Stops as an animation.
 * @throws AppError INVALID_INPUT where there is no way from stop to stop, or the numbers are out of bounds
 */
export function animationOf(given: Animation): Animation {
  const { frameMs, framesPerStop } = given;
  const stops = given.stops.map(newest);
  const animation = { ...given, stops };
  check(stops.length >= 2 && stops.length <= MOST_STOPS, 'stops', `a whole number from 2 to ${MOST_STOPS}`);
  check(Number.isInteger(framesPerStop) && framesPerStop >= 1, 'framesPerStop', 'a whole number from 1');
  check(
    Number.isInteger(frameMs) && frameMs >= MIN_FRAME_MS && frameMs <= MAX_FRAME_MS,
    'frameMs',
    `a whole number of milliseconds from ${MIN_FRAME_MS} to ${MAX_FRAME_MS}`,
  );
  const frames = frameCountOf(animation);
  if (frames > MOST_FRAMES) {
    const message = `The animation would have ${frames} frames; at most ${MOST_FRAMES}.`;
    throw new AppError('INVALID_INPUT', message, { path: ['frames'] });
  }
  if (new Set(stops.map(({ modelId }) => modelId)).size > 1)
    throw new AppError('INVALID_INPUT', 'All pictures on the way must be of one model.', { path: ['to'] });
  // Whether there are frames that no recipe can hold is seen by making them.
  framesOf(animation);
  return animation;
}

/** The recipes of all frames; those of the stops are the stops' own. @throws AppError INVALID_INPUT, see `animationOf` */
export function framesOf({ stops, framesPerStop, loop }: Animation): Recipe[] {
  const frames: Recipe[] = [];
  const ways = loop ? stops.length : stops.length - 1;
  for (let i = 0; i < ways; i++) {
    const [from, to] = [stops[i], stops[(i + 1) % stops.length]];
    if (from === undefined || to === undefined) throw new Error('A way leads from one stop to another');
    for (let frame = 0; frame < framesPerStop; frame++)
      frames.push(frame === 0 ? from : recipeBetween(from, to, frame / framesPerStop));
  }
  const last = stops.at(-1);
  return loop || last === undefined ? frames : [...frames, last];
}

/** @throws AppError INVALID_INPUT where the recipes are too long to be one id */
export function encodeAnimation({ stops, framesPerStop, loop, frameMs }: Animation): string {
  const id = compactId([1, framesPerStop, frameMs, loop ? 1 : 0, stops.map((stop) => jsonOfId(encodeRecipe(stop)))]);
  if (id !== undefined) return id;
  throw new AppError('INVALID_INPUT', 'These pictures have recipes that are too long together. Take fewer.');
}

/** The animation of an id of any origin; undefined where it is none. */
export function decodeAnimation(id: string): Animation | undefined {
  const parsed = stored.safeParse(readCompactId(id));
  if (!parsed.success) return undefined;
  const [, framesPerStop, frameMs, loop, recipes] = parsed.data;
  try {
    const stops = recipes.map((json) => decodeRecipe(idOfJson(json))).filter((stop) => stop !== undefined);
    if (stops.length < recipes.length) return undefined;
    return animationOf({ stops, framesPerStop, frameMs, loop: loop === 1 });
  } catch {
    // No way from stop to stop, or nested so deeply that it cannot be written again.
    return undefined;
  }
}

/** Files of frames say what they are: also those of pictures from older galleries, whose pixels are the same. */
function newest(recipe: Recipe): Recipe {
  const { modelId, mix } = recipe;
  const { latent, truncation } = latentOf(recipe);
  return recipeOf({ modelId, mix, latent, truncation });
}

function recipeBetween(from: Recipe, to: Recipe, place: number): Recipe {
  const [a, b] = [latentOf(from), latentOf(to)];
  const truncation = a.truncation + (b.truncation - a.truncation) * place;
  const latent = latentBetween(a.latent, b.latent, place);
  if (!isLatent(latent))
    throw new AppError('INVALID_INPUT', 'The pictures are opposite to each other: there is no one way between them.');
  return recipeOf({
    modelId: from.modelId,
    mix: mixBetween(from.mix, to.mix, place),
    latent,
    // As short as the weights are.
    truncation: sixDecimals(truncation),
  });
}

function latentOf({ source }: Recipe) {
  if (source.kind === 'latent') return source;
  const message =
    'A repainted upload has no latent to start from. Classify it, and generate by the labels that it has.';
  throw new AppError('INVALID_INPUT', message, { path: ['from'] });
}

function check(holds: boolean, field: string, what: string): void {
  if (!holds) throw new AppError('INVALID_INPUT', `${field} must be ${what}.`, { path: [field] });
}
