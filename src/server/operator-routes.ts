/** For those who run the server: Prometheus' numbers. On a port of their own, or on the server's for administrators. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import express, { type RequestHandler, type Router } from 'express';
import { mayUse } from '../core/access.ts';
import { AppError } from '../core/errors.ts';
import type { AccessService } from '../services/access.ts';
import type { Meters } from './meters.ts';
import { keyIn } from './visit.ts';

const PATH = '/metrics';

function answer(meters: Meters): RequestHandler {
  return async (_request, response) => {
    const text = await meters.text();
    response.set('Cache-Control', 'no-store').set('Content-Type', meters.contentType).end(text);
  };
}

/** On the server's own port: an open server shows them to this machine, any other to an admin's key. */
export function metricsRoute(meters: Meters, access: AccessService): Router {
  const router = express.Router();
  router.get(PATH, async (request, response, next) => {
    const viewer = await access.viewer(keyIn(request.headers.authorization));
    if (viewer.kind === 'nobody') throw new AppError('UNAUTHENTICATED', 'The metrics want an API key of an admin.');
    if (!mayUse(viewer, 'admin')) throw new AppError('FORBIDDEN', 'The metrics want an API key of an admin.');
    return answer(meters)(request, response, next);
  });
  return router;
}

/** On a port of their own, for whoever reaches it. @throws AppError INVALID_CONFIG */
export async function listenForMetrics(
  meters: Meters,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<AsyncDisposable & { readonly port: number }> {
  const app = express().disable('x-powered-by').get(PATH, answer(meters));
  const server = createServer(app).listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new AppError('INVALID_CONFIG', `METRICS_PORT=${port} cannot be had on ${host}: ${String(cause)}`, { cause });
  }
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
