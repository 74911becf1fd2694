/**
 * A file of any origin as a picture of ours: what it is is judged by its content, what it is made of is decoded within bounds
 * and written anew, so that nothing of the file itself is kept but its pixels and the recipe that it may hold.
 */
import { AppError, type ErrorCode } from '../core/errors.ts';
import { recipeIn, recipeText } from '../core/picture-metadata.ts';
import { decodePicture, decodeTiles, inspect, type PictureLimits } from '../datasets/decode.ts';
import { BadPicture, type IssueCode } from '../datasets/entry.ts';
import { encodePixels } from './pictures.ts';

export interface UploadedPicture {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** core/picture-metadata.ts: recipeText. */
  readonly recipe: string | null;
}

/** What is told of a file that is refused. */
export const REFUSALS = ['TOO_LARGE', 'UNSUPPORTED_PICTURE', 'BAD_PICTURE'] as const satisfies readonly ErrorCode[];

/** Of the stored picture's longer side. */
const LONGEST_SIDE = 1_024;
/**
 * With the program itself, 75 MB, a decoder has less than 200 MB. `whole`: measured, WebP takes 2.2 times what its
 * pixels have, TIFF in tiles 1.7 times, GIF 1.3 times. A photograph of 40 megapixels is a JPEG, which is decoded line
 * by line.
 */
const LIMITS: PictureLimits = {
  pixels: 40_000_000,
  decodeBytes: 110 * 2 ** 20,
  whole: 2.25,
  metadataBytes: 4_000_000,
  seconds: 10,
};

/** Its metadata lies among its pixels, and has been copied several times before it can be asked how much it is. */
const MOST_AVIF_BYTES = 10_000_000;

/**
 * The file as it is stored: upright, sRGB, on white, at most 1,024 pixels long, without metadata.
 * @throws AppError TOO_LARGE, UNSUPPORTED_PICTURE, BAD_PICTURE with what is wrong with it
 */
export async function pictureOf(file: Uint8Array): Promise<UploadedPicture> {
  return refused(async () => {
    const isAvif = Buffer.from(file.subarray(4, 8)).toString('latin1') === 'ftyp';
    if (isAvif && file.length > MOST_AVIF_BYTES)
      throw new BadPicture('TOO_LARGE', `An AVIF may have ${MOST_AVIF_BYTES / 1e6} MB.`);
    const header = await inspect(file, 0, LIMITS);
    const picture = await decodePicture(file, header, { longest: LONGEST_SIDE, limits: LIMITS });
    const found = recipeIn(header.xmp ?? '');
    const png = await encodePixels(picture, { format: 'png' });
    const recipe = found === undefined ? null : recipeText(found);
    return { png, width: picture.width, height: picture.height, recipe };
  });
}

/**
 * The middle square of a stored PNG as training sees works: side x side x 3 bytes.
 * @throws AppError BAD_PICTURE where it is too small to be enlarged so far
 */
export async function middleSquare(png: Uint8Array, side: number): Promise<Uint8Array> {
  const level = { resolution: side, size: side, offset: 0 };
  return refused(async () => decodeTiles(png, await inspect(png, side), [level]));
}

async function refused<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof BadPicture)) throw cause;
    throw new AppError(codeOf(cause.code), cause.message, { cause });
  }
}

function codeOf(code: IssueCode): (typeof REFUSALS)[number] {
  switch (code) {
    case 'TOO_LARGE':
      return 'TOO_LARGE';
    case 'UNSUPPORTED':
    case 'NOT_AN_IMAGE':
      return 'UNSUPPORTED_PICTURE';
    default:
      return 'BAD_PICTURE';
  }
}
