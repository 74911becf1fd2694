/** Addresses of pictures, as they are given out; server/picture-route.ts serves them. */
import { checkWidth } from '../services/pictures.ts';
import type { Context } from './context.ts';
import type { ImageFormat } from './enums.ts';

const extensions: Readonly<Record<ImageFormat, string>> = { PNG: 'png', WEBP: 'webp', JPEG: 'jpg', AVIF: 'avif' };

export interface PictureArgs {
  readonly format?: ImageFormat | null | undefined;
  readonly width?: number | null | undefined;
}

export type PictureKind = 'images' | 'artworks' | 'samples';

export function pictureUrl(
  context: Pick<Context, 'baseUrl' | 'signsUrls' | 'signatures'>,
  path: readonly [PictureKind, string],
  { format, width }: PictureArgs,
): string {
  const [kind, id] = path;
  checkWidth(width ?? undefined);
  const file = `/${kind}/${encodeURIComponent(id)}.${extensions[format ?? 'PNG']}`;
  const query = width === null || width === undefined ? '' : `?w=${width}`;
  const what = `${file}${query}`;
  if (!context.signsUrls) return `${context.baseUrl}${what}`;
  const { expires, mark } = context.signatures.sign(what);
  return `${context.baseUrl}${what}${query === '' ? '?' : '&'}e=${expires}&s=${mark}`;
}

/** Files of an export lie beside each other: the signature is a folder, so that one file finds the others. */
export function exportUrl(
  { baseUrl, signsUrls, signatures }: Pick<Context, 'baseUrl' | 'signsUrls' | 'signatures'>,
  { model, format, file }: { readonly model: string; readonly format: string; readonly file: string },
): string {
  const folder = `/exports/${model}/${format}`;
  if (!signsUrls) return `${baseUrl}${folder}/${file}`;
  const { expires, mark } = signatures.sign(folder);
  return `${baseUrl}${folder}/${expires}.${mark}/${file}`;
}
