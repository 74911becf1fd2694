/** Answers by the Idempotency-Key that they were asked for with. */
import { and, eq, isNull, lt, sql } from 'drizzle-orm';
import type { Db } from './db.ts';
import { idempotencyKeys } from './tables.ts';

export type Claim =
  /** Ours to work on. */
  | { readonly state: 'new' }
  | { readonly state: 'busy' }
  | { readonly state: 'other request' }
  | { readonly state: 'answered'; readonly answer: unknown };

const KEPT = sql`interval '24 hours'`;

export interface ClaimRequest {
  readonly id: string;
  readonly fingerprint: string;
  /** Nobody else may begin it for so long. */
  readonly holdMs: number;
}

export function claimKey(db: Db, { id, fingerprint, holdMs }: ClaimRequest): Promise<Claim> {
  const heldUntil = sql`now() + ${holdMs} * interval '1 millisecond'`;
  return db.transaction(async (tx): Promise<Claim> => {
    await tx.delete(idempotencyKeys).where(lt(idempotencyKeys.createdAt, sql`now() - ${KEPT}`));
    const made = await tx
      .insert(idempotencyKeys)
      .values({ id, fingerprint, heldUntil })
      .onConflictDoNothing({ target: idempotencyKeys.id })
      .returning();
    if (made.length > 0) return { state: 'new' };
    const [row] = await tx.select().from(idempotencyKeys).where(eq(idempotencyKeys.id, id)).for('update');
    if (row === undefined) return { state: 'busy' };
    if (row.fingerprint !== fingerprint) return { state: 'other request' };
    if (row.answer !== null) return { state: 'answered', answer: row.answer };
    // Whoever held it has died, or was slower than it may be.
    const taken = await tx
      .update(idempotencyKeys)
      .set({ heldUntil })
      .where(and(eq(idempotencyKeys.id, id), lt(idempotencyKeys.heldUntil, sql`now()`)))
      .returning();
    return { state: taken.length > 0 ? 'new' : 'busy' };
  });
}

/** It is still worked on. */
export async function renewKey(db: Db, id: string, holdMs: number): Promise<void> {
  const heldUntil = sql`now() + ${holdMs} * interval '1 millisecond'`;
  await db.update(idempotencyKeys).set({ heldUntil }).where(eq(idempotencyKeys.id, id));
}

export async function answerKey(db: Db, id: string, answer: unknown): Promise<void> {
  await db.update(idempotencyKeys).set({ answer }).where(eq(idempotencyKeys.id, id));
}

/** The same key may be used again: nothing was done. */
export async function releaseKey(db: Db, id: string): Promise<void> {
  await db.delete(idempotencyKeys).where(and(eq(idempotencyKeys.id, id), isNull(idempotencyKeys.answer)));
}
