/**
 * A picture is its recipe: model, conditions, seed and truncation. The id of a GeneratedImage is this recipe, so that
 * `node(id)` and `/images/<id>.png` can make the picture again without a row having been written.
 */
import { z } from 'zod';
import type { Conditions } from './labels.ts';
import { MAX_SEED } from './seeds.ts';

export interface Recipe {
  readonly modelId: string;
  readonly conditions: Conditions;
  readonly seed: number;
  /** Factor on the latent, 0..1: nearer to 0 is nearer to the average picture. */
  readonly truncation: number;
}

const slug = z.string().min(1).max(200);
/** Version 1: [1, model, artist, style, genre, seed, truncation], JSON, base64url. */
const tuple = z.tuple([
  z.literal(1),
  z
    .string()
    .min(1)
    .max(100)
    // Databases refuse it.
    .refine((id) => !id.includes('\0')),
  slug.nullable(),
  slug.nullable(),
  slug.nullable(),
  z.int().min(0).max(MAX_SEED),
  z.number().min(0).max(1),
]);

export function encodeRecipe({ modelId, conditions, seed, truncation }: Recipe): string {
  const fields = [
    1,
    modelId,
    conditions.artist ?? null,
    conditions.style ?? null,
    conditions.genre ?? null,
    seed,
    truncation,
  ];
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** The recipe of an id, or undefined where the text is not one. Only the canonical spelling is accepted. */
export function decodeRecipe(id: string): Recipe | undefined {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(id, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const parsed = tuple.safeParse(json);
  if (!parsed.success) return undefined;
  const [, modelId, artist, style, genre, seed, truncation] = parsed.data;
  const conditions: Conditions = {
    ...(artist === null ? {} : { artist }),
    ...(style === null ? {} : { style }),
    ...(genre === null ? {} : { genre }),
  };
  const recipe = { modelId, conditions, seed, truncation };
  return encodeRecipe(recipe) === id ? recipe : undefined;
}

/** The seed of the `index`-th picture of one request: asked for alone, it gives the same picture. */
export function seedAt(first: number, index: number): number {
  // In this order no sum leaves the integers that a number holds exactly.
  return index <= MAX_SEED - first ? first + index : index - (MAX_SEED - first) - 1;
}
