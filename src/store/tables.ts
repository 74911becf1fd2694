/** The tables. PostgreSQL dialect, the same on PGlite; a change here goes with a new file in migrations/. */
import { sql } from 'drizzle-orm';
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { Scope } from '../core/access.ts';
import { LABEL_KINDS } from '../core/labels.ts';
import { RUN_STATUSES } from '../core/run-state.ts';
import { IMPORT_STATUSES } from '../core/topics.ts';

/** Microseconds are kept by PostgreSQL but not by Date: milliseconds, so that a keyset cursor compares exactly. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });
export const createdAt = () => moment('created_at').notNull().default(sql`now()`);
/** Seeds go up to 2^53 - 1, which a JavaScript number holds exactly. */
const seed = (name: string) => bigint(name, { mode: 'number' });

export const labels = pgTable(
  'labels',
  {
    id: text('id').primaryKey(),
    kind: text('kind', { enum: LABEL_KINDS }).notNull(),
    slug: text('slug').notNull(),
    name: text('name').notNull(),
    createdAt: createdAt(),
  },
  (t) => [uniqueIndex('labels_kind_slug').on(t.kind, t.slug), index('labels_kind_name').on(t.kind, t.name, t.id)],
);

export const datasets = pgTable(
  'datasets',
  {
    id: text('id').primaryKey(),
    slug: text('slug').notNull(),
    name: text('name').notNull(),
    path: text('path').notNull(),
    layout: text('layout').notNull(),
    licence: text('licence'),
    source: text('source'),
    status: text('status', { enum: IMPORT_STATUSES }).notNull(),
    /** Files to look at, looked at so far, and passed over, of the newest import. */
    total: integer('total').notNull().default(0),
    processed: integer('processed').notNull().default(0),
    skipped: integer('skipped').notNull().default(0),
    error: text('error'),
    /** The packed training file (under the data folder) and its SHA-256; null until the first import has ended. */
    packFile: text('pack_file'),
    packSha256: text('pack_sha256'),
    maxResolution: integer('max_resolution').notNull(),
    createdAt: createdAt(),
    importedAt: moment('imported_at'),
  },
  (t) => [uniqueIndex('datasets_slug').on(t.slug), index('datasets_created').on(t.createdAt, t.id)],
);

/** What the newest import of a dataset passed over, and why. */
export const importIssues = pgTable(
  'import_issues',
  {
    datasetId: text('dataset_id')
      .notNull()
      .references(() => datasets.id, { onDelete: 'cascade' }),
    position: integer('position').notNull(),
    file: text('file').notNull(),
    code: text('code').notNull(),
    message: text('message').notNull(),
  },
  (t) => [primaryKey({ columns: [t.datasetId, t.position] })],
);

const labelRef = (name: string) => text(name).references((): AnyPgColumn => labels.id);

export const artworks = pgTable(
  'artworks',
  {
    id: text('id').primaryKey(),
    datasetId: text('dataset_id')
      .notNull()
      .references(() => datasets.id, { onDelete: 'cascade' }),
    /** Path below the dataset's folder (or `batch:index` inside a binary). */
    file: text('file').notNull(),
    title: text('title'),
    year: integer('year'),
    artistId: labelRef('artist_id'),
    styleId: labelRef('style_id'),
    genreId: labelRef('genre_id'),
    /** Position in the packed file. */
    packIndex: integer('pack_index').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('artworks_dataset_file').on(t.datasetId, t.file),
    index('artworks_artist').on(t.artistId, t.file, t.id),
    index('artworks_style').on(t.styleId, t.file, t.id),
    index('artworks_genre').on(t.genreId, t.file, t.id),
    index('artworks_file').on(t.file, t.id),
    // Which labels a dataset has.
    index('artworks_dataset_artist').on(t.datasetId, t.artistId),
    index('artworks_dataset_style').on(t.datasetId, t.styleId),
    index('artworks_dataset_genre').on(t.datasetId, t.genreId),
  ],
);

export const runs = pgTable(
  'training_runs',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    datasetId: text('dataset_id')
      .notNull()
      .references(() => datasets.id),
    preset: text('preset').notNull(),
    /** The complete TrainConfig. */
    config: jsonb('config').notNull(),
    resolution: integer('resolution').notNull(),
    seed: seed('seed').notNull(),
    totalSteps: integer('total_steps').notNull(),
    status: text('status', { enum: RUN_STATUSES }).notNull(),
    /** A pause or cancel that was asked for while it runs. */
    wish: text('wish', { enum: ['pause', 'cancel'] }),
    step: integer('step').notNull().default(0),
    imagesPerSecond: doublePrecision('images_per_second'),
    etaSeconds: doublePrecision('eta_seconds'),
    device: text('device'),
    error: text('error'),
    /** What a paused run waits for: it goes on by itself once there is room on the disk. */
    waitsFor: text('waits_for', { enum: ['room'] }),
    /** Deaths of its child without a new step in between: bounds a crash loop. */
    failures: integer('failures').notNull().default(0),
    /** Grows with every claim; a write that names an older one is refused. */
    fence: integer('fence').notNull().default(0),
    leaseOwner: text('lease_owner'),
    leaseUntil: moment('lease_until'),
    lastSeq: integer('last_seq').notNull().default(0),
    /** Place in the queue: resumed runs go to its end. */
    queuedAt: moment('queued_at').notNull().default(sql`now()`),
    createdAt: createdAt(),
    startedAt: moment('started_at'),
    finishedAt: moment('finished_at'),
  },
  (t) => [
    index('runs_created').on(t.createdAt, t.id),
    index('runs_queue').on(t.status, t.queuedAt, t.id),
    check('runs_steps', sql`${t.totalSteps} > 0`),
  ],
);

