/**
 * Pictures that users send. One is announced, which gives an address; what is sent there is decoded and written anew
 * (upload-pictures.ts), and only that is stored. Files before rows, in a folder that nobody else names files in.
 */
import { randomUUID } from 'node:crypto';
import { type Viewer, viewerId } from '../core/access.ts';
import { AppError } from '../core/errors.ts';
import { localId } from '../core/global-id.ts';
import type { Log } from '../core/log.ts';
import type { Recipe } from '../core/recipe.ts';
import type { Blobs } from '../store/blobs.ts';
import type { Db } from '../store/db.ts';
import type { List } from '../store/page.ts';
import type { UploadRow } from '../store/upload-tables.ts';
import {
  deleteUpload,
  expireUploads,
  finishUpload,
  insertUpload,
  namedUploads,
  type StoredUpload,
  uploadById,
  uploadedBytes,
  uploadList,
  waitingUploads,
  whereUnnamed,
} from '../store/uploads.ts';
import type { ModelService } from './models.ts';
import { Signatures } from './signatures.ts';
import { clearReceived, MOST_UPLOAD_BYTES, receive, tooLarge } from './upload-body.ts';
import { middleSquare } from './upload-decode.ts';
import { UploadPictures } from './upload-pictures.ts';
import { recipeOfUpload } from './upload-recipes.ts';
import {
  checkedRequest,
  checkSaid,
  gone,
  isExpired,
  maySee,
  type NewUploadRequest,
  notFound,
  ready,
  sameOrConflict,
  seesAll,
  signedText,
} from './upload-rules.ts';

export interface UploadOptions {
  readonly db: Db;
  /** Of uploads alone: what no row names is deleted from it. */
  readonly blobs: Blobs;
  /** A folder for what is being sent. */
  readonly incoming: string;
  readonly models: Pick<ModelService, 'cardOf'>;
  readonly log: Log;
  /** What addresses are signed with. */
  readonly secret: Buffer;
  /** Of all stored uploads together. */
  readonly mostBytes: number;
}

export interface Sending {
  /** Undefined: whoever sends has the signed address. */
  readonly viewer: Viewer | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** As the client says. */
  readonly length: number | undefined;
  readonly signal: AbortSignal;
}

const WAITING_MS = 3_600_000;
const MOST_WAITING = 100;
/** Sent at once. Each has a file that is being written, and one at a time is in memory. */
const MOST_AT_ONCE = 16;
const SWEEP_MS = 600_000;
const FILES_AT_ONCE = 500;

export class UploadService implements AsyncDisposable {
  readonly #options: UploadOptions;
  readonly #signatures: Signatures;
  readonly #pictures: UploadPictures;
  #receiving = 0;
  #sweeping: NodeJS.Timeout | undefined;

  constructor(options: UploadOptions) {
    this.#options = options;
    this.#pictures = new UploadPictures(options.log);
    this.#signatures = new Signatures(options.secret, WAITING_MS / 1_000);
  }

