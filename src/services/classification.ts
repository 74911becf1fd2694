/** What a model's discriminator says of a picture: an upload, a generated one, or a work of a collection. */
import type { Viewer } from '../core/access.ts';
import { Batcher } from '../core/batcher.ts';
import { AppError } from '../core/errors.ts';
import { localId } from '../core/global-id.ts';
import type { LabelKind } from '../core/labels.ts';
import type { KindJudgement } from '../engine/protocol.ts';
import { artworksByIds, datasetsByIds } from '../store/datasets.ts';
import type { Db } from '../store/db.ts';
import type { ModelRow } from '../store/tables.ts';
import type { ImportService } from './importing.ts';
import type { ModelService } from './models.ts';
import type { Asker, PaintingService } from './painting.ts';
import { squareOfPixels, squareOfPng } from './pictures.ts';
import type { UploadService } from './uploads.ts';

export interface ClassifyRequest {
  /** One of these, by its id. */
  readonly upload?: string | null | undefined;
  readonly image?: string | null | undefined;
  readonly artwork?: string | null | undefined;
  /** The default one unless told. */
  readonly model?: string | null | undefined;
}

export interface LabelProbability {
  readonly kind: LabelKind;
  readonly slug: string;
  /** 0..1 */
  readonly probability: number;
}

export interface KindClassification {
  readonly kind: LabelKind;
  /** The likeliest first. */
  readonly labels: readonly LabelProbability[];
  /** That the picture is generated. */
  readonly fake: number;
}

export interface Classification {
  readonly model: ModelRow;
  readonly kinds: readonly KindClassification[];
}

export interface ClassificationParts {
  readonly db: Db;
  readonly models: ModelService;
  readonly painting: Pick<PaintingService, 'png'>;
  readonly uploads: Pick<UploadService, 'picture' | 'squareOf'>;
  readonly imports: Pick<ImportService, 'tilePicture'>;
  readonly engine: { classify(modelDir: string, pixels: Uint8Array): Promise<readonly KindJudgement[]> };
}

const MOST_WAITING = 256;
const LONGEST_WAIT_MS = 30_000;

export class ClassificationService {
  readonly #parts: ClassificationParts;
  /** Pictures wait their turn here, one at a time, and not in the engine. */
  readonly #queue: Batcher<Uint8Array, readonly KindJudgement[]>;

  constructor(parts: ClassificationParts) {
    this.#parts = parts;
    this.#queue = new Batcher({
      maxBatch: 1,
      maxTurn: 1,
      maxWaiting: MOST_WAITING,
      maxWaitMs: LONGEST_WAIT_MS,
      maxAtWork: 1,
      now: () => performance.now(),
      work: async (modelDir, pictures) => {
        const answers: (readonly KindJudgement[])[] = [];
        for (const pixels of pictures) answers.push(await parts.engine.classify(modelDir, pixels));
        return answers;
      },
    });
  }

  /** @throws AppError INVALID_INPUT, NOT_FOUND, UNKNOWN_MODEL, NO_MODEL, NO_DISCRIMINATOR, OVERLOADED, ENGINE_UNAVAILABLE */
  async classify(request: ClassifyRequest, viewer: Viewer, asker: Asker): Promise<Classification> {
    const { models } = this.#parts;
    const model = await models.resolve(request.model ?? undefined);
    const card = models.cardOf(model);
    if (card.discriminator === undefined) throw withoutDiscriminator(model);
    const pixels = await this.#pixelsOf(request, { side: model.resolution, viewer, asker });
    const { client, signal } = asker;
    const [kinds] = await this.#queue.run({ key: models.folderOf(model), client, items: [pixels], signal });
    if (kinds === undefined) throw new Error('The engine has said nothing');
    return {
      model,
      kinds: kinds.map(({ kind, labels, fake }) => ({
        kind,
        fake,
        labels: labels
          .map((probability, i) => ({ kind, slug: card.labels[kind][i]?.slug ?? '', probability }))
          .sort((a, b) => b.probability - a.probability),
      })),
    };
  }

  /** side x side x 3 bytes. */
  async #pixelsOf(
    { upload, image, artwork }: ClassifyRequest,
    { side, viewer, asker }: { readonly side: number; readonly viewer: Viewer; readonly asker: Asker },
  ): Promise<Uint8Array> {
    const { painting, uploads } = this.#parts;
    const asked = [upload, image, artwork].filter((id) => (id ?? null) !== null);
    if (asked.length !== 1)
      throw new AppError('INVALID_INPUT', 'Say one of upload, image or artwork.', { path: ['upload'] });
    if (typeof upload === 'string') {
      const { sha256 } = await uploads.picture(upload, viewer);
      return uploads.squareOf(sha256, side);
    }
    if (typeof image === 'string') return squareOfPng((await painting.png(image, asker)).body, side);
    return this.#artwork(localId(artwork ?? '', 'Artwork'), side);
  }

  async #artwork(id: string, side: number): Promise<Uint8Array> {
    const { db, imports } = this.#parts;
    const [row] = await artworksByIds(db, [id]);
    const [dataset] = row === undefined ? [] : await datasetsByIds(db, [row.datasetId]);
    if (row === undefined || dataset === undefined)
      throw new AppError('NOT_FOUND', 'There is no such work.', { path: ['artwork'] });
    const { pixels, size } = await imports.tilePicture(row, dataset);
    return squareOfPixels({ pixels, width: size, height: size }, side);
  }
}

/** Also for pictures that would be repainted. */
export function withoutDiscriminator({ name }: Pick<ModelRow, 'name'>): AppError {
  const message = `The model "${name}" has no discriminator: it was made by an older version. Make it again from its checkpoint with createModel, or train anew.`;
  return new AppError('NO_DISCRIMINATOR', message, { path: ['model'] });
}
