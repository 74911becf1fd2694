/** What a request says about who asks and the way to this server, and the id under which the log tells of it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import type { Viewer } from '../core/access.ts';
import { viewerId } from '../core/access.ts';
import type { Context, Services } from '../resolvers/context.ts';
import { createLoaders } from '../resolvers/loaders.ts';

const requestIds = new AsyncLocalStorage<string>();

/** Of the request that is being worked on; a new one outside of any. */
export function currentRequestId(): string {
  return requestIds.getStore() ?? randomUUID();
}

export function asRequest<T>(id: string, work: () => T): T {
  return requestIds.run(id, work);
}

/** Gives every request an id, for the log and for the client. */
export function withRequestId(): RequestHandler {
  return (_request, response, next) => {
    const id = randomUUID();
    response.set('X-Request-Id', id);
    requestIds.run(id, next);
  };
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
  readonly requestId: string;
  readonly signal?: AbortSignal | undefined;
  /** The Idempotency-Key of the request. */
  readonly idempotencyKey?: string | undefined;
}

export function createContext(services: Services, visit: Visit, signsUrls: boolean): Context {
  const { viewer, baseUrl, requestId, signal, idempotencyKey } = visit;
  const load = createLoaders(services.db, { cache: true });
  const wishId: Context['wishId'] = ({ fieldName, path }) =>
    idempotencyKey === undefined ? undefined : uuidOf(`${viewerId(viewer)} ${fieldName} ${path.key} ${idempotencyKey}`);
  return { ...services, load, viewer, baseUrl, signsUrls, requestId, signal, wishId };
}

/** The same text gives the same id. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
