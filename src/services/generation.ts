/**
 * Pictures on request. A picture is its recipe, so asking twice gives the same bytes and nothing is written; only `keep`
 * puts pictures into the gallery.
 */
import { createHash } from 'node:crypto';
import { Batcher } from '../core/batcher.ts';
import { AppError } from '../core/errors.ts';
import { encodeGlobalId, localId } from '../core/global-id.ts';
import type { Conditions, LabelKind } from '../core/labels.ts';
import { decodeRecipe, encodeRecipe, type Recipe, seedAt } from '../core/recipe.ts';
import { MAX_SEED } from '../core/seeds.ts';
import type { Painting } from '../engine/host/generator.ts';
import type { PaintRequest } from '../engine/protocol.ts';
import type { Blobs } from '../store/blobs.ts';
import type { Db } from '../store/db.ts';
import { imagesByIds, keepImages } from '../store/images.ts';
import { labelBySlug } from '../store/labels.ts';
import { modelPage } from '../store/models.ts';
import type { ImageRow, ModelRow } from '../store/tables.ts';
import { type ConditionsRequest, knowsConditions, resolveConditions } from './conditions.ts';
import type { ModelService } from './models.ts';
import { type Encoded, PictureCache } from './picture-cache.ts';
import { type Encoding, encodePixels, encodePng, mediaType, type RgbPicture } from './pictures.ts';
import { drawSeed } from './seed.ts';

export interface Picture {
  /** The recipe. */
  readonly id: string;
  readonly modelId: string;
  readonly conditions: Conditions;
  readonly seed: number;
  readonly truncation: number;
  readonly width: number;
  readonly height: number;
  /** Of the PNG in its own size. */
  readonly sha256: string;
  /** When it went into the gallery; null: it is not there. */
  readonly keptAt: Date | null;
}

export interface GenerateRequest extends ConditionsRequest {
  /** 1..64 */
  readonly n: number;
  /** Of the first picture; the others follow. Left out: drawn. */
  readonly seed?: number | null | undefined;
  /** 0..1 */
  readonly truncation: number;
  readonly model?: string | null | undefined;
}

export interface PictureBytes extends Encoded {
  /** e.g. "image/png" */
  readonly type: string;
}

export interface GenerationOptions {
  readonly db: Db;
  readonly blobs: Blobs;
  readonly models: ModelService;
  readonly engine: {
    readonly ready: boolean;
    paint(modelDir: string, pictures: readonly PaintRequest[]): Promise<Painting>;
  };
}

/** Also the most pictures in one message to the engine. */
const MOST_PICTURES = 64;
const MOST_WAITING = 1_024;
const CACHE_BYTES = 64 * 2 ** 20;
const MODELS_LOOKED_AT = 50;

export class GenerationService {
  readonly #options: GenerationOptions;
  readonly #cache = new PictureCache(CACHE_BYTES);
  readonly #batcher: Batcher<PaintRequest, RgbPicture>;
  #painted = 0;

