/** Pictures as answers of HTTP: what the client may keep, and for how long; what it has already is not sent again. */
import type { Request, Response } from 'express';
import type { CachedHash } from '../services/disk-cache.ts';
import { mediaType, type PictureFormat } from '../services/pictures.ts';
import { cacheControl } from './gate.ts';

export interface AnsweredPicture {
  readonly format: PictureFormat;
  readonly hash: CachedHash;
  /** e.g. "max-age=31536000, immutable" */
  readonly cache: string;
  /** Undefined: to be shown, not saved. */
  readonly saveAs: string | undefined;
}

/** Whether the request may be answered by the hash alone. */
export function mayNeedNoBody({ method, headers }: Request): boolean {
  return method === 'HEAD' || headers['if-none-match'] !== undefined;
}

export function needsNoBody(request: Request, hash: CachedHash): boolean {
  return request.method === 'HEAD' || hasAlready(request, hash);
}

/** `body` is left out where the request needs none. */
export function answerPicture(response: Response, picture: AnsweredPicture, body?: Buffer): void {
  const { format, hash, cache, saveAs } = picture;
  const { req: request } = response;
  response.set({
    'Cache-Control': cacheControl(response, cache),
    ETag: etagOf(hash),
    'X-Content-Type-Options': 'nosniff',
  });
  // Not left to Express: it sends everything again to clients that ask for revalidation.
  if (hasAlready(request, hash)) {
    response.status(304).end();
    return;
  }
  response.set({ 'Content-Type': mediaType(format), 'Content-Length': String(hash.bytes) });
  if (saveAs !== undefined)
    response.set('Content-Disposition', `attachment; filename="${saveAs}-${hash.sha256.slice(0, 12)}.${format}"`);
  response.end(request.method === 'HEAD' ? undefined : body);
}

const etagOf = ({ sha256 }: CachedHash) => `"${sha256}"`;

function hasAlready({ headers }: Request, hash: CachedHash): boolean {
  const known = headers['if-none-match'];
  if (known === undefined) return false;
  if (known.trim() === '*') return true;
  return known.split(',').some((one) => one.trim().replace(/^W\//, '') === etagOf(hash));
}
