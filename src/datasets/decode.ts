/**
 * A file's bytes -> the square RGB tiles of one work, or the whole picture, through sharp under limits. The format is
 * judged by content, only raster formats are loaded, and the same bytes give the same tiles. Opens no files.
 */
import sharp, { type Metadata, type ResizeOptions } from 'sharp';
import { BadPicture } from './entry.ts';
import { metadataBytes } from './metadata-size.ts';
import type { PackLevel } from './pack.ts';
import { readableFault, signatureOf } from './picture-faults.ts';
import { middle, type Pixels, threeChannels, upright } from './pixels.ts';

/**
 * Photographs of museums have 40 to 100 megapixels. What is decoded line by line or shrunk while loading costs little
 * at that size; what must be whole in memory is bounded by MAX_DECODE_BYTES.
 */
export const MAX_PIXELS = 100_000_000;
/** Most memory for decoding one picture, and for all that are decoded at once. */
export const MAX_DECODE_BYTES = 320 * 1024 * 1024;
/** The shorter side of the smallest picture, in pixels. */
export const MIN_SIDE = 16;
/** A picture may be enlarged this many times for the largest tile: 16 pixels to 144, 32 to 288. */
export const MAX_ENLARGEMENT = 9;
/** The longer side over the shorter: handscrolls reach 40. */
export const MAX_ASPECT = 64;
/** Of one picture. `seconds`: of decoding it. */
export interface PictureLimits {
  readonly pixels: number;
  readonly decodeBytes: number;
  /** Times the bytes of its pixels that a picture takes which must be whole in memory. */
  readonly whole: number;
  /** Of EXIF, XMP, colour profile and what else is said beside the pixels. */
  readonly metadataBytes: number;
  readonly seconds: number;
}

const IMPORTS: PictureLimits = {
  pixels: MAX_PIXELS,
  decodeBytes: MAX_DECODE_BYTES,
  whole: 1,
  metadataBytes: Number.POSITIVE_INFINITY,
  seconds: 30,
};
/** What a line-by-line decoder needs, by a generous measure. */
const STREAMING_BYTES = 16 * 1024 * 1024;

// One thread a picture, several pictures at once: the tiles do not depend on the number of cores. No cache: a
// collection's files are read once. Loaders of documents (SVG, PDF) and of formats without a bound stay closed.
sharp.concurrency(1);
sharp.cache(false);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Tiff', 'Nsgif', 'Heif'].map((format) => `VipsForeignLoad${format}`),
});

export interface Header {
  readonly width: number;
  readonly height: number;
  /** EXIF orientation, 1 to 8. */
  readonly orientation: number;
  /** Estimate of the memory that decoding takes, in bytes, besides the file itself. */
  readonly cost: number;
  /** The text that programs write about a picture into its file; not to be trusted. */
  readonly xmp: string | undefined;
}

/**
 * Looks at the header alone. `largest` is the side of the largest tile that will be asked for; 0: of none.
 * @throws BadPicture for what is no picture, or one outside the limits.
 */
export async function inspect(bytes: Uint8Array, largest: number, limits = IMPORTS): Promise<Header> {
  if (bytes.length === 0) throw new BadPicture('EMPTY', 'The file is empty.');
  const closed = signatureOf(bytes);
  if (closed !== undefined) throw closed;
  // Before a decoder copies it; what it finds beyond that is known afterwards.
  checkMetadata(metadataBytes(bytes), limits);
  let found: Metadata;
  try {
    found = await sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata();
  } catch (error) {
    throw readableFault(error, bytes);
  }
  const beside = [found.xmp, found.exif, found.icc, found.iptc, found.tifftagPhotoshop];
  checkMetadata(
    beside.reduce((sum, block) => sum + (block?.length ?? 0), 0),
    limits,
  );
  checkSize(found, largest, limits);
  const cost = decodeCost(found, limits);
  if (cost > limits.decodeBytes)
    throw new BadPicture(
      'TOO_LARGE',
      `Decoding it would take ${Math.ceil(cost / 1e6)} MB of memory (${found.width} x ${found.height}, ${found.format}).`,
    );
  const { width, height, orientation = 1, xmpAsString } = found;
  return { width, height, orientation, cost, xmp: xmpAsString };
}

/**
 * The tiles of a work, one per level, in the pack's byte order: the middle square, upright, in sRGB, on white.
 * @throws BadPicture where the file turns out truncated, damaged or too slow.
 */
export async function decodeTiles(
  bytes: Uint8Array,
  header: Header,
  levels: readonly PackLevel[],
): Promise<Uint8Array> {
  const size = levels.at(-1)?.size ?? 0;
  try {
    // No crop in here: rows outside the square would not be decoded, and a truncated file would pass for a good one.
    const resize = { width: size, height: size, fit: 'outside' } as const;
    const whole = await resizedPixels(bytes, { resize, failOn: 'error', limits: IMPORTS });
    const square = upright({ pixels: middle(whole, size), width: size, height: size }, header.orientation);
    return await allLevels(square.pixels, size, levels);
  } catch (error) {
    throw readableFault(error, bytes);
  }
}

/**
 * The whole picture, upright, in sRGB, on white, its longer side no longer than `longest`; never enlarged.
 * @throws BadPicture where the file turns out truncated, damaged or too slow.
 */
