/** Why an operation is not run: GraphQL errors with a stable code, the same on every transport. */
import { GraphQLError, type GraphQLErrorOptions } from 'graphql';
import { AppError, type AppErrorOptions, type ErrorCode } from '../../core/errors.ts';

/** Codes of the request itself; those of what it asks for are in core/errors.ts. */
export type RequestCode =
  | 'BAD_REQUEST'
  | 'BAD_USER_INPUT'
  | 'GRAPHQL_PARSE_FAILED'
  | 'GRAPHQL_VALIDATION_FAILED'
  | 'OPERATION_RESOLUTION_FAILURE'
  | 'INTROSPECTION_DISABLED'
  | 'PERSISTED_QUERY_NOT_FOUND'
  | 'PERSISTED_QUERY_NOT_SUPPORTED'
  | 'PERSISTED_QUERY_REQUIRED'
  | 'METHOD_NOT_ALLOWED';

const LONGEST_MESSAGE = 300;

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly errors: readonly GraphQLError[];

  constructor(errors: readonly GraphQLError[]) {
    super(errors[0]?.message ?? 'Refused');
    this.errors = errors;
  }
}

export function refusal(code: RequestCode, message: string, options: GraphQLErrorOptions = {}): Refusal {
  return new Refusal([new GraphQLError(message, { ...options, extensions: { ...options.extensions, code } })]);
}

/** A refusal with one of the product's own codes. */
export function refusalOf(code: ErrorCode, message: string, options: AppErrorOptions = {}): Refusal {
  return refusalFrom(new AppError(code, message, options));
}

export function refusalFrom(error: AppError): Refusal {
  return new Refusal([new GraphQLError(error.message, { originalError: error })]);
}

/** graphql-js's own errors, with our code. They repeat what was sent, each of them all of it: that is cut short. */
export function coded(errors: readonly GraphQLError[], code: RequestCode): Refusal {
  const told = errors.map((error) => reworded(error, shortened(error.message)));
  for (const error of told) error.extensions['code'] ??= code;
  return new Refusal(told);
}

export function reworded(error: GraphQLError, message: string): GraphQLError {
  if (message === error.message) return error;
  const { nodes = null, source = null, positions = null } = error;
  return new GraphQLError(message, { nodes, source, positions });
}

function shortened(message: string): string {
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)} …` : message;
}
