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
  'NO_DISCRIMINATOR',
  'MODEL_IN_USE',
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
  'DISK_FULL',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'QUERY_TOO_COMPLEX',
  'RATE_LIMITED',
  'TOO_MANY_STREAMS',
  'TIMEOUT',
  'TOO_LARGE',
  'UNSUPPORTED_PICTURE',
  'BAD_PICTURE',
  'EXPIRED',
  'NO_RECIPE',
  'IDEMPOTENCY_KEY_REUSED',
  'IDEMPOTENCY_KEY_IN_USE',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export interface AppErrorOptions {
  /** Where in the input the mistake is, e.g. `['input', 'steps']`. */
  readonly path?: readonly string[];
  /** Nearest valid names, best first. */
  readonly suggestions?: readonly string[];
  /** True where the same request may succeed later. */
  readonly retryable?: boolean;
  /** After how long it is worth another try. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly path: readonly string[] | undefined;
  readonly suggestions: readonly string[];
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.path = options.path;
    this.suggestions = options.suggestions ?? [];
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** ENOSPC and EDQUOT are the system's; 53100 is PostgreSQL's. */
const DISK_FULL_CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT', '53100'];

/** Whether there was no room for a file, by the error or by what caused it. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && DISK_FULL_CODES.includes(error.code)) || isDiskFull(error.cause);
}

/** What the user is told of an error: an AppError as it is, also of a full disk; undefined for faults of our own. */
export function asAppError(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error;
  if (!isDiskFull(error)) return undefined;
  const message = "The disk of the server's data folder is full. Make room, then ask again.";
  return new AppError('DISK_FULL', message, { retryable: true, cause: error });
}

/** The end of every exhaustive switch: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`Unreachable: ${JSON.stringify(value)}`);
}
