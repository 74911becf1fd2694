/**
 * Contact sheets: any pictures as one. Nothing is kept; a sheet's id is its recipe, and its pictures are painted or
 * found again.
 */
import { createHash } from 'node:crypto';
import { AppError } from '../core/errors.ts';
import {
  checkSheet,
  decodeSheet,
  encodeSheet,
  MOST_ON_SHEET,
  type Sheet,
  type SheetSize,
  sizeOfSheet,
} from '../core/sheet.ts';
import type { Original } from './delivery.ts';
import type { PaintingService } from './painting.ts';
import type { Encoded } from './picture-cache.ts';
import { encodePixels, type RgbPicture, squareOfPng } from './pictures.ts';

export interface SheetOptions {
  /** Left out: as many as make it about square. */
  readonly columns?: number | null | undefined;
  /** Side of each picture, in pixels; 128 unless told. */
  readonly cell?: number | null | undefined;
}

export interface ContactSheet extends SheetSize {
  readonly id: string;
  readonly columns: number;
}

const USUAL_CELL = 128;
const WHITE = 255;

export class SheetService {
  readonly #painting: PaintingService;

  constructor(painting: PaintingService) {
    this.#painting = painting;
  }

  /** Pictures of anybody's choice. @throws AppError NOT_FOUND with the place of the id that is none, or as `sheetOf` */
  async ofPictures(images: readonly string[], options: SheetOptions): Promise<ContactSheet> {
    const some = images.slice(0, MOST_ON_SHEET + 1);
    const found = await Promise.all(some.map((id, i) => this.#painting.find(id, ['images', String(i)])));
    return this.sheetOf(
      found.map(({ id }) => id),
      options,
    );
  }

  /** `images`: ids of pictures that there are. @throws AppError INVALID_INPUT where they are too many, or too large */
  sheetOf(images: readonly string[], { columns, cell }: SheetOptions): ContactSheet {
    const sheet = { images, columns: columns ?? Math.ceil(Math.sqrt(images.length)), cell: cell ?? USUAL_CELL };
    checkSheet(sheet);
    return { id: encodeSheet(sheet), ...sizeOfSheet(sheet), columns: Math.min(sheet.columns, images.length) };
  }

  /** What the URL of a sheet serves. @throws AppError NOT_FOUND where the text is none */
  original(id: string): Original {
    const sheet = decodeSheet(id);
    if (sheet === undefined)
      throw new AppError('NOT_FOUND', 'There is no such sheet: its id is not the recipe of one.', { path: ['id'] });
    return {
      // A text can be deflated in many ways.
      key: `sheet:${createHash('sha256').update(JSON.stringify(sheet)).digest('hex')}`,
      prepare: async (encoding, asker) => {
        const pngs = await Promise.all(sheet.images.map((image) => this.#painting.png(image, asker)));
        return async () => encodePixels(await composed(pngs, sheet), encoding);
      },
    };
  }
}

/** Row by row, on white. */
async function composed(pngs: readonly Encoded[], sheet: Sheet): Promise<RgbPicture> {
  const { cell, columns } = sheet;
  const { width, height, gap } = sizeOfSheet(sheet);
  const pixels = Buffer.alloc(width * height * 3, WHITE);
  for (const [i, { body }] of pngs.entries()) {
    const square = await squareOfPng(body, cell);
    const left = (i % columns) * (cell + gap);
    const top = Math.floor(i / columns) * (cell + gap);
    for (let y = 0; y < cell; y++)
      square.copy(pixels, ((top + y) * width + left) * 3, y * cell * 3, (y + 1) * cell * 3);
  }
  return { pixels, width, height };
}
