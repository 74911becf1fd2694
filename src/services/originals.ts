/** What is served by URLs: generated pictures, grids of training runs, works of collections. */
import { AppError } from '../core/errors.ts';
import { localId } from '../core/global-id.ts';
import type { Blobs } from '../store/blobs.ts';
import { artworksByIds, datasetsByIds } from '../store/datasets.ts';
import type { Db } from '../store/db.ts';
import { sampleById } from '../store/run-log.ts';
import type { ArtworkRow, DatasetRow } from '../store/tables.ts';
import type { Original } from './delivery.ts';
import type { ImportService } from './importing.ts';
import type { PaintingService } from './painting.ts';
import { type Encoding, encodePixels, encodePng } from './pictures.ts';

const isOwnPng = ({ format, width }: Encoding) => format === 'png' && width === undefined;

/** A generated picture, by its id. Kept or not, it is the same for ever. */
export function imageOriginal(painting: PaintingService, text: string): Original {
  const id = localId(text, 'GeneratedImage');
  return {
    // As PaintingService looks for it on the disk.
    key: id,
    prepare: async (encoding, asker) => {
      const png = await painting.png(id, asker);
      return isOwnPng(encoding) ? png : () => encodePng(png.body, encoding);
    },
  };
}

/** A grid of a training run, by the id of its event. */
export function sampleOriginal({ db, blobs }: { readonly db: Db; readonly blobs: Blobs }, id: string): Original {
  return {
    key: `sample:${id}`,
    prepare: async (encoding) => {
      const event = await sampleById(db, id);
      const sha256 = event?.body.type === 'sample' ? event.body.sha256 : undefined;
      const body = sha256 === undefined ? undefined : await blobs.get(sha256, 'png');
      if (sha256 === undefined || body === undefined) throw new AppError('NOT_FOUND', 'There is no such sample.');
      return isOwnPng(encoding) ? { body, sha256 } : () => encodePng(body, encoding);
    },
  };
}

/** A work's square, as it is in the newest import of its collection. @throws AppError NOT_FOUND */
export async function artworkOriginal(
  { db, imports }: { readonly db: Db; readonly imports: ImportService },
  id: string,
): Promise<Original> {
  const [artwork] = await artworksByIds(db, [id]);
  const [dataset] = artwork === undefined ? [] : await datasetsByIds(db, [artwork.datasetId]);
  if (artwork === undefined || dataset === undefined) throw new AppError('NOT_FOUND', 'There is no such work.');
  return originalOf(imports, artwork, dataset);
}

function originalOf(imports: ImportService, artwork: ArtworkRow, dataset: DatasetRow): Original {
  return {
    key: `tile:${dataset.packSha256}:${artwork.packIndex}`,
    prepare: async (encoding) => {
      const { pixels, size } = await imports.tilePicture(artwork, dataset);
      return () => encodePixels({ pixels, width: size, height: size }, encoding);
    },
  };
}
