/**
 * Jobs: large numbers of pictures, painted by and by, also after a restart. A job's pictures are those that `generate` gives for
 * the same request, one seed after another.
 */
import { createHash, randomUUID } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { mayUse, type Viewer, viewerId } from '../core/access.ts';
import { AppError } from '../core/errors.ts';
import type { EventStream } from '../core/event-stream.ts';
import { localId } from '../core/global-id.ts';
import { plainLatent } from '../core/latents.ts';
import { encodeRecipe, type Recipe, recipeOf, seedAt } from '../core/recipe.ts';
import type { GenerationProgress, TopicEntry } from '../core/topics.ts';
import type { Db } from '../store/db.ts';
import type { GenerationRow } from '../store/generation-tables.ts';
import {
  deleteGeneration,
  generationById,
  generationByKey,
  insertGeneration,
  moveGeneration,
  openGenerations,
  pendingPictures,
} from '../store/generations.ts';
import type { GenerationService, Picture, PictureRequest } from './generation.ts';
import { pictureOf } from './generation.ts';
import type { GenerationFiles, PackedPicture } from './generation-files.ts';
import type { ModelService } from './models.ts';
import type { PaintingService } from './painting.ts';
import type { StreamPlace } from './stream-place.ts';
import type { TopicService } from './topics.ts';
import type { ZipEntry } from './zip.ts';

/** Of one file, and of one commit. */
export const CHUNK = 64;
export const MOST_PICTURES = 100_000;
const MOST_OPEN = 100;
const LONGEST_NAME = 200;
const LONGEST_KEY = 200;
/** Of a picture of 64 pixels; others in proportion to their area. */
const TYPICAL_BYTES = 10_000;
const SPARE_BYTES = 64 * 2 ** 20;

export interface NewGeneration extends PictureRequest {
  /** 1..100,000 */
  readonly n: number;
  readonly name?: string | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
  /** Where the whole mutation has an Idempotency-Key: of what it makes. */
  readonly id?: string | undefined;
}

export interface GenerationJobsParts {
  readonly db: Db;
  readonly dataDir: string;
  readonly models: ModelService;
  readonly generation: Pick<GenerationService, 'resolve'>;
  readonly painting: Pick<PaintingService, 'pngs'>;
  readonly files: GenerationFiles;
  readonly topics: Pick<TopicService, 'generationProgress'>;
  /** Works on them. */
  readonly driver: { wake(): void };
}

export class GenerationJobs {
  readonly #parts: GenerationJobsParts;

  constructor(parts: GenerationJobsParts) {
    this.#parts = parts;
  }

  /**
   * Queues a job. The same key of the same viewer is the same job.
   * @throws AppError INVALID_INPUT, IDEMPOTENCY_KEY_REUSED, RATE_LIMITED, DISK_FULL, or as GenerationService.resolve
   */
  async create(request: NewGeneration, viewer: Viewer): Promise<GenerationRow> {
    const { db, driver, generation } = this.#parts;
    const { n, name, id = randomUUID() } = request;
    const key = request.idempotencyKey ?? null;
    check(Number.isInteger(n) && n >= 1 && n <= MOST_PICTURES, 'n', `a whole number from 1 to ${MOST_PICTURES}`);
    check((name ?? '').length <= LONGEST_NAME, 'name', `at most ${LONGEST_NAME} characters`);
    const isKey = key === null || (key.length > 0 && key.length <= LONGEST_KEY && !key.includes('\0'));
    check(isKey, 'idempotencyKey', `a text of 1 to ${LONGEST_KEY} characters, such as a UUID`);
    const owner = viewerId(viewer);
    const fingerprint = fingerprintOf(request);
    const known = key === null ? await generationById(db, id) : await generationByKey(db, owner, key);
    if (known !== undefined) return sameJob(known, fingerprint);
    const { model, mix, seed, truncation } = await generation.resolve(request);
    await this.#checkRoom(owner, n, model.resolution);
    const values = { id, owner, idempotencyKey: key, fingerprint, name: name ?? null, modelId: model.id };
    const row = await insertGeneration(db, { ...values, mix, seed, truncation, n });
    if (row === undefined) {
      // Somebody was first with the same key.
      const other = key === null ? await generationById(db, id) : await generationByKey(db, owner, key);
      if (other !== undefined) return sameJob(other, fingerprint);
      throw new Error('The job was not written');
    }
    driver.wake();
    return row;
  }

