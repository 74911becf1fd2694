/**
 * A picture is its recipe: a model, what is asked of it (mix.ts), and where it starts from: a latent (latents.ts) or a
 * picture that was uploaded. The id of a GeneratedImage is this recipe, so that `node(id)` and `/images/<id>.png` can make
 * the picture again, in any size and format, without a row having been written.
 */
import { z } from 'zod';
import type { Conditions } from './labels.ts';
import { isLatent, type Latent, leadingSeed, MOST_TERMS, plainLatent } from './latents.ts';
import { isMix, type Mix, MOST_PARTS, plainMix } from './mix.ts';
import { MAX_SEED } from './seeds.ts';

export type Source =
  | {
      readonly kind: 'latent';
      readonly latent: Latent;
      /** Factor on the latent, 0..1: nearer to 0 is nearer to the average picture. */
      readonly truncation: number;
    }
  /** Dec(Enc(x)) of an uploaded picture, by the SHA-256 of its stored file. */
  | { readonly kind: 'upload'; readonly sha256: string };

export interface Recipe {
  /** Of the id. Files of version 1 hold the picture alone, those of version 2 their recipe, too. */
  readonly version: 1 | 2;
  readonly modelId: string;
  readonly mix: Mix;
  readonly source: Source;
}

const slug = z.string().min(1).max(200);
const parts = { artist: slug.nullable(), style: slug.nullable(), genre: slug.nullable() };
const modelId = z
  .string()
  .min(1)
  .max(100)
  // Databases refuse it.
  .refine((id) => !id.includes('\0'));
const seed = z.int().min(0).max(MAX_SEED);
const truncation = z.number().min(0).max(1);
const weight = z.number().min(0).max(1);

/** [1, model, artist, style, genre, seed, truncation], JSON, base64url. */
const version1 = z.tuple([z.literal(1), modelId, parts.artist, parts.style, parts.genre, seed, truncation]);
/** [2, model, [[weight, artist, style, genre], ...], [truncation, [[weight, seed], ...]] or the SHA-256 of an upload]. */
const version2 = z.tuple([
  z.literal(2),
  modelId,
  z
    .array(z.tuple([weight, parts.artist, parts.style, parts.genre]))
    .min(1)
    .max(MOST_PARTS),
  z.union([
    z.tuple([
      truncation,
      z
        .array(z.tuple([z.number().min(-1).max(1), seed]))
        .min(1)
        .max(MOST_TERMS),
    ]),
    z.string().regex(/^[0-9a-f]{64}$/),
  ]),
]);
const stored = z.union([version1, version2]);

/** A picture of this seed, asked for by one label of each kind at most. */
export function recipeOf(given: {
  readonly modelId: string;
  readonly mix: Mix;
  readonly latent: Latent;
  readonly truncation: number;
}): Recipe {
  const { modelId: model, mix, latent, truncation: factor } = given;
  return { version: 2, modelId: model, mix, source: { kind: 'latent', latent, truncation: factor } };
}

export function encodeRecipe(recipe: Recipe): string {
  return Buffer.from(JSON.stringify(recipe.version === 1 ? fieldsOf1(recipe) : fieldsOf2(recipe))).toString(
    'base64url',
  );
}

/** The recipe of an id, or undefined where the text is not one. Only the canonical spelling is accepted. */
export function decodeRecipe(id: string): Recipe | undefined {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(id, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const parsed = stored.safeParse(json);
  if (!parsed.success) return undefined;
  const recipe = parsed.data[0] === 1 ? recipeOf1(parsed.data) : recipeOf2(parsed.data);
  if (!isMix(recipe.mix) || (recipe.source.kind === 'latent' && !isLatent(recipe.source.latent))) return undefined;
  return encodeRecipe(recipe) === id ? recipe : undefined;
}

/** What a picture is listed under: the seed that weighs most in its latent; 0 for a repainted upload. */
export function seedOf({ source }: Pick<Recipe, 'source'>): number {
  return source.kind === 'latent' ? leadingSeed(source.latent) : 0;
}

/** 1 for a repainted upload: nothing is drawn nearer to the average. */
export function truncationOf({ source }: Pick<Recipe, 'source'>): number {
  return source.kind === 'latent' ? source.truncation : 1;
}

/** The seed of the `index`-th picture of one request: asked for alone, it gives the same picture. */
export function seedAt(first: number, index: number): number {
  // In this order no sum leaves the integers that a number holds exactly.
  return index <= MAX_SEED - first ? first + index : index - (MAX_SEED - first) - 1;
}

function fieldsOf1(recipe: Recipe): unknown[] {
  const { artist, style, genre } = recipe.mix[0]?.conditions ?? {};
  return [1, recipe.modelId, artist ?? null, style ?? null, genre ?? null, seedOf(recipe), truncationOf(recipe)];
}

function fieldsOf2({ modelId: model, mix, source }: Recipe): unknown[] {
  const asked = mix.map(({ weight: share, conditions: { artist, style, genre } }) => [
    share,
    artist ?? null,
    style ?? null,
    genre ?? null,
  ]);
  if (source.kind === 'upload') return [2, model, asked, source.sha256];
  return [2, model, asked, [source.truncation, source.latent.map((term) => [term.weight, term.seed])]];
}

function recipeOf1([version, model, artist, style, genre, number, factor]: z.infer<typeof version1>): Recipe {
  const source: Source = { kind: 'latent', latent: plainLatent(number), truncation: factor };
  return { version, modelId: model, mix: plainMix(conditionsOf(artist, style, genre)), source };
}

function recipeOf2([version, model, asked, from]: z.infer<typeof version2>): Recipe {
  const mix = asked.map(([share, artist, style, genre]) => ({
    weight: share,
    conditions: conditionsOf(artist, style, genre),
  }));
  if (typeof from === 'string') return { version, modelId: model, mix, source: { kind: 'upload', sha256: from } };
  const latent = from[1].map(([share, number]) => ({ weight: share, seed: number }));
  return { version, modelId: model, mix, source: { kind: 'latent', latent, truncation: from[0] } };
}

function conditionsOf(artist: string | null, style: string | null, genre: string | null): Conditions {
  return {
    ...(artist === null ? {} : { artist }),
    ...(style === null ? {} : { style }),
    ...(genre === null ? {} : { genre }),
  };
}
