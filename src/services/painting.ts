/**
 * Recipes to files. A picture is painted where no cache has it, together with whatever else waits, and its PNG is kept for
 * the request of its URL that is about to come. Nothing is written that could not be made again.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Batcher } from '../core/batcher.ts';
import { AppError } from '../core/errors.ts';
import { localId } from '../core/global-id.ts';
import { xmpOf } from '../core/picture-metadata.ts';
import { decodeRecipe, encodeRecipe, type Recipe } from '../core/recipe.ts';
import type { Painting } from '../engine/host/generator.ts';
import type { PaintRequest } from '../engine/protocol.ts';
import type { Blobs } from '../store/blobs.ts';
import type { Db } from '../store/db.ts';
import { imagesByIds } from '../store/images.ts';
import type { ModelRow } from '../store/tables.ts';
import { knowsRecipe } from './conditions.ts';
import type { DiskCache } from './disk-cache.ts';
import type { ModelService } from './models.ts';
import { type Encoded, encoded, encodingKey, PictureCache } from './picture-cache.ts';
import { encodePixels, type RgbPicture } from './pictures.ts';
import { pngOf } from './png.ts';

/** Who waits for a picture. */
export interface Asker {
  /** Clients take turns: a key, or an address where no keys are wanted. */
  readonly client: string;
  readonly signal?: AbortSignal | undefined;
}

/** A picture's id as what it says. */
export interface FoundPicture {
  /** The recipe. */
  readonly id: string;
  readonly recipe: Recipe;
  readonly model: ModelRow;
}

export interface PaintingOptions {
  readonly db: Db;
  readonly blobs: Blobs;
  readonly models: ModelService;
  readonly disk: DiskCache;
  readonly uploads: {
    /** The middle square of a stored upload: side x side x 3 bytes. @throws AppError NOT_FOUND */
    squareOf(sha256: string, side: number): Promise<Uint8Array>;
  };
  readonly engine: {
    readonly ready: boolean;
    paint(modelDir: string, pictures: readonly PaintRequest[]): Promise<Painting>;
  };
}

interface AskedPicture {
  readonly recipe: Recipe;
  /** Of its PNG. */
  readonly key: string;
}

/** Its pixels are there until it is disposed of. */
type PaintedPicture = RgbPicture & Disposable;

/**
 * As many as most ask for at once. An answer with more would not fit into the pipe at 64 pixels: the engine would
 * have to wait.
 */
const TURN = 16;
/** Ahead of the engine, which paints together what it has: two of a GPU's batches. */
const AT_WORK = 64;
const MOST_WAITING = 1_024;
const LONGEST_WAIT_MS = 30_000;
const CACHE_BYTES = 64 * 2 ** 20;
/** Encodings of so many pictures, 0.3 ms each, before whatever else is to be done has its turn: the engine's next answer, too. */
const ENCODED_AT_ONCE = 2;

export class PaintingService {
  readonly #options: PaintingOptions;
  readonly #cache = new PictureCache(CACHE_BYTES);
  readonly #batcher: Batcher<PaintRequest, PaintedPicture>;
  #painted = 0;

