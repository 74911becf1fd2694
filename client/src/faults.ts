/** What broke, and whether it is worth another try: the same answer for every transport. */
import {
  CombinedGraphQLErrors,
  CombinedProtocolErrors,
  graphQLResultHasProtocolErrors,
  PROTOCOL_ERRORS_SYMBOL,
  ServerError,
  ServerParseError,
} from '@apollo/client/errors';
import type { ApolloLink } from '@apollo/client/link';
import type { GraphQLFormattedError } from 'graphql';

export interface Fault {
  /** Whether the same request may succeed later. */
  readonly isRetryable: boolean;
  /** Told by the server itself, not a connection that was lost. */
  readonly isTold: boolean;
  /** The server asks to be left alone for so long. */
  readonly retryAfterMs: number;
}

/** A WebSocket was closed; `code` says why (RFC 6455, and 4400 to 4499 of graphql-ws). */
export class SocketClosedError extends Error {
  override readonly name = 'SocketClosedError';
  readonly code: number;

  constructor(code: number, reason: string) {
    super(`The WebSocket was closed with ${code}${reason === '' ? '' : `: ${reason}`}`);
    this.code = code;
  }
}

const LOST: Fault = { isRetryable: true, isTold: false, retryAfterMs: 0 };
const FINAL: Fault = { isRetryable: false, isTold: true, retryAfterMs: 0 };
/** Closes after which a connection may be tried anew: going away, broken, restarted, too busy, a greeting that was late. */
const PASSING_CLOSES = [1000, 1001, 1005, 1006, 1012, 1013, 1014, 4408, 4499];
/** Answers of servers and proxies that are there again later. */
const PASSING_STATUSES = [408, 425, 429, 502, 503, 504];

/** Whatever a link, or Apollo Client, has given as an error. */
export function faultOf(error: unknown): Fault {
  const errors = errorsIn(error);
  if (errors.length > 0) return toldBy(errors);
  if (error instanceof SocketClosedError) return ofClose(error.code);
  if (ServerError.is(error) || ServerParseError.is(error)) return ofStatus(error.statusCode);
  return LOST;
}

/** What the server itself has told, by whichever way it came: its errors have `extensions.code`, and some `suggestions`. */
export function errorsIn(error: unknown): readonly GraphQLFormattedError[] {
  if (CombinedGraphQLErrors.is(error) || CombinedProtocolErrors.is(error)) return error.errors;
  return ServerError.is(error) ? errorsInBody(error.bodyText) : [];
}

/** The error of a result that holds nothing else; undefined: it is an event. */
export function errorOf(result: ApolloLink.Result): CombinedGraphQLErrors | undefined {
  if (graphQLResultHasProtocolErrors(result)) {
    const { errors } = result.extensions[PROTOCOL_ERRORS_SYMBOL] as CombinedProtocolErrors;
    return new CombinedGraphQLErrors({ errors });
  }
  if (!('errors' in result) || result.errors === undefined || result.errors.length === 0) return undefined;
  return result.data === null || result.data === undefined ? new CombinedGraphQLErrors(result) : undefined;
}

/** Every error of this server says by `retryable` whether it passes, and some by `retryAfterMs` when. */
function toldBy(errors: readonly GraphQLFormattedError[]): Fault {
  const isRetryable = errors.every(({ extensions }) => extensions?.['retryable'] === true);
  const waits = errors.map(({ extensions }) => Number(extensions?.['retryAfterMs'] ?? 0));
  return { isRetryable, isTold: true, retryAfterMs: Math.max(0, ...waits) };
}

function errorsInBody(body: string): readonly GraphQLFormattedError[] {
  try {
    const { errors } = JSON.parse(body) as { readonly errors?: unknown };
    return Array.isArray(errors) ? (errors as GraphQLFormattedError[]) : [];
  } catch {
    return [];
  }
}

function ofClose(code: number): Fault {
  if (PASSING_CLOSES.includes(code)) return LOST;
  // The server's own fault, which may not come again.
  return code === 4500 || code === 1011 ? { ...FINAL, isRetryable: true } : FINAL;
}

function ofStatus(status: number): Fault {
  if (PASSING_STATUSES.includes(status)) return LOST;
  return status >= 500 ? { ...FINAL, isRetryable: true } : FINAL;
}
