/**
 * Pixels to encoded pictures and from one format to another. The only place besides datasets/decode.ts that knows sharp.
 * Settings are fixed: the same pixels give the same bytes.
 */
import sharp, { type Sharp } from 'sharp';
import { AppError } from '../core/errors.ts';

export const PICTURE_FORMATS = ['png', 'webp', 'jpeg', 'avif'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

export interface RgbPicture {
  /** height x width x 3 bytes. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface Encoding {
  readonly format: PictureFormat;
  /** Pixels; the height follows. Left out: as it is. */
  readonly width?: number | undefined;
}

const MIN_WIDTH = 16;
const MAX_WIDTH = 2_048;
/** Grids of samples are the largest pictures here; sharp's own limit of 268 million is far above them. */
const MAX_PIXELS = 64_000_000;

export function mediaType(format: PictureFormat): string {
  return `image/${format}`;
}

/** @throws AppError INVALID_INPUT where `width` is not 16..2048. */
export async function encodePixels({ pixels, width, height }: RgbPicture, encoding: Encoding): Promise<Buffer> {
  return encode(sharp(pixels, { raw: { width, height, channels: 3 }, limitInputPixels: MAX_PIXELS }), encoding);
}

/** Encodes a PNG of ours again; the recipe in it stays. @throws AppError INVALID_INPUT where `width` is not 16..2048. */
export async function encodePng(png: Buffer, encoding: Encoding): Promise<Buffer> {
  return encode(sharp(png, { limitInputPixels: MAX_PIXELS }).keepXmp(), encoding);
}

/** A square picture as side x side x 3 bytes, as the networks take it. */
export function squareOfPixels({ pixels, width, height }: RgbPicture, side: number): Promise<Buffer> {
  return square(sharp(pixels, { raw: { width, height, channels: 3 } }), side);
}

/** The same of a PNG of ours. */
export function squareOfPng(png: Buffer, side: number): Promise<Buffer> {
  return square(sharp(png, { limitInputPixels: MAX_PIXELS }), side);
}

function square(picture: Sharp, side: number): Promise<Buffer> {
  return picture.resize({ width: side, height: side, fit: 'fill', kernel: 'lanczos3' }).removeAlpha().raw().toBuffer();
}

/** @throws AppError INVALID_INPUT where `width` is given and not 16..2048. */
export function checkWidth(width: number | undefined): void {
  if (width === undefined || (Number.isInteger(width) && width >= MIN_WIDTH && width <= MAX_WIDTH)) return;
  throw new AppError('INVALID_INPUT', `width must be a whole number from ${MIN_WIDTH} to ${MAX_WIDTH}.`, {
    path: ['width'],
  });
}

function encode(picture: Sharp, { format, width }: Encoding): Promise<Buffer> {
  if (width === undefined) return write(picture, format).toBuffer();
  checkWidth(width);
  return write(picture.resize({ width, kernel: 'lanczos3' }), format).toBuffer();
}

function write(picture: Sharp, format: PictureFormat): Sharp {
  switch (format) {
    case 'png':
      return picture.png({ compressionLevel: 6, adaptiveFiltering: false, palette: false });
    case 'webp':
      return picture.webp({ quality: 90, effort: 4 });
    case 'jpeg':
      return picture.jpeg({ quality: 92, chromaSubsampling: '4:4:4' });
    case 'avif':
      return picture.avif({ quality: 70, effort: 2 });
  }
}