export async function decodePicture(
  bytes: Uint8Array,
  header: Header,
  { longest, limits }: { readonly longest: number; readonly limits: PictureLimits },
): Promise<Pixels> {
  const resize = { width: longest, height: longest, fit: 'inside', withoutEnlargement: true } as const;
  const read = (failOn: 'warning' | 'error') => resizedPixels(bytes, { resize, failOn, limits });
  try {
    return upright(await read('warning'), header.orientation);
  } catch (warning) {
    const fault = readableFault(warning, bytes);
    // A JPEG with too little in it is a warning to its decoder, as are the habits of some cameras, which do no harm.
    const mayBeHarmless = fault instanceof BadPicture && fault.code === 'DAMAGED';
    if (!mayBeHarmless) throw fault;
  }
  try {
    return upright(await read('error'), header.orientation);
  } catch (error) {
    throw readableFault(error, bytes);
  }
}

interface Reading {
  readonly resize: ResizeOptions;
  readonly failOn: 'warning' | 'error';
  readonly limits: PictureLimits;
}

async function resizedPixels(bytes: Uint8Array, { resize, failOn, limits }: Reading): Promise<Pixels> {
  const { data, info } = await sharp(bytes, { failOn, limitInputPixels: limits.pixels, sequentialRead: true })
    .timeout({ seconds: limits.seconds })
    .flatten({ background: '#ffffff' })
    .resize({ ...resize, kernel: 'lanczos3', fastShrinkOnLoad: false })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { pixels: threeChannels(data, info.channels), width: info.width, height: info.height };
}

/** The tiles of a square of planar RGB (all red, all green, all blue), as in the CIFAR binaries. */
export async function planarTiles(planes: Uint8Array, side: number, levels: readonly PackLevel[]): Promise<Uint8Array> {
  const area = side * side;
  const rgb = new Uint8Array(area * 3);
  for (let i = 0; i < area; i++)
    for (let channel = 0; channel < 3; channel++) rgb[i * 3 + channel] = planes[channel * area + i] ?? 0;
  const size = levels.at(-1)?.size ?? 0;
  return allLevels(await resampled(rgb, side, size), size, levels);
}

function checkMetadata(bytes: number, { metadataBytes: most }: PictureLimits): void {
  if (bytes <= most) return;
  const message = `It says ${Math.ceil(bytes / 1e6)} MB beside its pixels (EXIF, XMP, profiles, texts); at most ${Math.floor(most / 1e6)} MB are read.`;
  throw new BadPicture('TOO_LARGE', message);
}

function checkSize({ width, height }: Metadata, largest: number, { pixels }: PictureLimits): void {
  const shorter = Math.min(width, height);
  const least = Math.max(MIN_SIDE, Math.ceil(largest / MAX_ENLARGEMENT));
  if (width * height > pixels)
    throw new BadPicture(
      'TOO_LARGE',
      `It has ${Math.round((width * height) / 1e6)} megapixels (${width} x ${height}); at most ${pixels / 1e6} are read.`,
    );
  if (shorter < least)
    throw new BadPicture('TOO_SMALL', `It is ${width} x ${height}; the shorter side must have ${least} pixels.`);
  if (Math.max(width, height) > shorter * MAX_ASPECT)
    throw new BadPicture('TOO_SMALL', `It is ${width} x ${height}: more than ${MAX_ASPECT} times as long as wide.`);
}

function decodeCost(found: Metadata, { whole: factor }: PictureLimits): number {
  const { width, height, format, channels, depth, isProgressive, chromaSubsampling } = found;
  const pixels = width * height;
  const whole = pixels * (channels ?? 4) * (BYTES_OF.get(depth ?? '') ?? 8);
  switch (format) {
    case 'jpeg': // Progressive: all coefficients, two bytes each, before the first line.
      return (
        STREAMING_BYTES +
        (isProgressive ? pixels * 2 * (chromaSubsampling?.startsWith('4:2:0') ? 1.5 : (channels ?? 4)) : 0)
      );
    case 'png':
      return STREAMING_BYTES + (isProgressive ? whole : 0);
    case 'heif': // Measured: 18 bytes a pixel.
      return STREAMING_BYTES + pixels * 18;
    default: // TIFF may be one strip; WebP and GIF are decoded as RGBA.
      return STREAMING_BYTES + factor * Math.max(whole, format === 'tiff' ? 0 : pixels * 4);
  }
}

const BYTES_OF = new Map([
  ['uchar', 1],
  ['char', 1],
  ['ushort', 2],
  ['short', 2],
  ['uint', 4],
  ['int', 4],
  ['float', 4],
]);

async function allLevels(square: Uint8Array, size: number, levels: readonly PackLevel[]): Promise<Uint8Array> {
  const tiles = new Uint8Array(levels.reduce((sum, level) => sum + level.size * level.size * 3, 0));
  for (const level of levels) tiles.set(await resampled(square, size, level.size), level.offset);
  return tiles;
}

async function resampled(rgb: Uint8Array, from: number, to: number): Promise<Uint8Array> {
  if (from === to) return rgb;
  return sharp(rgb, { raw: { width: from, height: from, channels: 3 } })
    .resize({ width: to, height: to, fit: 'fill', kernel: 'lanczos3' })
    .raw()
    .toBuffer();
}
