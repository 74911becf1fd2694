/**
 * A file's bytes -> the square RGB tiles of one work, through sharp under limits. The format is judged by content,
 * only raster formats are loaded, and the same bytes give the same tiles. Opens no files.
 */
import sharp, { type Metadata, type OutputInfo } from 'sharp';
import { BadPicture } from './entry.ts';
import type { PackLevel } from './pack.ts';
import { readableFault, signatureOf } from './picture-faults.ts';

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
const TIMEOUT_SECONDS = 30;
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
}

/**
 * Looks at the header alone. `largest` is the side of the largest tile that will be asked for.
 * @throws BadPicture for what is no picture, or one outside the limits.
 */
export async function inspect(bytes: Uint8Array, largest: number): Promise<Header> {
  if (bytes.length === 0) throw new BadPicture('EMPTY', 'The file is empty.');
  const closed = signatureOf(bytes);
  if (closed !== undefined) throw closed;
  let found: Metadata;
  try {
    found = await sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata();
  } catch (error) {
    throw readableFault(error, bytes);
  }
  checkSize(found.width, found.height, largest);
  const cost = decodeCost(found);
  if (cost > MAX_DECODE_BYTES)
    throw new BadPicture(
      'TOO_LARGE',
      `Decoding it would take ${Math.ceil(cost / 1e6)} MB of memory (${found.width} x ${found.height}, ${found.format}).`,
    );
  return { width: found.width, height: found.height, orientation: found.orientation ?? 1, cost };
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
    const { data, info } = await sharp(bytes, { failOn: 'error', limitInputPixels: MAX_PIXELS, sequentialRead: true })
      .timeout({ seconds: TIMEOUT_SECONDS })
      .flatten({ background: '#ffffff' })
      .resize({ width: size, height: size, fit: 'outside', kernel: 'lanczos3', fastShrinkOnLoad: false })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const square = upright(middle(data, info, size), size, header.orientation);
    return await allLevels(square, size, levels);
  } catch (error) {
    throw readableFault(error, bytes);
  }
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

function checkSize(width: number, height: number, largest: number): void {
  const shorter = Math.min(width, height);
  const least = Math.max(MIN_SIDE, Math.ceil(largest / MAX_ENLARGEMENT));
  if (width * height > MAX_PIXELS)
    throw new BadPicture(
      'TOO_LARGE',
      `It has ${Math.round((width * height) / 1e6)} megapixels (${width} x ${height}); at most ${MAX_PIXELS / 1e6} are read.`,
    );
  if (shorter < least)
    throw new BadPicture('TOO_SMALL', `It is ${width} x ${height}; the shorter side must have ${least} pixels.`);
  if (Math.max(width, height) > shorter * MAX_ASPECT)
    throw new BadPicture('TOO_SMALL', `It is ${width} x ${height}: more than ${MAX_ASPECT} times as long as wide.`);
}

function decodeCost({ width, height, format, channels, depth, isProgressive, chromaSubsampling }: Metadata): number {
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
      return STREAMING_BYTES + Math.max(whole, format === 'tiff' ? 0 : pixels * 4);
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

/** Cuts the middle square out of interleaved pixels with 1 or 3 channels. */
function middle(data: Uint8Array, { width, height, channels }: OutputInfo, size: number): Uint8Array {
  if (width < size || height < size || (channels !== 1 && channels !== 3))
    throw new Error(`Unexpected pixels: ${width} x ${height} x ${channels} for a square of ${size}`);
  const left = (width - size) >> 1;
  const top = (height - size) >> 1;
  const square = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    const row = ((top + y) * width + left) * channels;
    if (channels === 3) square.set(data.subarray(row, row + size * 3), y * size * 3);
    else for (let i = 0; i < size * 3; i++) square[y * size * 3 + i] = data[row + Math.floor(i / 3)] ?? 0;
  }
  return square;
}

/**
 * Turns a square as its EXIF orientation asks. The square is turned, not the photograph, so that a photograph of 100
 * megapixels that lies on its side needs no copy in memory.
 */
function upright(square: Uint8Array, size: number, orientation: number): Uint8Array {
  if (orientation <= 1 || orientation > 8) return square;
  const last = size - 1;
  const out = new Uint8Array(square.length);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [fromX, fromY] = sourceOf(orientation, { x, y, last });
      const from = (fromY * size + fromX) * 3;
      out.set(square.subarray(from, from + 3), (y * size + x) * 3);
    }
  }
  return out;
}

/** Where the upright pixel (x, y) lies in the stored square. */
function sourceOf(orientation: number, { x, y, last }: { x: number; y: number; last: number }): [number, number] {
  switch (orientation) {
    case 2:
      return [last - x, y];
    case 3:
      return [last - x, last - y];
    case 4:
      return [x, last - y];
    case 5:
      return [y, x];
    case 6:
      return [y, last - x];
    case 7:
      return [last - y, last - x];
    case 8:
      return [last - y, x];
    default:
      return [x, y];
  }
}

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
