/** Addresses of pictures, as they are given out; server/picture-route.ts serves them. */
import { checkWidth } from '../services/pictures.ts';
import type { Context } from './context.ts';
import type { ImageFormat } from './enums.ts';

const extensions: Readonly<Record<ImageFormat, string>> = { PNG: 'png', WEBP: 'webp', JPEG: 'jpg', AVIF: 'avif' };

export interface PictureArgs {
  readonly format?: ImageFormat | null | undefined;
  readonly width?: number | null | undefined;
}

export type PictureKind = 'images' | 'artworks' | 'samples' | 'sheets' | 'animations';

type Addressing = Pick<Context, 'baseUrl' | 'signsUrls' | 'signatures'>;

export function pictureUrl(
  context: Addressing,
  [kind, id]: readonly [PictureKind, string],
  { format, width }: PictureArgs,
): string {
  return addressOf(context, `/${kind}/${encodeURIComponent(id)}.${extensions[format ?? 'PNG']}`, width);
}

/** Without a format: the request's Accept header chooses it. */
export function negotiatedUrl(
  context: Addressing,
  [kind, id]: readonly [PictureKind, string],
  width: number | null | undefined,
): string {
  return addressOf(context, `/${kind}/${encodeURIComponent(id)}`, width);
}

/** A file that has no other sizes or formats. */
export function fileUrl(context: Addressing, path: string): string {
  return addressOf(context, path, undefined);
}

/** Files of an export lie beside each other: the signature is a folder, so that one file finds the others. */
export function exportUrl(
  { baseUrl, signsUrls, signatures }: Addressing,
  { model, format, file }: { readonly model: string; readonly format: string; readonly file: string },
): string {
  const folder = `/exports/${model}/${format}`;
  if (!signsUrls) return `${baseUrl}${folder}/${file}`;
  const { expires, mark } = signatures.sign(folder);
  return `${baseUrl}${folder}/${expires}.${mark}/${file}`;
}

/** @throws AppError INVALID_INPUT where `width` is given and not 16..2048 */
function addressOf({ baseUrl, signsUrls, signatures }: Addressing, path: string, width: number | null | undefined) {
  checkWidth(width ?? undefined);
  const what = width === null || width === undefined ? path : `${path}?w=${width}`;
  if (!signsUrls) return `${baseUrl}${what}`;
  const { expires, mark } = signatures.sign(what);
  return `${baseUrl}${what}${what === path ? '?' : '&'}e=${expires}&s=${mark}`;
}
