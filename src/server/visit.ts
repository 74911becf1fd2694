/** What a request says about who asks and the way to this server, and the id under which the log tells of it. */
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Viewer } from '../core/access.ts';
import { viewerId } from '../core/access.ts';
import type { Context, Services } from '../resolvers/context.ts';
import { createLoaders, type Loaders } from '../resolvers/loaders.ts';

const REQUEST_ID = 'X-Request-Id';

/** Gives every request an id, for the log and for the client. */
export function withRequestId(): RequestHandler {
  return (_request, response, next) => {
    response.setHeader(REQUEST_ID, randomUUID());
    next();
  };
}

/** Of the request that is answered. */
export function requestIdOf(response: Pick<ServerResponse, 'getHeader'>): string {
  return String(response.getHeader(REQUEST_ID) ?? randomUUID());
}

/** Base of the URLs in answers: as configured, or else as the client has reached this server. */
export function baseUrlOf({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>, publicUrl: string): string {
  if (publicUrl !== '') return publicUrl;
  const url = `http://${headers.host ?? ''}`;
  if (/^[\w.:[\]-]+$/.test(headers.host ?? '') && URL.canParse(url)) return url;
  return `http://${socket.localFamily === 'IPv6' ? `[${socket.localAddress}]` : socket.localAddress}:${socket.localPort}`;
}

/** Of the client, or of the last proxy before this server where that is trusted to tell. */
export function addressOf(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  trustProxy: boolean,
): string {
  const told = headers['x-forwarded-for'];
  const last = trustProxy
    ? String(told ?? '')
        .split(',')
        .at(-1)
        ?.trim()
    : undefined;
  return last || (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
}

/** The key in `authorization: Bearer <key>`. */
export function keyIn(authorization: unknown): string | undefined {
  if (typeof authorization !== 'string' || authorization === '') return undefined;
  return /^bearer +(\S+)$/i.exec(authorization.trim())?.[1] ?? authorization;
}

/** Who asks, and how they have come. */
export interface Visit {
  readonly viewer: Viewer;
  readonly baseUrl: string;
  /** Of the client. */
  readonly address: string;
  readonly requestId: string;
  readonly signal?: AbortSignal | undefined;
  /** The Idempotency-Key of the request. */
  readonly idempotencyKey?: string | undefined;
}

/** Who takes turns with whom: keys, or addresses where no keys are wanted. */
export function clientOf({ viewer, address }: Pick<Visit, 'viewer' | 'address'>): string {
  return viewer.kind === 'key' ? viewerId(viewer) : `address:${address}`;
}

export type ContextOf = (visit: Visit) => Context;

/** How the context of an operation is made. `signsUrls`: whether addresses of pictures need a signature now. */
export function contextsOf(services: Services, signsUrls: () => boolean): ContextOf {
  // What all have in common is their prototype: Apollo Server copies each context, and most of it is this.
  const common = {
    ...services,
    loaders: undefined as Loaders | undefined,
    /** Made when something is read: most operations that paint read nothing. */
    get load(): Loaders {
      this.loaders ??= createLoaders(services.db);
      return this.loaders;
    },
  };
  return (visit) => {
    const { viewer, baseUrl, requestId, signal, idempotencyKey } = visit;
    const asker = { client: clientOf(visit), signal };
    const wishId: Context['wishId'] = ({ fieldName, path }) =>
      idempotencyKey === undefined
        ? undefined
        : uuidOf(`${viewerId(viewer)} ${fieldName} ${path.key} ${idempotencyKey}`);
    const own = { viewer, asker, baseUrl, signsUrls: signsUrls(), requestId, signal, wishId };
    return Object.assign(Object.create(common) as typeof common, own);
  };
}

/** The same text gives the same id. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
