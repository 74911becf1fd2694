/**
 * Pictures on request: what a user asks for as recipes of one model, painted together. A picture is its recipe, so asking
 * twice gives the same bytes and nothing is written.
 */
import { AppError } from '../core/errors.ts';
import { encodeGlobalId } from '../core/global-id.ts';
import { plainLatent, variationOf } from '../core/latents.ts';
import { type Mix, plainMix } from '../core/mix.ts';
import { encodeRecipe, type Recipe, recipeOf, seedAt } from '../core/recipe.ts';
import { MAX_SEED } from '../core/seeds.ts';
import type { Db } from '../store/db.ts';
import { modelPage } from '../store/models.ts';
import type { ModelRow } from '../store/tables.ts';
import { withoutDiscriminator } from './classification.ts';
import { type MixRequest, resolveMix } from './conditions.ts';
import { cellsOf, type GridRequest, gridAxes, type PictureGrid } from './grids.ts';
import type { ModelService } from './models.ts';
import type { Asker, PaintingService } from './painting.ts';
import { drawSeed } from './seed.ts';

export interface Picture {
  /** The recipe. */
  readonly id: string;
  readonly recipe: Recipe;
  readonly width: number;
  readonly height: number;
  /** Of the PNG in its own size; undefined where it was not painted yet. */
  readonly sha256: string | undefined;
}

/** What pictures are asked for, by name. */
export interface PictureRequest extends MixRequest {
  /** Of the first picture; the others follow. Left out: drawn. */
  readonly seed?: number | null | undefined;
  /** 0..1 */
  readonly truncation: number;
  /** Its id; the default one unless told. */
  readonly model?: string | null | undefined;
}

export interface GenerateRequest extends PictureRequest {
  /** 1..64 */
  readonly n: number;
}

export interface VariationsRequest {
  /** A picture's id. */
  readonly of: string;
  /** 0..1: nearer to 0 is nearer to the picture, 1 is another one of the same labels. */
  readonly strength: number;
  /** 1..64 */
  readonly n: number;
  readonly seed?: number | null | undefined;
}

/** What is asked for, as a model knows it. */
export interface ResolvedRequest {
  readonly model: ModelRow;
  readonly mix: Mix;
  readonly seed: number;
  readonly truncation: number;
}

export interface ReconstructRequest extends MixRequest {
  /** SHA-256 of a stored upload. */
  readonly upload: string;
  readonly model?: string | null | undefined;
}

export interface GenerationOptions {
  readonly db: Db;
  readonly models: ModelService;
  readonly painting: PaintingService;
}

/** In one answer; more are a job for createGeneration. */
export const MOST_PICTURES = 64;
const MODELS_LOOKED_AT = 50;

export class GenerationService {
  readonly #options: GenerationOptions;

  constructor(options: GenerationOptions) {
    this.#options = options;
  }

  /**
   * n pictures for a label, a combination of labels, a mix or none.
   * @throws AppError INVALID_INPUT, UNKNOWN_LABEL, UNKNOWN_MODEL, NO_MODEL, OVERLOADED, ENGINE_UNAVAILABLE
   */
  async generate({ n, ...request }: GenerateRequest, asker: Asker): Promise<Picture[]> {
    checkNumber(n);
    const { model, mix, seed, truncation } = await this.resolve(request);
    const recipes = Array.from({ length: n }, (_, i) =>
      recipeOf({ modelId: model.id, mix, latent: plainLatent(seedAt(seed, i)), truncation }),
    );
    return this.paint(model, recipes, asker);
  }