export const runEvents = pgTable(
  'run_events',
  {
    runId: text('run_id')
      .notNull()
      .references(() => runs.id, { onDelete: 'cascade' }),
    seq: integer('seq').notNull(),
    at: moment('at').notNull().default(sql`now()`),
    type: text('type', { enum: ['metrics', 'sample', 'measures', 'state'] }).notNull(),
    /** A RunEventBody (core/events.ts). */
    body: jsonb('body').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.runId, t.seq] }),
    index('run_events_type').on(t.runId, t.type, t.seq),
    uniqueIndex('run_events_sample').on(sql`(${t.body} ->> 'id')`).where(sql`${t.type} = 'sample'`),
  ],
);

export const checkpoints = pgTable(
  'checkpoints',
  {
    id: text('id').primaryKey(),
    runId: text('run_id')
      .notNull()
      .references(() => runs.id, { onDelete: 'cascade' }),
    step: integer('step').notNull(),
    sha256: text('sha256').notNull(),
    /** Folder below the data folder; null once retention has deleted the files. */
    dir: text('dir'),
    bytes: bigint('bytes', { mode: 'number' }).notNull(),
    createdAt: createdAt(),
  },
  (t) => [uniqueIndex('checkpoints_run_step').on(t.runId, t.step)],
);

export const models = pgTable(
  'models',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    runId: text('run_id').references(() => runs.id),
    checkpointId: text('checkpoint_id').references(() => checkpoints.id),
    /** SHA-256 of its weights. */
    sha256: text('sha256').notNull(),
    /** Folder with model.json and generator.safetensors: below the data folder, or `starter:` for the one that ships. */
    dir: text('dir').notNull(),
    resolution: integer('resolution').notNull(),
    /** The model's card (core/model-card.ts). */
    card: jsonb('card').notNull(),
    isDefault: boolean('is_default').notNull().default(false),
    /** Its files are gone; the row stays for what was painted with it. */
    deletedAt: moment('deleted_at'),
    createdAt: createdAt(),
  },
  (t) => [
    index('models_created').on(t.createdAt, t.id),
    uniqueIndex('models_one_default').on(t.isDefault).where(sql`${t.isDefault}`),
    uniqueIndex('models_dir').on(t.dir),
  ],
);

/** Pictures that went into the gallery. The id is the recipe. What they are found by is in gallery-tables.ts. */
export const images = pgTable(
  'images',
  {
    id: text('id').primaryKey(),
    /** Its short name, for other tables. */
    n: bigint('n', { mode: 'number' }).generatedAlwaysAsIdentity().unique(),
    modelId: text('model_id')
      .notNull()
      .references(() => models.id),
    artistId: labelRef('artist_id'),
    styleId: labelRef('style_id'),
    genreId: labelRef('genre_id'),
    seed: seed('seed').notNull(),
    truncation: doublePrecision('truncation').notNull(),
    sha256: text('sha256').notNull(),
    width: integer('width').notNull(),
    height: integer('height').notNull(),
    keptAt: moment('kept_at').notNull().default(sql`now()`),
  },
  // Whether a file is still wanted.
  (t) => [index('images_sha256').on(t.sha256)],
);

/** The newest seq of each topic: who writes an entry holds its row until the commit, so seqs have no gap. */
export const logTopics = pgTable('log_topics', {
  topic: text('topic').primaryKey(),
  lastSeq: integer('last_seq').notNull(),
});

/** What happened beside runs: kept pictures, runs' changes, imports. See store/topic-log.ts. */
export const logEntries = pgTable(
  'log_entries',
  {
    topic: text('topic').notNull(),
    seq: integer('seq').notNull(),
    at: moment('at').notNull(),
    body: jsonb('body').notNull(),
  },
  (t) => [primaryKey({ columns: [t.topic, t.seq] })],
);

export const apiKeys = pgTable(
  'api_keys',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    /** SHA-256 of the key: it is random and long, so no slow hash is needed. */
    sha256: text('sha256').notNull(),
    /** Its first characters, to tell keys apart. */
    hint: text('hint').notNull(),
    scopes: jsonb('scopes').$type<readonly Scope[]>().notNull(),
    /** Of its budget; null: as the server's settings say. */
    budget: integer('budget'),
    createdAt: createdAt(),
    revokedAt: moment('revoked_at'),
  },
  (t) => [uniqueIndex('api_keys_sha256').on(t.sha256), index('api_keys_created').on(t.createdAt, t.id)],
);

/** What this server signs with, made at its first start. */
export const secrets = pgTable('secrets', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
});

/** Mutations that were asked for with an Idempotency-Key, and their answers. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    /** Of the viewer and the key together. */
    id: text('id').primaryKey(),
    /** Of the operation and its variables: the same key for another request is refused. */
    fingerprint: text('fingerprint').notNull(),
    /** Null while it is worked on. */
    answer: jsonb('answer'),
    /** Whoever works on it says so until then; later it may be begun again. */
    heldUntil: moment('held_until').notNull(),
    createdAt: createdAt(),
  },
  (t) => [index('idempotency_keys_created').on(t.createdAt)],
);

export type ApiKeyRow = typeof apiKeys.$inferSelect;
export type LabelRow = typeof labels.$inferSelect;
export type DatasetRow = typeof datasets.$inferSelect;
export type ImportIssueRow = typeof importIssues.$inferSelect;
export type ArtworkRow = typeof artworks.$inferSelect;
export type RunRow = typeof runs.$inferSelect;
export type CheckpointRow = typeof checkpoints.$inferSelect;
export type ModelRow = typeof models.$inferSelect;
export type ImageRow = typeof images.$inferSelect;
