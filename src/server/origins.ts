/**
 * Which web pages may talk to this server from a browser: those that it serves itself, those under PUBLIC_URL, and any
 * on the visitor's own machine, where web developers work. Programs that are no browsers send no Origin and pass.
 */
import type { RequestHandler } from 'express';

const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export interface Visit {
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

export function isTrusted({ origin, host }: Visit, publicUrl: string): boolean {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const page = new URL(origin);
  if (page.host === host || LOOPBACK.test(page.hostname)) return true;
  return publicUrl !== '' && page.origin === new URL(publicUrl).origin;
}

/**
 * Whether the server is asked by a name of its own. A page of another site can give its own name this machine's address
 * (DNS rebinding) and is then no other site to the browser; where no key is wanted, only the name tells.
 */
export function isOwnName(host: string | undefined, { publicUrl, listensOn }: OwnNames): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  if (LOOPBACK.test(hostname) || hostname === listensOn) return true;
  return publicUrl !== '' && hostname === new URL(publicUrl).hostname;
}

export interface OwnNames {
  readonly publicUrl: string;
  readonly listensOn: string;
}

/** Lets trusted pages read the answers. What others may not read they cannot ask either: simple requests are refused. */
export function crossOrigin(publicUrl: string): RequestHandler {
  return (request, response, next) => {
    const { origin, host } = request.headers;
    response.vary('Origin');
    if (origin !== undefined && isTrusted({ origin, host }, publicUrl)) {
      response.set('Access-Control-Allow-Origin', origin);
      response.set('Access-Control-Expose-Headers', 'X-Request-Id, Retry-After, Idempotency-Replayed');
      if (request.method === 'OPTIONS') {
        response.set('Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT');
        response.set(
          'Access-Control-Allow-Headers',
          request.header('Access-Control-Request-Headers') ?? 'Content-Type',
        );
        response.set('Access-Control-Max-Age', '600');
        response.status(204).end();
        return;
      }
    }
    next();
  };
}
