/**
 * Durable logs beside those of runs: kept pictures, changes of any run, imports. An entry is written in the transaction of
 * what it tells, numbered without a gap within its topic, and announced by the commit; readers page from the log.
 */
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { type TopicBody, type TopicEntry, topicBody } from '../core/topics.ts';
import type { Db } from './db.ts';
import { logEntries, logTopics } from './tables.ts';

/** `<topic>:<seq>` is told here when an entry of any log is committed, a run's included. */
export const LOG_CHANNEL = 'artgan_log';

export const IMAGES_TOPIC = 'images';
export const RUNS_TOPIC = 'runs';
/** Has no entries: what is told is that models have changed. */
export const MODELS_TOPIC = 'models';
export const runTopic = (runId: string) => `run/${runId}`;
export const generationTopic = (id: string) => `generation/${id}`;
export const importTopic = (datasetId: string) => `import/${datasetId}`;

/** The notice leaves with the commit of `tx`. */
export async function announce(tx: Db, topic: string, seq: number): Promise<void> {
  await tx.execute(sql`select pg_notify(${LOG_CHANNEL}, ${`${topic}:${seq}`})`);
}

/** To be called in the transaction of what the entry tells, as its last write: other writers of the topic wait for it. */
export async function appendEntry(tx: Db, topic: string, ...bodies: readonly TopicBody[]): Promise<void> {
  if (bodies.length === 0) return;
  const [row] = await tx
    .insert(logTopics)
    .values({ topic, lastSeq: bodies.length })
    .onConflictDoUpdate({ target: logTopics.topic, set: { lastSeq: sql`${logTopics.lastSeq} + ${bodies.length}` } })
    .returning();
  if (row === undefined) throw new Error(`Nothing was written to ${topic}`);
  const first = row.lastSeq - bodies.length + 1;
  // Not now(), which is the transaction's start: times grow with seq, for seq was given out under the row's lock.
  const at = sql`clock_timestamp()`;
  await tx.insert(logEntries).values(bodies.map((body, i) => ({ topic, seq: first + i, at, body })));
  await announce(tx, topic, row.lastSeq);
}

export async function readEntries(
  db: Db,
  { topic, after, limit }: { readonly topic: string; readonly after: number; readonly limit: number },
): Promise<TopicEntry[]> {
  const rows = await db
    .select()
    .from(logEntries)
    .where(and(eq(logEntries.topic, topic), gt(logEntries.seq, after)))
    .orderBy(asc(logEntries.seq))
    .limit(limit);
  return rows.map(({ seq, at, body }) => ({ seq, at, body: topicBody.parse(body) }));
}

/** 0 where nothing was written yet. */
export async function lastSeqOf(db: Db, topic: string): Promise<number> {
  const [row] = await db.select().from(logTopics).where(eq(logTopics.topic, topic));
  return row?.lastSeq ?? 0;
}

/** Forgets what a topic held; its numbers go on. */
export async function clearTopic(tx: Db, topic: string): Promise<void> {
  await tx.delete(logEntries).where(eq(logEntries.topic, topic));
}
