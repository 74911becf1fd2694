/** Counts the statements that drizzle runs; logs nothing. */
import type { Logger } from 'drizzle-orm';

export class StatementCount implements Logger {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  logQuery(): void {
    this.#count++;
  }
}
