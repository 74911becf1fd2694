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
  { baseUrl }: Context,
  path: readonly [PictureKind, string],
  { format, width }: PictureArgs,
): string {
  const [kind, id] = path;
  checkWidth(width ?? undefined);
  const query = width === null || width === undefined ? '' : `?w=${width}`;
  return `${baseUrl}/${kind}/${encodeURIComponent(id)}.${extensions[format ?? 'PNG']}${query}`;
}
