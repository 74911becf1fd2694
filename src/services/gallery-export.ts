/** Pictures of the gallery to take home: a ZIP with every PNG and a manifest, made while it is read, page by page. */
import { AppError } from '../core/errors.ts';
import { encodeGlobalId } from '../core/global-id.ts';
import type { LabelKind } from '../core/labels.ts';
import type { Log } from '../core/log.ts';
import type { Blobs } from '../store/blobs.ts';
import type { Db } from '../store/db.ts';
import { exportById, type GalleryExport, insertExport } from '../store/gallery-exports.ts';
import { EVERYTHING, type ImageFilter, pickImages } from '../store/gallery-filter.ts';
import { setsOfImages } from '../store/gallery-sets.ts';
import { imageList, imagesByNumbers } from '../store/images.ts';
import { labelsByIds } from '../store/labels.ts';
import { countRows, readPage } from '../store/page.ts';
import type { ImageRow } from '../store/tables.ts';
import { checkNumber, keptImages, MOST_AT_ONCE, numbersOf } from './gallery.ts';
import type { PaintingService } from './painting.ts';
import type { ZipEntry } from './zip.ts';

export interface GalleryExportOptions {
  readonly db: Db;
  readonly blobs: Blobs;
  readonly painting: PaintingService;
  readonly log: Log;
}

export interface ExportRequest {
  readonly where?: ImageFilter | null | undefined;
  readonly images?: readonly string[] | null | undefined;
}

export interface StartedExport {
  /** Of its address. */
  readonly id: string;
  /** Pictures. */
  readonly count: number;
}

const PAGE = 100;

export class GalleryExportService {
  readonly #options: GalleryExportOptions;

  constructor(options: GalleryExportOptions) {
    this.#options = options;
  }

  /**
   * Remembers what is to be exported. Nothing is read before the address is opened, and what was kept after this is not in it.
   * @throws AppError INVALID_INPUT, NOT_FOUND with the place of a picture that is not in the gallery
   */
  async start({ where, images }: ExportRequest): Promise<StartedExport> {
    const { db } = this.#options;
    if (images !== null && images !== undefined) {
      if (where) throw new AppError('INVALID_INPUT', 'Give images or where, not both.', { path: ['input', 'where'] });
      checkNumber(images, MOST_AT_ONCE);
      const numbers = [...new Set(numbersOf(await keptImages(db, images)))];
      return { id: await insertExport(db, { numbers }), count: numbers.length };
    }
    const picked = where ? await pickImages(db, where) : EVERYTHING;
    if (picked === null) return { id: await insertExport(db, { numbers: [] }), count: 0 };
    const now = new Date();
    const keptBefore = picked.keptBefore !== undefined && picked.keptBefore < now ? picked.keptBefore : now;
    const [id, count] = await Promise.all([
      insertExport(db, { picked: { ...picked, keptBefore } }),
      countRows(db, imageList(picked)),
    ]);
    return { id, count };
  }

  /** @throws AppError NOT_FOUND */
  async find(id: string): Promise<GalleryExport> {
    const found = await exportById(this.#options.db, id);
    if (found !== undefined) return found;
    throw new AppError('NOT_FOUND', 'There is no such export. Ask for one with exportImages.');
  }

  /** The manifest first, then the pictures, from the oldest on. What is deleted meanwhile is in the manifest alone. */
  async *entries(request: GalleryExport): AsyncGenerator<ZipEntry> {
    const at = new Date();
    yield { name: 'manifest.jsonl', bytes: this.#manifest(request), at };
    for await (const rows of this.#pages(request)) {
      const names = await this.#labelSlugs(rows);
      for (const row of rows) {
        const bytes = await this.#file(row);
        if (bytes !== undefined) yield { name: fileOf(row, names), bytes, at: row.keptAt };
      }
    }
  }

  async *#manifest(request: GalleryExport): AsyncGenerator<Uint8Array> {
    for await (const rows of this.#pages(request)) {
      const names = await this.#labelSlugs(rows);
      const sets = await setsOfImages(
        this.#options.db,
        rows.map(({ id }) => id),
      );
      const lines = rows.map((row) => {
        const { isFavourite = false, sets: all = [] } = sets.get(row.id) ?? {};
        const namesOf = (kind: 'tag' | 'collection') => all.filter((set) => set.kind === kind).map(({ name }) => name);
        return JSON.stringify({
          id: encodeGlobalId('GeneratedImage', row.id),
          file: fileOf(row, names),
          sha256: row.sha256,
          seed: row.seed,
          artist: slugIn(names, row.artistId),
          style: slugIn(names, row.styleId),
          genre: slugIn(names, row.genreId),
          favourite: isFavourite,
          tags: namesOf('tag'),
          collections: namesOf('collection'),
          model: encodeGlobalId('Model', row.modelId),
          keptAt: row.keptAt.toISOString(),
        });
      });
      yield Buffer.from(`${lines.join('\n')}\n`);
    }
  }

  async *#pages(request: GalleryExport): AsyncGenerator<ImageRow[]> {
    const { db } = this.#options;
    if ('numbers' in request) {
      for (let i = 0; i < request.numbers.length; i += PAGE)
        yield await imagesByNumbers(db, request.numbers.slice(i, i + PAGE));
      return;
    }
    const list = imageList(request.picked, { field: 'KEPT_AT', direction: 'ASC' });
    for (let after: string | undefined; ; ) {
      const { rows, cursors } = await readPage(db, list, { first: PAGE, after });
      if (rows.length > 0) yield rows;
      if (rows.length < PAGE) return;
      after = cursors.at(-1);
    }
  }

  /** One whose file was lost is painted again, where that can be. */
  async #file({ id, sha256 }: ImageRow): Promise<Uint8Array | undefined> {
    const { blobs, log, painting } = this.#options;
    const stored = await blobs.get(sha256, 'png');
    if (stored !== undefined) return stored;
    try {
      return (await painting.png(id, { client: 'export' })).body;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'NOT_FOUND') throw error;
      log.warn({ image: id }, 'A kept picture has lost its file, and cannot be painted again');
      return undefined;
    }
  }

  async #labelSlugs(rows: readonly ImageRow[]): Promise<ReadonlyMap<string, string>> {
    const ids = new Set(rows.flatMap(({ artistId, styleId, genreId }) => [artistId, styleId, genreId]));
    const labels = await labelsByIds(
      this.#options.db,
      [...ids].filter((id) => id !== null),
    );
    return new Map(labels.map(({ id, slug }) => [id, slug]));
  }
}

const slugIn = (names: ReadonlyMap<string, string>, id: string | null) =>
  id === null ? null : (names.get(id) ?? null);

/** e.g. "00000012-claude-monet-landscape-7.png": no two are the same. */
function fileOf(row: ImageRow, names: ReadonlyMap<string, string>): string {
  const kinds: readonly `${LabelKind}Id`[] = ['artistId', 'styleId', 'genreId'];
  const labels = kinds.flatMap((kind) => slugIn(names, row[kind]) ?? []);
  return `${[String(row.n).padStart(8, '0'), ...labels, row.seed].join('-').slice(0, 200)}.png`;
}
