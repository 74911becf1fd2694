/** Pictures by their URLs: generated ones by their recipe, works of collections, grids of training runs. Writes nothing. */
import { createHash } from 'node:crypto';
import express, { type RequestHandler, type Response, type Router } from 'express';
import { AppError } from '../core/errors.ts';
import type { Services } from '../resolvers/context.ts';
import { type Encoding, encodePixels, encodePng, mediaType, type PictureFormat } from '../services/pictures.ts';
import type { Blobs } from '../store/blobs.ts';
import { artworksByIds, datasetsByIds } from '../store/datasets.ts';
import { sampleById } from '../store/run-log.ts';
import { cacheControl } from './gate.ts';

export type PictureParts = Pick<Services, 'db' | 'imports' | 'generation'> & { readonly blobs: Blobs };

const formats = new Map<string, PictureFormat>([
  ['png', 'png'],
  ['webp', 'webp'],
  ['jpg', 'jpeg'],
  ['jpeg', 'jpeg'],
  ['avif', 'avif'],
]);

/** The same URL gives the same bytes for ever. */
const FOR_EVER = 'max-age=31536000, immutable';
/** A work's square may change when its collection is imported again. */
const UNTIL_CHANGED = 'max-age=300';

export function pictureRoutes(parts: PictureParts, gate: RequestHandler): Router {
  const router = express.Router();
  router.use(['/images', '/samples', '/artworks'], gate);
  router.get('/images/:file', async (request, response) => {
    const { id, encoding } = asked(request.params.file, request.query['w']);
    const left = new AbortController();
    response.once('close', () => left.abort());
    const { body, sha256 } = await parts.generation.bytes(id, encoding, left.signal);
    send(response, { body, sha256, encoding, cache: FOR_EVER });
  });
  router.get('/samples/:file', async (request, response) => {
    const { id, encoding } = asked(request.params.file, request.query['w']);
    const body = await samplePicture(parts, id, encoding);
    send(response, { body, encoding, cache: FOR_EVER });
  });
  router.get('/artworks/:file', async (request, response) => {
    const { id, encoding } = asked(request.params.file, request.query['w']);
    const body = await artworkPicture(parts, id, encoding);
    send(response, { body, encoding, cache: UNTIL_CHANGED });
  });
  return router;
}

async function samplePicture({ db, blobs }: PictureParts, id: string, encoding: Encoding): Promise<Buffer> {
  const event = await sampleById(db, id);
  const png = event?.body.type === 'sample' ? await blobs.get(event.body.sha256, 'png') : undefined;
  if (png === undefined) throw new AppError('NOT_FOUND', 'There is no such sample.');
  return encoding.format === 'png' && encoding.width === undefined ? png : encodePng(png, encoding);
}

async function artworkPicture({ db, imports }: PictureParts, id: string, encoding: Encoding): Promise<Buffer> {
  const [artwork] = await artworksByIds(db, [id]);
  const [dataset] = artwork === undefined ? [] : await datasetsByIds(db, [artwork.datasetId]);
  if (artwork === undefined || dataset === undefined) throw new AppError('NOT_FOUND', 'There is no such work.');
  const { pixels, size } = await imports.tilePicture(artwork, dataset);
  return encodePixels({ pixels, width: size, height: size }, encoding);
}

/** `<id>.<extension>` and `?w=`. @throws AppError INVALID_INPUT or NOT_FOUND */
function asked(file: string, width: unknown): { id: string; encoding: Encoding } {
  const [, id, extension] = /^([\w-]+)\.([a-z]+)$/.exec(file) ?? [];
  if (id === undefined || extension === undefined) throw new AppError('NOT_FOUND', 'There is no such picture.');
  const format = formats.get(extension);
  if (format === undefined) {
    const known = [...formats.keys()].join(', ');
    throw new AppError('INVALID_INPUT', `Pictures are served as ${known}, not as ${extension}.`);
  }
  if (width === undefined) return { id, encoding: { format } };
  // Anything that is no number is refused with the bounds, like a number outside of them.
  return { id, encoding: { format, width: typeof width === 'string' && /^\d{1,6}$/.test(width) ? Number(width) : -1 } };
}

interface Sent {
  readonly body: Buffer;
  readonly sha256?: string;
  readonly encoding: Encoding;
  readonly cache: string;
}

/** Express leaves out the body of a HEAD. */
function send(response: Response, { body, sha256, encoding, cache }: Sent): void {
  const etag = `"${sha256 ?? createHash('sha256').update(body).digest('hex')}"`;
  response.set({ 'Cache-Control': cacheControl(response, cache), ETag: etag, 'X-Content-Type-Options': 'nosniff' });
  // Not left to Express: it sends everything again to clients that ask for revalidation.
  if (isKnown(etag, response.req.headers['if-none-match'])) {
    response.status(304).end();
    return;
  }
  response.type(mediaType(encoding.format)).send(body);
}

function isKnown(etag: string, known: string | undefined): boolean {
  if (known === undefined) return false;
  return known.trim() === '*' || known.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
}
