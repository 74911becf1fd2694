/** What a failure of the database says, for a message: drizzle wraps it, and a name with several addresses gathers it. */

/** The innermost message; never the statement, nor the connection's settings. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set(error.errors.map(reasonOf))].join('; ');
  }
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message || error.name;
}
