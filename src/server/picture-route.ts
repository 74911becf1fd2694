/**
 * Pictures by their URLs: generated ones by their recipe, contact sheets and animations by theirs, works of collections, grids
 * of training runs. What a client has already it is told so without anything being read or painted. Writes nothing that lasts.
 */
import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import type { Services } from '../resolvers/context.ts';
import type { Original } from '../services/delivery.ts';
import { artworkOriginal, imageOriginal, sampleOriginal } from '../services/originals.ts';
import type { Asker } from '../services/painting.ts';
import type { Blobs } from '../store/blobs.ts';
import { answerPicture, mayNeedNoBody, needsNoBody } from './picture-answer.ts';
import { askedPicture, MOVING } from './picture-request.ts';
import { addressOf } from './visit.ts';

export type PictureParts = Pick<Services, 'animations' | 'db' | 'delivery' | 'imports' | 'painting' | 'sheets'> & {
  readonly blobs: Blobs;
  readonly trustProxy: boolean;
};

interface Served {
  /** In the path, e.g. "images". */
  readonly folder: string;
  /** Of a saved file. */
  readonly name: string;
  readonly cache: string;
  readonly formats?: Parameters<typeof askedPicture>[1];
  original(id: string): Original | Promise<Original>;
}

/** The same URL gives the same bytes for ever. */
const FOR_EVER = 'max-age=31536000, immutable';
/** A work's square may change when its collection is imported again. */
const UNTIL_CHANGED = 'max-age=300';

export function pictureRoutes(parts: PictureParts, gate: RequestHandler): Router {
  const { animations, painting, sheets } = parts;
  const router = express.Router();
  const served: readonly Served[] = [
    { folder: 'images', name: 'picture', cache: FOR_EVER, original: (id) => imageOriginal(painting, id) },
    { folder: 'samples', name: 'sample', cache: FOR_EVER, original: (id) => sampleOriginal(parts, id) },
    { folder: 'artworks', name: 'work', cache: UNTIL_CHANGED, original: (id) => artworkOriginal(parts, id) },
    { folder: 'sheets', name: 'sheet', cache: FOR_EVER, original: (id) => sheets.original(id) },
    {
      ...{ folder: 'animations', name: 'animation', cache: FOR_EVER, formats: MOVING },
      original: (id) => animations.original(id),
    },
  ];
  for (const what of served) {
    router.use(`/${what.folder}`, gate);
    router.get(`/${what.folder}/:file`, (request: Request<{ file: string }>, response) =>
      serve(parts, what, { request, response }),
    );
  }
  return router;
}

interface Exchange {
  readonly request: Request<{ file: string }>;
  readonly response: Response;
}

async function serve(parts: PictureParts, what: Served, { request, response }: Exchange): Promise<void> {
  const { delivery, trustProxy } = parts;
  const { id, encoding, isNegotiated, isDownload } = askedPicture(request, what.formats);
  if (isNegotiated) response.vary('Accept');
  if (encoding === undefined) return refuse(response);
  const original = await what.original(id);
  const picture = { format: encoding.format, cache: what.cache, saveAs: isDownload ? what.name : undefined };
  const known = mayNeedNoBody(request) ? await delivery.known(original, encoding) : undefined;
  if (known !== undefined && needsNoBody(request, known)) return answerPicture(response, { ...picture, hash: known });
  const { body, sha256 } = await delivery.bytes(original, encoding, askerOf({ request, response }, trustProxy));
  answerPicture(response, { ...picture, hash: { sha256, bytes: body.byteLength } }, body);
}

/** Who leaves waits no longer. Addresses take turns. */
function askerOf({ request, response }: Exchange, trustProxy: boolean): Asker {
  const left = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) left.abort();
  });
  return { client: `address:${addressOf(request, trustProxy)}`, signal: left.signal };
}

function refuse(response: Response): void {
  const message = 'Pictures are served as image/avif, image/webp, image/jpeg and image/png: the request accepts none.';
  response.status(406).json({ error: { code: 'NOT_ACCEPTABLE', message, retryable: false } });
}
