/** Placeholders of pictures: 25 bytes that a page paints a blurred picture from while the file is on its way (ThumbHash). */
import { LRUCache } from 'lru-cache';
import { rgbaToThumbHash } from 'thumbhash';
import { localId } from '../core/global-id.ts';
import type { ArtworkRow, DatasetRow } from '../store/tables.ts';
import type { Encoders } from './encoders.ts';
import type { ImportService } from './importing.ts';
import type { Asker, PaintingService } from './painting.ts';
import { squareOfPixels, squareOfPng } from './pictures.ts';

export interface ThumbhashOptions {
  readonly painting: PaintingService;
  readonly imports: ImportService;
  readonly encoders: Encoders;
}

/** What is remembered, some 35 characters and an id each. */
const MOST_BYTES = 4 * 2 ** 20;
const HASH_BYTES = 150;
/** It holds 7 waves of light in each direction: 32 pixels tell them as well as 100 do, in a tenth of the time, 0.4 ms. */
const SIDE = 32;
const OPAQUE = 255;

export class ThumbhashService {
  readonly #options: ThumbhashOptions;
  readonly #known = new LRUCache<string, string>({
    maxSize: MOST_BYTES,
    sizeCalculation: (_hash, key) => key.length + HASH_BYTES,
  });

  constructor(options: ThumbhashOptions) {
    this.#options = options;
  }

  /** Of a generated picture, by its id: base64. @throws AppError as PaintingService.png */
  ofImage(text: string, asker: Asker): Promise<string> {
    const id = localId(text, 'GeneratedImage');
    return this.#of(id, asker, async () => {
      const { body } = await this.#options.painting.png(id, asker);
      return () => squareOfPng(body, SIDE);
    });
  }

  /** Of a work's square: base64. @throws AppError as ImportService.tilePicture */
  ofArtwork(artwork: ArtworkRow, dataset: DatasetRow, asker: Asker): Promise<string> {
    return this.#of(`tile:${dataset.packSha256}:${artwork.packIndex}`, asker, async () => {
      const { pixels, size } = await this.#options.imports.tilePicture(artwork, dataset);
      return () => squareOfPixels({ pixels, width: size, height: size }, SIDE);
    });
  }

  async #of(key: string, asker: Asker, prepare: () => Promise<() => Promise<Buffer>>): Promise<string> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = thumbhashOf(await this.#options.encoders.run(asker, await prepare()));
    this.#known.set(key, made);
    return made;
  }
}

/** `rgb`: SIDE x SIDE x 3 bytes. */
function thumbhashOf(rgb: Uint8Array): string {
  const rgba = new Uint8Array(SIDE * SIDE * 4).fill(OPAQUE);
  for (let i = 0; i < SIDE * SIDE; i++) rgba.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
  return Buffer.from(rgbaToThumbHash(SIDE, SIDE, rgba)).toString('base64');
}
