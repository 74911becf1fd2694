/** API keys as rows: hashes only, never the keys. A change is announced, so that every server forgets what it knew. */
import { randomBytes } from 'node:crypto';
import { and, desc, eq, isNull, sql } from 'drizzle-orm';
import type { Db } from './db.ts';
import { byColumns, type Orders, orderOf } from './order.ts';
import type { List } from './page.ts';
import { type ApiKeyRow, apiKeys, secrets } from './tables.ts';

/** The id of a key that was made or revoked is told here. */
export const KEYS_CHANNEL = 'artgan_keys';

const SIGNING = 'signing';

type NewKey = Omit<typeof apiKeys.$inferInsert, 'createdAt' | 'revokedAt'>;

const keyOrders: Orders<'CREATED_AT'> = {
  name: 'apiKey',
  usual: { field: 'CREATED_AT', direction: 'DESC' },
  keys: { CREATED_AT: byColumns(apiKeys.createdAt, apiKeys.id) },
};

export const keyList: List<ApiKeyRow> = { table: apiKeys, order: orderOf(keyOrders, undefined) };

/** @returns undefined where there is a key of this id already. */
export function insertKey(db: Db, key: NewKey): Promise<ApiKeyRow | undefined> {
  return db.transaction(async (tx) => {
    const [row] = await tx.insert(apiKeys).values(key).onConflictDoNothing({ target: apiKeys.id }).returning();
    if (row !== undefined) await announce(tx, row.id);
    return row;
  });
}

/** @returns the revoked key, also where it was revoked before; undefined where there is none. */
export function revokeKey(db: Db, id: string): Promise<ApiKeyRow | undefined> {
  return db.transaction(async (tx) => {
    const revokedAt = sql`coalesce(${apiKeys.revokedAt}, now())`;
    const [row] = await tx.update(apiKeys).set({ revokedAt }).where(eq(apiKeys.id, id)).returning();
    if (row !== undefined) await announce(tx, id);
    return row;
  });
}

/** Not revoked. */
export async function keyByHash(db: Db, sha256: string): Promise<ApiKeyRow | undefined> {
  const [row] = await db
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.sha256, sha256), isNull(apiKeys.revokedAt)));
  return row;
}

export async function keyById(db: Db, id: string): Promise<ApiKeyRow | undefined> {
  const [row] = await db.select().from(apiKeys).where(eq(apiKeys.id, id));
  return row;
}

/** All that open something, the newest first. */
export function liveKeys(db: Db): Promise<ApiKeyRow[]> {
  return db.select().from(apiKeys).where(isNull(apiKeys.revokedAt)).orderBy(desc(apiKeys.createdAt));
}

/** The same, until the transaction ends: nobody else can end one of them meanwhile. */
export function holdLiveKeys(tx: Db): Promise<ApiKeyRow[]> {
  return tx.select().from(apiKeys).where(isNull(apiKeys.revokedAt)).orderBy(apiKeys.id).for('update');
}

/** What every server on this database signs with: made once. */
export async function signingSecret(db: Db): Promise<Buffer> {
  const value = randomBytes(32).toString('base64url');
  await db.insert(secrets).values({ name: SIGNING, value }).onConflictDoNothing({ target: secrets.name });
  const [row] = await db.select().from(secrets).where(eq(secrets.name, SIGNING));
  if (row === undefined) throw new Error('The signing secret was not written');
  return Buffer.from(row.value, 'base64url');
}

async function announce(tx: Db, id: string): Promise<void> {
  await tx.execute(sql`select pg_notify(${KEYS_CHANNEL}, ${id})`);
}