  /** Pictures that are painted stay; no more are. @throws AppError NOT_FOUND, WRONG_STATE */
  async cancel(id: string, viewer: Viewer): Promise<GenerationRow> {
    const job = await this.find(id, viewer);
    const moved = await moveGeneration(this.#parts.db, { id: job.id, action: 'cancel' });
    if (moved !== undefined) return moved;
    const now = await this.find(id, viewer);
    if (now.status === 'CANCELLED') return now;
    throw new AppError('WRONG_STATE', `The job is ${now.status}: there is nothing to cancel.`, { path: PLACE });
  }

  /** With its files. @throws AppError NOT_FOUND, WRONG_STATE while it is worked on */
  async delete(id: string, viewer: Viewer): Promise<GenerationRow> {
    const { db, files } = this.#parts;
    const job = await this.find(id, viewer);
    if (!(await deleteGeneration(db, job.id)))
      throw new AppError('WRONG_STATE', `The job is ${job.status}: cancel it first.`, { path: PLACE });
    // The row before the files that it names.
    await files.remove(job.id);
    return job;
  }

  /** A job of the viewer; an admin finds all. @throws AppError NOT_FOUND */
  async find(id: string, viewer: Viewer, path: readonly string[] = PLACE): Promise<GenerationRow> {
    const job = await generationById(this.#parts.db, localId(id, 'Generation'));
    if (job !== undefined && maySee(viewer, job)) return job;
    throw new AppError('NOT_FOUND', 'There is no such job. The query generations lists yours.', { path });
  }

  /** @throws AppError NOT_FOUND, INVALID_INPUT */
  async progress(id: string, viewer: Viewer, place: StreamPlace): Promise<EventStream<TopicEntry<GenerationProgress>>> {
    const job = await this.find(id, viewer, ['generation']);
    return this.#parts.topics.generationProgress(job.id, place);
  }

  /** Pictures that are done, from one number to another. @throws AppError DAMAGED_FILE */
  async pictures(job: GenerationRow, from: number, to: number): Promise<Picture[]> {
    const model = await this.#parts.models.resolve(job.modelId);
    const end = Math.min(to, job.done);
    const found: Picture[] = [];
    for (let first = from - (from % CHUNK); first < end; first += CHUNK) {
      const packed = await this.#chunk(job, first);
      for (let i = Math.max(first, from); i < Math.min(first + CHUNK, end); i++)
        found.push(pictureOf(recipeAt(job, i), model, packed[i - first]?.sha256));
    }
    return found;
  }

  /** All that is done so far: pictures, a line of manifest.jsonl for each, and job.json. */
  async *entries(job: GenerationRow): AsyncGenerator<ZipEntry> {
    const { name, sha256 } = await this.#parts.models.resolve(job.modelId);
    const at = job.createdAt;
    const { id, mix, truncation, n, done, seed } = job;
    const about = { id, model: { name, sha256 }, mix, truncation, seed, n, done, createdAt: at.toISOString() };
    yield { name: 'job.json', bytes: Buffer.from(`${JSON.stringify(about, null, 2)}\n`), at };
    const manifest: Buffer[] = [];
    for (let first = 0; first < done; first += CHUNK) {
      const lines: string[] = [];
      for (const [i, picture] of (await this.#chunk(job, first)).entries()) {
        const index = first + i;
        if (index >= done) break;
        const number = seedAt(seed, index);
        const file = `${String(index + 1).padStart(6, '0')}-${number}.png`;
        yield { name: file, bytes: picture.body, at };
        const recipe = encodeRecipe(recipeAt(job, index));
        lines.push(JSON.stringify({ index, file, sha256: picture.sha256, seed: number, id: recipe }));
      }
      manifest.push(Buffer.from(`${lines.join('\n')}\n`));
    }
    yield { name: 'manifest.jsonl', bytes: Buffer.concat(manifest), at };
  }

  /** One that was damaged is painted again: it is a function of its recipes. */
  async #chunk(job: GenerationRow, first: number): Promise<readonly PackedPicture[]> {
    const { files, models, painting } = this.#parts;
    try {
      return await files.read(job.id, first);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'DAMAGED_FILE') throw error;
    }
    const recipes = Array.from({ length: Math.min(CHUNK, job.done - first) }, (_, i) => recipeAt(job, first + i));
    const pictures = await painting.pngs(await models.resolve(job.modelId), recipes, { client: `job:${job.id}` });
    await files.write(job.id, first, pictures);
    return pictures;
  }

  async #checkRoom(owner: string, n: number, resolution: number): Promise<void> {
    const { db, dataDir } = this.#parts;
    if ((await openGenerations(db, owner)) >= MOST_OPEN) {
      const message = `${MOST_OPEN} jobs of yours are not over yet. Wait for them, or cancel some.`;
      throw new AppError('RATE_LIMITED', message, { retryable: true });
    }
    const { bavail, bsize } = await statfs(dataDir);
    const pictures = n + (await pendingPictures(db));
    const needed = pictures * TYPICAL_BYTES * (resolution / 64) ** 2 + SPARE_BYTES;
    if (bavail * bsize >= needed) return;
    const [wanted, there] = [needed, bavail * bsize].map((bytes) => Math.ceil(bytes / 2 ** 20));
    const message = `It would take some ${wanted} MB with the jobs before it, and there are ${there} MB on the disk. Ask for fewer, or make room.`;
    throw new AppError('DISK_FULL', message, { retryable: true });
  }
}

/** The recipe of a job's picture, counted from 0. */
export function recipeAt({ modelId, mix, seed, truncation }: GenerationRow, index: number): Recipe {
  return recipeOf({ modelId, mix, latent: plainLatent(seedAt(seed, index)), truncation });
}

export function maySee(viewer: Viewer, { owner }: Pick<GenerationRow, 'owner'>): boolean {
  return owner === viewerId(viewer) || mayUse(viewer, 'admin');
}

const PLACE = ['input', 'generation'];

function sameJob(job: GenerationRow, fingerprint: string): GenerationRow {
  if (job.fingerprint === fingerprint) return job;
  const message = 'That key was used for another job. Choose a new one for another request.';
  throw new AppError('IDEMPOTENCY_KEY_REUSED', message, { path: ['input', 'idempotencyKey'] });
}

/** Of what was asked for, by the words that it was asked in. */
function fingerprintOf({ label, conditions, mix, n, seed, truncation, model, name }: NewGeneration): string {
  const asked = [label, conditions, mix, n, seed, truncation, model, name].map((value) => value ?? null);
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex');
}

function check(holds: boolean, field: string, what: string): void {
  if (!holds) throw new AppError('INVALID_INPUT', `${field} must be ${what}.`, { path: ['input', field] });
}
