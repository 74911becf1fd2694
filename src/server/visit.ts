/** What a request says about the way to this server, and the id under which the log tells of it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import type { Context, Services } from '../resolvers/context.ts';
import { createLoaders } from '../resolvers/loaders.ts';

const requestIds = new AsyncLocalStorage<string>();

/** Of the request that is being worked on; a new one outside of any. */
export function currentRequestId(): string {
  return requestIds.getStore() ?? randomUUID();
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

export interface ContextScope {
  readonly baseUrl: string;
  readonly requestId: string;
  /** A stream outlives the rows that it reads: its loaders remember nothing. */
  readonly stream?: boolean;
}

export function createContext(services: Services, { baseUrl, requestId, stream = false }: ContextScope): Context {
  return { ...services, load: createLoaders(services.db, { cache: !stream }), baseUrl, requestId };
}
