/** Errors of the plain routes (pictures, health, bodies that cannot be read) as JSON with a status; faults of ours masked. */
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { AppError, type ErrorCode } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { requestIdOf } from './visit.ts';

const statuses = new Map<ErrorCode, number>([
  ['INVALID_INPUT', 400],
  ['UNAUTHENTICATED', 401],
  ['FORBIDDEN', 403],
  ['NOT_FOUND', 404],
  ['UNKNOWN_MODEL', 404],
  ['UNREADABLE_DATASET', 404],
  ['NO_MODEL', 404],
  ['CONFLICT', 409],
  ['EXPIRED', 410],
  ['TOO_LARGE', 413],
  ['UNSUPPORTED_PICTURE', 415],
  ['BAD_PICTURE', 422],
  ['DISK_FULL', 507],
  ['DATASET_NOT_READY', 503],
  ['ENGINE_UNAVAILABLE', 503],
  ['OVERLOADED', 503],
  ['DATABASE_UNAVAILABLE', 503],
]);

export function notFound(): RequestHandler {
  return (_request, response) => {
    response.status(404).json({ error: { code: 'NOT_FOUND', message: 'There is nothing at this path.' } });
  };
}

/** The last of the handlers. Express knows it by its four parameters. */
export function answerFaults(log: Log): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    // The answer has begun: all that is left is to break it off.
    if (response.headersSent) return next(error);
    // The client has left, and what was done for it was broken off.
    if (response.destroyed) return;
    response.removeHeader('ETag');
    response.set('Cache-Control', 'no-store');
    if (error instanceof AppError) {
      const { code, message, retryable, retryAfterMs } = error;
      if (retryAfterMs !== undefined) response.set('Retry-After', String(Math.ceil(retryAfterMs / 1_000)));
      response.status(statuses.get(code) ?? 500).json({ error: { code, message, retryable, retryAfterMs } });
      return;
    }
    const status = clientFault(error);
    if (status !== undefined) {
      const message = status === 413 ? 'The request is too large.' : 'The request cannot be read.';
      response.status(status).json({ error: { code: 'BAD_REQUEST', message } });
      return;
    }
    const requestId = requestIdOf(response);
    log.error({ err: error, requestId }, 'A request failed');
    const message = 'Something went wrong on the server. Its log has the details under the request id.';
    response.status(500).json({ error: { code: 'INTERNAL_SERVER_ERROR', message, requestId } });
  };
}

/** The status of an error that Express or its body reader blames on the request. */
export function clientFault(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  return error.status >= 400 && error.status < 500 ? error.status : undefined;
}