  /** @throws AppError INVALID_INPUT, UNKNOWN_LABEL, UNKNOWN_MODEL, NO_MODEL */
  async resolve(request: PictureRequest): Promise<ResolvedRequest> {
    const { truncation } = request;
    const seed = checkedSeed(request.seed);
    check(truncation >= 0 && truncation <= 1, 'truncation', 'a number from 0 to 1');
    const model = await this.#options.models.resolve(request.model ?? undefined);
    return { model, mix: await this.#mixOf(model, request), seed, truncation };
  }

  /**
   * Pictures near another: its latent turned towards that of other seeds, with the same labels.
   * @throws AppError NOT_FOUND, INVALID_INPUT, or as `generate`
   */
  async variations({ of, strength, n, ...request }: VariationsRequest, asker: Asker): Promise<Picture[]> {
    checkNumber(n);
    check(strength >= 0 && strength <= 1, 'strength', 'a number from 0 to 1');
    const seed = checkedSeed(request.seed);
    const { recipe, model } = await this.#options.painting.find(of, ['of']);
    const { source, mix } = recipe;
    if (source.kind === 'upload') {
      const message = 'A repainted upload has no latent to vary. Classify it, and generate by the labels that it has.';
      throw new AppError('INVALID_INPUT', message, { path: ['of'] });
    }
    const { latent, truncation } = source;
    const recipes = Array.from({ length: n }, (_, i) =>
      recipeOf({ modelId: model.id, mix, latent: variationOf(latent, strength, seedAt(seed, i)), truncation }),
    );
    return this.paint(model, recipes, asker);
  }

  /**
   * A picture for every pair of labels, all of the same seed.
   * @throws AppError INVALID_INPUT, or as `generate`
   */
  async grid({ gridBy, rows, columns, ...request }: GridRequest, asker: Asker): Promise<PictureGrid> {
    const { db, models } = this.#options;
    const seed = checkedSeed(request.seed);
    check(request.truncation >= 0 && request.truncation <= 1, 'truncation', 'a number from 0 to 1');
    const model = await models.resolve(request.model ?? undefined);
    const card = models.cardOf(model);
    const axes = await gridAxes(db, card, { gridBy, rows, columns });
    const base = request.conditions ?? {};
    const mixes = await cellsOf(axes, (cell) => resolveMix(db, card, { conditions: { ...base, ...cell } }));
    const recipes = mixes.map(({ mix, place }) => {
      const latent = plainLatent(seedAt(seed, place));
      return recipeOf({ modelId: model.id, mix, latent, truncation: request.truncation });
    });
    return { ...axes, seed, model, pictures: await this.paint(model, recipes, asker) };
  }

  /**
   * An upload, repainted by the paper's own path: Dec(Enc(x)).
   * @throws AppError NO_DISCRIMINATOR, NOT_FOUND, or as `generate`
   */
  async reconstruct({ upload, ...request }: ReconstructRequest, asker: Asker): Promise<Picture> {
    const model = await this.#options.models.resolve(request.model ?? undefined);
    if (this.#options.models.cardOf(model).discriminator === undefined) throw withoutDiscriminator(model);
    const isAsked = [request.label, request.conditions, request.mix].some((asked) => (asked ?? null) !== null);
    const mix = isAsked ? await this.#mixOf(model, request) : plainMix({});
    const recipe: Recipe = { version: 2, modelId: model.id, mix, source: { kind: 'upload', sha256: upload } };
    return first(await this.paint(model, [recipe], asker));
  }

  /** The picture of an id, kept or not. @throws AppError NOT_FOUND, or as `generate` */
  async byRecipe(id: string, asker: Asker): Promise<Picture> {
    const found = await this.#options.painting.find(id);
    const { sha256 } = await this.#options.painting.png(found.id, asker);
    return pictureOf(found.recipe, found.model, sha256);
  }

  /** Recipes of one model as pictures. */
  async paint(model: ModelRow, recipes: readonly Recipe[], asker: Asker): Promise<Picture[]> {
    const hashes: string[] = [];
    // Not as `pngs`: the files need not be kept until the last one is there.
    for await (const { sha256 } of this.#options.painting.stream(model, recipes, asker)) hashes.push(sha256);
    return recipes.map((recipe, i) => pictureOf(recipe, model, hashes[i]));
  }

  /** What is asked for, as the model knows it. A label that only another model knows is refused with that one's id. */
  async #mixOf(model: ModelRow, request: MixRequest & Pick<PictureRequest, 'model'>): Promise<Mix> {
    const { db, models } = this.#options;
    try {
      return await resolveMix(db, models.cardOf(model), request);
    } catch (error) {
      const mayBeElsewhere = error instanceof AppError && error.code === 'UNKNOWN_LABEL' && !request.model;
      const other = mayBeElsewhere ? await this.#modelThatKnows(request) : undefined;
      if (!mayBeElsewhere || other === undefined) throw error;
      const id = encodeGlobalId('Model', other.id);
      const message = `The default model, "${model.name}", does not know it; "${other.name}" does: ask with model: "${id}", or make that one the default with setDefaultModel.`;
      throw new AppError('UNKNOWN_LABEL', message, { path: error.path ?? [], suggestions: error.suggestions });
    }
  }

  /** Among the newest models. */
  async #modelThatKnows(request: MixRequest): Promise<ModelRow | undefined> {
    const { db, models } = this.#options;
    const { rows } = await modelPage(db, { first: MODELS_LOOKED_AT });
    for (const model of rows) {
      const known = await resolveMix(db, models.cardOf(model), request).catch(() => undefined);
      if (known !== undefined) return model;
    }
    return undefined;
  }
}

/** `sha256`: of its PNG, where that was painted. */
export function pictureOf(recipe: Recipe, { resolution }: Pick<ModelRow, 'resolution'>, sha256?: string): Picture {
  return { id: encodeRecipe(recipe), recipe, width: resolution, height: resolution, sha256 };
}

function first(pictures: readonly Picture[]): Picture {
  const [picture] = pictures;
  if (picture === undefined) throw new Error('Nothing was painted');
  return picture;
}

function checkNumber(n: number): void {
  const hint = 'For more there is createGeneration';
  check(Number.isInteger(n) && n >= 1 && n <= MOST_PICTURES, 'n', `a whole number from 1 to ${MOST_PICTURES}. ${hint}`);
}

function checkedSeed(asked: number | null | undefined): number {
  const seed = asked ?? drawSeed();
  check(Number.isSafeInteger(seed) && seed >= 0, 'seed', `a whole number from 0 to ${MAX_SEED}`);
  return seed;
}

function check(holds: boolean, field: string, what: string): void {
  if (!holds) throw new AppError('INVALID_INPUT', `${field} must be ${what}.`, { path: [field] });
}
