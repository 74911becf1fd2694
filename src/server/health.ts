/** Whether the process lives, and whether it can do its work: for supervisors and load balancers. */
import type { Router } from 'express';
import express from 'express';

export class Readiness {
  readonly #reasons = new Set<string>();
  readonly #check: () => Promise<void>;

  /** `check` asks the database; it throws where that does not answer. */
  constructor(check: () => Promise<void>) {
    this.#check = check;
  }

  /** From now on not ready, for this reason, until the result is called. */
  hold(reason: string): () => void {
    this.#reasons.add(reason);
    return () => {
      this.#reasons.delete(reason);
    };
  }

  /** Why it is not ready; empty: it is. */
  async reasons(): Promise<string[]> {
    const reasons = [...this.#reasons];
    try {
      await this.#check();
    } catch {
      reasons.push('The database does not answer.');
    }
    return reasons;
  }
}

export function healthRoutes(readiness: Readiness): Router {
  const router = express.Router();
  router.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  router.get('/livez', (_request, response) => {
    response.json({ status: 'alive' });
  });
  router.get('/readyz', async (_request, response) => {
    const reasons = await readiness.reasons();
    const ready = reasons.length === 0;
    response.status(ready ? 200 : 503).json(ready ? { status: 'ready' } : { status: 'not ready', reasons });
  });
  return router;
}
