/**
 * The user's mistakes and refusals, each with a stable code that clients may rely on.
 * A mutation turns an AppError into `userErrors`; a query into a GraphQL error with `extensions.code`.
 * Faults of our own are thrown bare and masked at the edge.
 */
export const ERROR_CODES = [
  'INVALID_INPUT',
  'INVALID_CONFIG',
  'NOT_FOUND',
  'UNKNOWN_LABEL',
  'UNKNOWN_PRESET',
  'UNKNOWN_DATASET',
  'UNKNOWN_MODEL',
  'NO_LABELS',
  'NO_MODEL',
  'PATH_NOT_ALLOWED',
  'UNREADABLE_DATASET',
  'DATASET_NOT_READY',
  'CONFLICT',
  'WRONG_STATE',
  'ENGINE_UNAVAILABLE',
  'OVERLOADED',
  'DATA_DIR_LOCKED',
  'DATABASE_UNAVAILABLE',
  'DAMAGED_FILE',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export interface AppErrorOptions {
  /** Where in the input the mistake is, e.g. `['input', 'steps']`. */
  readonly path?: readonly string[];
  /** Nearest valid names, best first. */
  readonly suggestions?: readonly string[];
  /** True where the same request may succeed later. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly path: readonly string[] | undefined;
  readonly suggestions: readonly string[];
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.path = options.path;
    this.suggestions = options.suggestions ?? [];
    this.retryable = options.retryable ?? false;
  }
}

/** The end of every exhaustive switch: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`Unreachable: ${JSON.stringify(value)}`);
}
