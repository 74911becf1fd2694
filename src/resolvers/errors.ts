/** What clients are told of an error: the user's mistakes with their code, everything else masked and logged. */
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { asAppError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';

export interface ErrorScope {
  readonly log: Log;
  readonly requestId: string;
}

const MASKED = 'Something went wrong on the server. Its log has the details under the request id.';

/** For Apollo, WebSocket and every other transport alike. */
export function formatted(error: GraphQLError, scope: ErrorScope): GraphQLFormattedError {
  const plain = error.toJSON();
  const place = {
    ...(plain.locations === undefined ? {} : { locations: plain.locations }),
    ...(plain.path === undefined ? {} : { path: plain.path }),
  };
  const cause = originOf(error);
  const { requestId } = scope;
  const told = asAppError(cause);
  if (told !== undefined) {
    const { message, code, path, suggestions, retryable, retryAfterMs } = told;
    const input = path === undefined ? {} : { path };
    const hints = suggestions.length === 0 ? {} : { suggestions };
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
    return { message, ...place, extensions: { code, retryable, ...input, ...hints, ...wait, requestId } };
  }
  if (isOfGraphQL(error, cause)) {
    const code = plain.extensions?.['code'] ?? 'BAD_USER_INPUT';
    return { message: plain.message, ...place, extensions: { code, retryable: false, requestId } };
  }
  scope.log.error({ err: cause, requestId, path: plain.path }, 'An operation failed');
  // What has failed by a fault of ours may work the next time.
  return { message: MASKED, ...place, extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: true, requestId } };
}

function originOf(error: unknown): unknown {
  let origin = error;
  while (origin instanceof GraphQLError && origin.originalError !== undefined && origin.originalError !== null)
    origin = origin.originalError;
  return origin;
}

/** graphql-js and Apollo speak of the request itself: syntax, validation, variables. Nothing of ours hides in these. */
function isOfGraphQL(error: unknown, cause: unknown): boolean {
  if (!(error instanceof GraphQLError) || !(cause instanceof GraphQLError)) return false;
  if (cause.extensions['code'] === 'INTERNAL_SERVER_ERROR' || cause.path !== undefined) return false;
  // A fault in an answer has a path but no place in the request; a wrong argument has both.
  return error.path === undefined || cause.nodes !== undefined;
}