  constructor(options: GenerationOptions) {
    this.#options = options;
    this.#batcher = new Batcher({
      maxBatch: MOST_PICTURES,
      maxWaiting: MOST_WAITING,
      work: async (modelDir, pictures) => cut(await options.engine.paint(modelDir, pictures), pictures.length),
    });
  }

  /** Whether the engine can paint now, how many pictures wait for it, and how many it has painted since the start. */
  get load(): { readonly ready: boolean; readonly waiting: number; readonly painted: number } {
    return { ready: this.#options.engine.ready, waiting: this.#batcher.waiting, painted: this.#painted };
  }

  /**
   * n pictures for a label, a combination of labels or none.
   * @throws AppError INVALID_INPUT, UNKNOWN_LABEL, UNKNOWN_MODEL, NO_MODEL, OVERLOADED, ENGINE_UNAVAILABLE
   */
  async generate(request: GenerateRequest, signal?: AbortSignal): Promise<Picture[]> {
    const { n, truncation } = request;
    const seed = request.seed ?? drawSeed();
    check(Number.isInteger(n) && n >= 1 && n <= MOST_PICTURES, 'n', `a whole number from 1 to ${MOST_PICTURES}`);
    check(Number.isSafeInteger(seed) && seed >= 0, 'seed', `a whole number from 0 to ${MAX_SEED}`);
    check(truncation >= 0 && truncation <= 1, 'truncation', 'a number from 0 to 1');
    const model = await this.#options.models.resolve(request.model ?? undefined);
    const conditions = await this.#conditions(model, request);
    const recipes = Array.from({ length: n }, (_, i) => ({
      modelId: model.id,
      conditions,
      seed: seedAt(seed, i),
      truncation,
    }));
    return this.#pictures(model, recipes, signal);
  }

  /** The picture of an id, kept or not. @throws AppError NOT_FOUND, or as `generate` */
  async byRecipe(id: string, signal?: AbortSignal): Promise<Picture> {
    const { recipe, model } = await this.#find(id);
    const [picture] = await this.#pictures(model, [recipe], signal);
    if (picture === undefined) throw notFound();
    return picture;
  }

  /**
   * A picture in a format and width, for its URL. A kept picture needs no engine.
   * @throws AppError NOT_FOUND, INVALID_INPUT for the width, or as `generate`
   */
  async bytes(text: string, encoding: Encoding, signal?: AbortSignal): Promise<PictureBytes> {
    const { format, width } = encoding;
    const id = localId(text, 'GeneratedImage');
    const key = `${id}.${format}.${width ?? ''}`;
    let picture = this.#cache.get(key);
    if (picture === undefined) {
      const png = await this.#png(id, signal);
      picture = key === pngKey(id) ? png : encoded(await encodePng(png.body, encoding));
      this.#cache.set(key, picture);
    }
    return { ...picture, type: mediaType(format) };
  }

  /**
   * Puts pictures into the gallery; one that is there already stays as it is.
   * @throws AppError NOT_FOUND with the place of the id that is not a picture, or as `generate`
   */
  async keep(ids: readonly string[], signal?: AbortSignal): Promise<ImageRow[]> {
    check(ids.length <= MOST_PICTURES, 'images', `at most ${MOST_PICTURES} ids`, ['input', 'images']);
    const { db, blobs } = this.#options;
    const found = await Promise.all(ids.map((id, i) => this.#find(id, ['input', 'images', String(i)])));
    const rows = await Promise.all(
      found.map(async ({ id, recipe, model }) => {
        const { body } = await this.#png(id, signal);
        // The file before the row that names it.
        const sha256 = await blobs.put(body, 'png');
        const { modelId, seed, truncation } = recipe;
        const side = { width: model.resolution, height: model.resolution };
        return { id, modelId, seed, truncation, sha256, ...side, ...(await this.#labelIds(recipe)) };
      }),
    );
    return rows.length === 0 ? [] : keepImages(db, rows);
  }

  /** What is asked for, as the model knows it. A label that only another model knows is refused with that one's id. */
  async #conditions(model: ModelRow, request: GenerateRequest): Promise<Conditions> {
    const { db, models } = this.#options;
    try {
      return await resolveConditions(db, models.cardOf(model), request);
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
  async #modelThatKnows(request: ConditionsRequest): Promise<ModelRow | undefined> {
    const { db, models } = this.#options;
    const { rows } = await modelPage(db, { first: MODELS_LOOKED_AT });
    for (const model of rows) {
      const known = await resolveConditions(db, models.cardOf(model), request).catch(() => undefined);
      if (known !== undefined) return model;
    }
    return undefined;
  }

  /** The recipe and model of a picture's id. */
  async #find(
    text: string,
    path: readonly string[] = ['id'],
  ): Promise<{ id: string; recipe: Recipe; model: ModelRow }> {
    const { models } = this.#options;
    const id = localId(text, 'GeneratedImage');
    const recipe = decodeRecipe(id);
    if (recipe === undefined) throw notFound(path);
    const model = await models.resolve(recipe.modelId).catch((error: unknown) => {
      throw error instanceof AppError ? notFound(path) : error;
    });
    if (!knowsConditions(models.cardOf(model), recipe.conditions)) throw notFound(path);
    return { id, recipe, model };
  }

  /** Recipes of one model as pictures: painted only where neither the cache nor the gallery knows them. */
  async #pictures(model: ModelRow, recipes: readonly Recipe[], signal?: AbortSignal): Promise<Picture[]> {
    const ids = recipes.map(encodeRecipe);
    const kept = new Map((await imagesByIds(this.#options.db, ids)).map((row) => [row.id, row]));
    const hashes = new Map<string, string>();
    for (const id of ids) {
      const sha256 = kept.get(id)?.sha256 ?? this.#cache.get(pngKey(id))?.sha256;
      if (sha256 !== undefined) hashes.set(id, sha256);
    }
    const missing = recipes.filter((recipe) => !hashes.has(encodeRecipe(recipe)));
    for (const [id, { sha256 }] of await this.#paint(model, missing, signal)) hashes.set(id, sha256);
    return recipes.map((recipe) => {
      const id = encodeRecipe(recipe);
      const sha256 = hashes.get(id);
      if (sha256 === undefined) throw new Error(`No picture was painted for ${id}`);
      const side = model.resolution;
      return { id, ...recipe, width: side, height: side, sha256, keptAt: kept.get(id)?.keptAt ?? null };
    });
  }

  /** Paints and encodes; each picture is in the cache for the request of its URL that is about to come. */
  async #paint(model: ModelRow, recipes: readonly Recipe[], signal?: AbortSignal): Promise<[string, Encoded][]> {
    const items = recipes.map(({ conditions, seed, truncation }) => ({ conditions, seed, truncation }));
    const painted = await this.#batcher.run({ key: this.#options.models.folderOf(model), items, signal });
    this.#painted += painted.length;
    const pngs = await Promise.all(painted.map((picture) => encodePixels(picture, { format: 'png' })));
    return recipes.map((recipe, i): [string, Encoded] => {
      const png = encoded(pngs[i] ?? Buffer.of());
      const id = encodeRecipe(recipe);
      this.#cache.set(pngKey(id), png);
      return [id, png];
    });
  }

  /** A picture's PNG in its own size: from the cache, the gallery's files or the engine. */
  async #png(id: string, signal?: AbortSignal): Promise<Encoded> {
    const cached = this.#cache.get(pngKey(id));
    if (cached !== undefined) return cached;
    const [kept] = await imagesByIds(this.#options.db, [id]);
    const stored = kept === undefined ? undefined : await this.#options.blobs.get(kept.sha256, 'png');
    if (stored !== undefined) return encoded(stored);
    const { recipe, model } = await this.#find(id);
    const [painted] = await this.#paint(model, [recipe], signal);
    if (painted === undefined) throw notFound();
    return painted[1];
  }

  async #labelIds({ conditions }: Recipe): Promise<{ [K in `${LabelKind}Id`]: string | null }> {
    const idOf = async (kind: LabelKind) => {
      const slug = conditions[kind];
      return slug === undefined ? null : ((await labelBySlug(this.#options.db, kind, slug))?.id ?? null);
    };
    return { artistId: await idOf('artist'), styleId: await idOf('style'), genreId: await idOf('genre') };
  }
}

function pngKey(id: string): string {
  return `${id}.png.`;
}

function encoded(body: Buffer): Encoded {
  return { body, sha256: createHash('sha256').update(body).digest('hex') };
}

/** One painting of n pictures as n pictures. */
function cut({ width, height, pixels }: Painting, n: number): RgbPicture[] {
  const each = width * height * 3;
  return Array.from({ length: n }, (_, i) => ({ width, height, pixels: pixels.subarray(i * each, (i + 1) * each) }));
}

function check(holds: boolean, field: string, what: string, path: readonly string[] = [field]): void {
  if (!holds) throw new AppError('INVALID_INPUT', `${field} must be ${what}.`, { path });
}

function notFound(path: readonly string[] = ['id']): AppError {
  return new AppError('NOT_FOUND', 'There is no such picture: its id is not the recipe of one.', { path });
}