  constructor(options: PaintingOptions) {
    this.#options = options;
    this.#batcher = new Batcher({
      maxBatch: TURN,
      maxTurn: TURN,
      maxWaiting: MOST_WAITING,
      maxWaitMs: LONGEST_WAIT_MS,
      maxAtWork: AT_WORK,
      now: () => performance.now(),
      work: async (modelDir, pictures) => cut(await options.engine.paint(modelDir, pictures), pictures.length),
    });
  }

  /** Whether the engine can paint now, how many pictures wait for it, and how many it has painted since the start. */
  get load(): { readonly ready: boolean; readonly waiting: number; readonly painted: number } {
    return { ready: this.#options.engine.ready, waiting: this.#batcher.waiting, painted: this.#painted };
  }

  /**
   * The PNGs of recipes of one model in their own size, in order, each as soon as it is there: from memory, or painted together.
   * @throws AppError OVERLOADED, ENGINE_UNAVAILABLE, NOT_FOUND where an upload has gone
   */
  async *stream(model: ModelRow, recipes: readonly Recipe[], asker: Asker): AsyncGenerator<Encoded, void, undefined> {
    const asked = recipes.map((recipe) => ({ recipe, key: pngKey(encodeRecipe(recipe)) }));
    const known = asked.map(({ key }) => this.#cache.get(key));
    const missing = asked.filter((_one, i) => known[i] === undefined);
    const painted = this.#paint(model, missing, asker);
    try {
      for (const png of known) {
        const found = png ?? (await painted.next()).value;
        if (found === undefined) throw new Error('The engine painted fewer pictures than it was asked for');
        yield found;
      }
    } finally {
      await painted.return();
    }
  }

  /** All that `stream` gives. @throws as `stream` */
  async pngs(model: ModelRow, recipes: readonly Recipe[], asker: Asker): Promise<Encoded[]> {
    const pngs: Encoded[] = [];
    for await (const png of this.stream(model, recipes, asker)) pngs.push(png);
    return pngs;
  }

  /**
   * The PNG of a picture's id in its own size: from the caches, the gallery's files or the engine.
   * @throws AppError NOT_FOUND, or as `pngs`
   */
  async png(text: string, asker: Asker): Promise<Encoded> {
    const id = localId(text, 'GeneratedImage');
    const key = pngKey(id);
    const cached = this.#cache.get(key) ?? (await this.#fromDisk(key));
    if (cached !== undefined) return cached;
    const { db, blobs } = this.#options;
    const [kept] = await imagesByIds(db, [id]);
    const stored = kept === undefined ? undefined : await blobs.get(kept.sha256, 'png');
    if (stored !== undefined) return encoded(stored);
    const { recipe, model } = await this.find(id);
    const [painted] = await this.pngs(model, [recipe], asker);
    if (painted === undefined) throw notFound();
    return painted;
  }

  /** The recipe and model of a picture's id. @throws AppError NOT_FOUND */
  async find(text: string, path: readonly string[] = ['id']): Promise<FoundPicture> {
    const { models } = this.#options;
    const id = localId(text, 'GeneratedImage');
    const recipe = decodeRecipe(id);
    if (recipe === undefined) throw notFound(path);
    const model = await models.resolve(recipe.modelId).catch((error: unknown) => {
      throw error instanceof AppError ? notFound(path) : error;
    });
    if (!knowsRecipe(models.cardOf(model), recipe)) throw notFound(path);
    return { id, recipe, model };
  }

  async #fromDisk(key: string): Promise<Encoded | undefined> {
    const body = await this.#options.disk.get(key);
    if (body === undefined) return undefined;
    const picture = await encoded(body);
    this.#cache.set(key, picture);
    return picture;
  }

  /** What has been painted is encoded while the engine paints the rest. */
  async *#paint(
    model: ModelRow,
    asked: readonly AskedPicture[],
    { client, signal }: Asker,
  ): AsyncGenerator<Encoded, void> {
    const items = await Promise.all(asked.map(({ recipe }) => this.#requestOf(recipe, model)));
    const folder = this.#options.models.folderOf(model);
    let place = 0;
    for await (const painted of this.#batcher.stream({ key: folder, client, items, signal })) {
      using picture = painted;
      const one = asked[place];
      if (one === undefined) return;
      if (place > 0 && place % ENCODED_AT_ONCE === 0) await nextTurn();
      place += 1;
      this.#painted += 1;
      const png = await encoded(await fileOf(picture, one.recipe, model));
      this.#cache.set(one.key, png);
      yield png;
    }
  }

  async #requestOf({ mix, source }: Recipe, model: ModelRow): Promise<PaintRequest> {
    if (source.kind === 'latent') return { mix, latent: source.latent, truncation: source.truncation };
    return { mix, pixels: await this.#options.uploads.squareOf(source.sha256, model.resolution) };
  }
}

/** Files of version 1 hold the picture alone, as sharp writes it: they were given out like that. */
function fileOf(picture: RgbPicture, recipe: Recipe, model: ModelRow): Promise<Buffer> {
  return recipe.version === 1 ? encodePixels(picture, { format: 'png' }) : pngOf(picture, xmpOf(recipe, model.sha256));
}

/** As DeliveryService names it on the disk. */
function pngKey(id: string): string {
  return encodingKey(id, { format: 'png' });
}

/** One painting of n pictures as n pictures, which ends with the last of them. */
function cut(painting: Painting, n: number): PaintedPicture[] {
  const { width, height, pixels } = painting;
  const each = width * height * 3;
  let left = n;
  const dispose = () => {
    left -= 1;
    if (left === 0) painting[Symbol.dispose]();
  };
  return Array.from({ length: n }, (_, i) => {
    return { width, height, pixels: pixels.subarray(i * each, (i + 1) * each), [Symbol.dispose]: dispose };
  });
}

function notFound(path: readonly string[] = ['id']): AppError {
  return new AppError('NOT_FOUND', 'There is no such picture: its id is not the recipe of one.', { path });
}