  /** Sweeps now and from time to time. */
  async start(): Promise<void> {
    await this.sweep();
    await this.#sweepFiles();
    this.#sweeping = setInterval(() => {
      this.sweep().catch((error: unknown) => this.#options.log.warn({ err: error }, 'Old uploads were not swept'));
    }, SWEEP_MS).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sweeping);
    this.#pictures[Symbol.dispose]();
  }

  /** @throws AppError INVALID_INPUT, TOO_LARGE, RATE_LIMITED, DISK_FULL */
  async create(request: NewUploadRequest, viewer: Viewer): Promise<UploadRow> {
    const { db, mostBytes } = this.#options;
    const said = checkedRequest(request);
    const owner = viewerId(viewer);
    const now = new Date();
    await expireUploads(db, now);
    if ((await waitingUploads(db, owner, now)) >= MOST_WAITING) {
      const message = `${MOST_WAITING} uploads of yours wait for their files. Send those, delete some with deleteUpload, or wait an hour.`;
      throw new AppError('RATE_LIMITED', message, { retryable: true, retryAfterMs: WAITING_MS });
    }
    if ((await uploadedBytes(db)) >= mostBytes) throw this.#full();
    return insertUpload(db, {
      id: request.id ?? randomUUID(),
      owner,
      ...said,
      expiresAt: new Date(now.getTime() + WAITING_MS),
    });
  }

  /** Where the file of a waiting upload is to be sent: a path, signed. */
  addressOf({ id }: Pick<UploadRow, 'id'>): string {
    const { expires, mark } = this.#signatures.sign(signedText(id));
    return `/uploads/${id}?e=${expires}&s=${mark}`;
  }

  isSigned(id: string, { expires, mark }: { readonly expires: number; readonly mark: string }): boolean {
    return this.#signatures.isGood(signedText(id), { expires, mark });
  }

  /**
   * Takes what is sent to an upload's address. The same may be sent again.
   * @throws AppError NOT_FOUND, EXPIRED, CONFLICT, INVALID_INPUT, OVERLOADED, DISK_FULL, TOO_LARGE, UNSUPPORTED_PICTURE, BAD_PICTURE
   */
  async receive(id: string, { viewer, body, length, signal }: Sending): Promise<UploadRow> {
    const row = await this.#toFill(id, viewer);
    if (length !== undefined && length > MOST_UPLOAD_BYTES) throw tooLarge();
    if (this.#receiving >= MOST_AT_ONCE) {
      const message = 'Many files are being sent at once. Send it again in a few seconds.';
      throw new AppError('OVERLOADED', message, { retryable: true, retryAfterMs: 5_000 });
    }
    this.#receiving++;
    try {
      await using received = await receive(body, this.#options.incoming);
      if (row.status === 'READY') return sameOrConflict(row, received);
      checkSaid(row, received);
      const { png, ...picture } = await this.#pictures.make(received.path, {
        folder: this.#options.incoming,
        signal,
      });
      const stored = { ...picture, sentSha256: received.sha256, bytes: png.length };
      return sameOrConflict(await this.#store(row, png, stored), received);
    } finally {
      this.#receiving--;
    }
  }

  /** Those that a viewer may see. */
  listFor(viewer: Viewer): List<UploadRow> {
    return uploadList(seesAll(viewer) ? undefined : viewerId(viewer));
  }

  /** An upload that the viewer may see. */
  async find(id: string, viewer: Viewer): Promise<UploadRow | undefined> {
    const row = await uploadById(this.#options.db, localId(id, 'Upload'));
    return row !== undefined && maySee(viewer, row) && !isExpired(row) ? row : undefined;
  }

  /** @throws AppError NOT_FOUND */
  async remove(id: string, viewer: Viewer): Promise<UploadRow> {
    const row = await this.#known(id, viewer, ['input', 'id']);
    await deleteUpload(this.#options.db, row.id);
    if (row.sha256 !== null) await this.#removeUnnamed(row.sha256);
    return row;
  }

  /** A stored picture of the viewer's. @throws AppError NOT_FOUND, WRONG_STATE where its file was not sent yet */
  async picture(
    id: string,
    viewer: Viewer,
  ): Promise<{ readonly sha256: string; readonly png: Buffer; readonly width: number; readonly height: number }> {
    const { sha256, width, height } = ready(await this.#known(id, viewer));
    return { sha256, png: await this.#file(sha256), width, height };
  }

  /**
   * The middle square of a stored picture as training sees works: side x side x 3 bytes.
   * @throws AppError NOT_FOUND where it was deleted, BAD_PICTURE where it is too small to be enlarged so far
   */
  async squareOf(sha256: string, side: number): Promise<Uint8Array> {
    return middleSquare(await this.#file(sha256), side);
  }

  /** The recipe that the file of an upload held, for a model of this server. @throws AppError NO_RECIPE, UNKNOWN_MODEL */
  async recipe(id: string, viewer: Viewer): Promise<Recipe> {
    const { db, models } = this.#options;
    const hasFile = (sha256: string) => this.#options.blobs.has(sha256, 'png');
    return recipeOfUpload(ready(await this.#known(id, viewer)), { db, models, hasFile });
  }

  /** Forgets what was announced and not sent, and deletes what was sent in part by clients of a server that was killed. */
  async sweep(): Promise<void> {
    const { db, incoming, log } = this.#options;
    const now = Date.now();
    const expired = await expireUploads(db, new Date(now));
    if (expired > 0) log.debug({ expired }, 'Uploads have expired');
    await clearReceived(incoming, now - SWEEP_MS);
  }

  /** Deletes files that no row names: a server was killed between the two. */
  async #sweepFiles(): Promise<void> {
    const { db, blobs } = this.#options;
    for await (const files of inBatches(blobs.writtenBefore(Date.now() - SWEEP_MS), FILES_AT_ONCE)) {
      const named = await namedUploads(db, files);
      for (const sha256 of files) if (!named.has(sha256)) await this.#removeUnnamed(sha256);
    }
  }

  /** The upload that a file is for. */
  async #toFill(id: string, viewer: Viewer | undefined): Promise<UploadRow> {
    const row = await uploadById(this.#options.db, id);
    if (row !== undefined && (viewer === undefined || maySee(viewer, row)) && !isExpired(row)) return row;
    // Whoever has its address or owns it may know that it was there.
    if (viewer === undefined || (row !== undefined && maySee(viewer, row))) throw gone();
    throw notFound([]);
  }

  async #store(row: UploadRow, png: Uint8Array, picture: Omit<StoredUpload, 'sha256'>): Promise<UploadRow> {
    const { db, mostBytes, log } = this.#options;
    const sha256 = await this.#options.blobs.put(png, 'png');
    const finished = await finishUpload(db, row.id, { stored: { ...picture, sha256 }, most: mostBytes });
    if (finished === 'full' || finished?.sha256 !== sha256) await this.#removeUnnamed(sha256);
    // Somebody may have deleted an upload of the same file just before this row named it.
    else if (!(await this.#options.blobs.has(sha256, 'png'))) await this.#options.blobs.put(png, 'png');
    if (finished === 'full') throw this.#full();
    if (finished === undefined) throw gone();
    log.debug({ upload: row.id, sha256, bytes: picture.bytes }, 'An upload was stored');
    return finished;
  }

  #removeUnnamed(sha256: string): Promise<void> {
    return whereUnnamed(this.#options.db, sha256, () => this.#options.blobs.remove(sha256, 'png'));
  }

  async #known(id: string, viewer: Viewer, path: readonly string[] = ['upload']): Promise<UploadRow> {
    const row = await this.find(id, viewer);
    if (row === undefined) throw notFound(path);
    return row;
  }

  async #file(sha256: string): Promise<Buffer> {
    const png = await this.#options.blobs.get(sha256, 'png');
    if (png !== undefined) return png;
    throw new AppError('NOT_FOUND', 'The upload was deleted. Send its file again: it will be the same.', {
      path: ['upload'],
    });
  }

  #full(): AppError {
    const message = `All uploads together may have ${this.#options.mostBytes / 2 ** 20} MB here, and do. Delete some with deleteUpload, or raise UPLOADS_LIMIT_MB.`;
    return new AppError('DISK_FULL', message);
  }
}

async function* inBatches<T>(values: AsyncIterable<T>, most: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const value of values) {
    batch.push(value);
    if (batch.length < most) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
