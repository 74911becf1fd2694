/**
 * Where the files of uploads are sent: PUT, the bytes as they are. Who has the signed address needs nothing else; a key that
 * may have pictures painted opens the addresses of its own uploads. Nothing is known of a file by its name or its type.
 */
import type { IncomingHttpHeaders } from 'node:http';
import express, { type Request, type RequestHandler, type Router } from 'express';
import { mayUse, type Viewer } from '../core/access.ts';
import { AppError, asAppError } from '../core/errors.ts';
import { encodeGlobalId } from '../core/global-id.ts';
import type { Services } from '../resolvers/context.ts';
import { MOST_UPLOAD_BYTES } from '../services/upload-body.ts';
import { keyIn } from './visit.ts';

type UploadParts = Pick<Services, 'uploads' | 'access'>;

/** Read from a client whose file was refused and that goes on sending, so that it may read why. */
const MOST_DISCARDED = 2 * MOST_UPLOAD_BYTES;

/** `trusted`: refuses pages of other sites. */
export function uploadRoutes(parts: UploadParts, trusted: RequestHandler): Router {
  const router = express.Router();
  router.put('/uploads/:id', trusted, async (request: Request<{ id: string }>, response) => {
    const left = new AbortController();
    response.once('close', () => left.abort());
    try {
      const viewer = await senderOf(parts, request);
      const length = lengthIn(request.headers);
      // The stream is left open for whatever else is to be read: with it would go the connection, and the answer.
      const body = request.iterator({ destroyOnReturn: false });
      const row = await parts.uploads.receive(request.params.id, { viewer, body, length, signal: left.signal });
      const { id, status, width, height, sha256 } = row;
      response.set('Cache-Control', 'no-store');
      response.json({ id: encodeGlobalId('Upload', id), status, width, height, sha256 });
    } catch (error) {
      discard(request);
      throw asAppError(error) ?? error;
    }
  });
  router.all('/uploads/:id', (_request, response) => {
    const message = 'The file of an upload is sent here by PUT, as it is.';
    response
      .status(405)
      .set('Allow', 'PUT')
      .json({ error: { code: 'METHOD_NOT_ALLOWED', message } });
  });
  return router;
}

/** Undefined: whoever has the signed address. @throws AppError UNAUTHENTICATED, FORBIDDEN, NOT_FOUND */
async function senderOf(
  { uploads, access }: UploadParts,
  request: Request<{ id: string }>,
): Promise<Viewer | undefined> {
  const { id } = request.params;
  if (!/^[\w-]{1,64}$/.test(id)) throw new AppError('NOT_FOUND', 'There is no such upload.');
  const { e, s } = request.query;
  if (typeof e === 'string' && typeof s === 'string' && uploads.isSigned(id, { expires: Number(e), mark: s }))
    return undefined;
  const viewer = await access.viewer(keyIn(request.headers.authorization));
  if (mayUse(viewer, 'generate')) return viewer;
  const message = 'This address has no signature that is good. Ask for it with createUpload, or come with an API key.';
  throw new AppError(viewer.kind === 'nobody' ? 'UNAUTHENTICATED' : 'FORBIDDEN', message);
}

/** What the client says. @throws AppError UNSUPPORTED_PICTURE, INVALID_INPUT for bodies that are not the file as it is */
function lengthIn(headers: IncomingHttpHeaders): number | undefined {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity')
    throw new AppError('UNSUPPORTED_PICTURE', 'Send the file as it is, without a Content-Encoding.');
  if (/^multipart\//i.test(headers['content-type'] ?? ''))
    throw new AppError('UNSUPPORTED_PICTURE', 'Send the bytes of the file alone, not as a form.');
  if (headers['content-range'] !== undefined)
    throw new AppError('INVALID_INPUT', 'Send the whole file at once, without a Content-Range.');
  return headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
}

/** Not kept; who does not come to an end is cut off. */
function discard(request: Request): void {
  let bytes = 0;
  request.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > MOST_DISCARDED) request.destroy();
  });
  request.on('error', () => undefined);
  request.resume();
}
