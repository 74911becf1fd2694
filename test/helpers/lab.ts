/** The services of training and models over a real database, with the scripted child as their engine, or the real one. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { is, sql } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { Closers } from '../../src/core/closers.ts';
import { CARD_FILE, WEIGHTS_FILE } from '../../src/core/model-card.ts';
import { resolveConfig } from '../../src/core/presets.ts';
import { DeliveryService } from '../../src/services/delivery.ts';
import { DiskCache } from '../../src/services/disk-cache.ts';
import { Encoders } from '../../src/services/encoders.ts';
import { GalleryService } from '../../src/services/gallery.ts';
import { GenerationService } from '../../src/services/generation.ts';
import { LogFeed } from '../../src/services/log-feed.ts';
import { ModelService } from '../../src/services/models.ts';
import { type Asker, type PaintingOptions, PaintingService } from '../../src/services/painting.ts';
import { RunDriver, type RunDriverOptions } from '../../src/services/run-driver.ts';
import { TrainingService } from '../../src/services/training.ts';
import { UploadService } from '../../src/services/uploads.ts';
import { Blobs } from '../../src/store/blobs.ts';
import { insertDataset, replaceArtworks } from '../../src/store/datasets.ts';
import type { Db, Store } from '../../src/store/db.ts';
import * as galleryTables from '../../src/store/gallery-tables.ts';
import { upsertLabels } from '../../src/store/labels.ts';
import type { DatasetRow, RunRow } from '../../src/store/tables.ts';
import * as tables from '../../src/store/tables.ts';
import * as uploadTables from '../../src/store/upload-tables.ts';
import { type RecordingLog, recordingLog } from './recording-log.ts';
import { SCRIPTED, temporaryFolder } from './scripted.ts';

export type DriveOptions = Partial<Omit<RunDriverOptions, 'host'>> & {
  readonly heartbeatTimeoutMs?: number;
  /** "real": with TensorFlow. */
  readonly engine?: 'scripted' | 'real';
};

export interface Pictures {
  readonly painting: PaintingService;
  readonly generation: GenerationService;
  readonly gallery: GalleryService;
  readonly delivery: DeliveryService;
}

/** For whom pictures are painted where it does not matter. */
export const ASKER: Asker = { client: 'test' };

export class Lab implements AsyncDisposable {
  readonly store: Store;
  readonly dataDir: string;
  readonly starterDir: string;
  readonly blobs: Blobs;
  readonly feed: LogFeed;
  readonly models: ModelService;
  readonly training: TrainingService;
  /** One that does not wait for a running child. */
  readonly quickTraining: TrainingService;
  readonly dataset: DatasetRow;
  readonly log: RecordingLog;
  readonly #parts: Closers;
  readonly #drivers: RunDriver[] = [];

  constructor(parts: Closers, base: { store: Store; dataDir: string; feed: LogFeed; dataset: DatasetRow }) {
    const { store, dataDir, feed, dataset } = base;
    this.#parts = parts;
    this.store = store;
    this.dataDir = dataDir;
    this.starterDir = join(dataDir, 'starter-model');
    this.feed = feed;
    this.dataset = dataset;
    this.log = recordingLog();
    this.blobs = new Blobs(join(dataDir, 'blobs'));
    this.models = new ModelService({ db: store.db, feed, dataDir, starterDir: this.starterDir, log: this.log });
    const driver = {
      wake: () => this.#drivers.forEach((one) => void one.wake()),
      nudge: (runId: string) => this.#drivers.forEach((one) => void one.nudge(runId)),
    };
    this.training = new TrainingService({ db: store.db, dataDir, feed, driver });
    this.quickTraining = new TrainingService({ db: store.db, dataDir, feed, driver, moveWaitMs: 100 });
  }

  /** Begins to claim and train. */
  async drive({ heartbeatTimeoutMs = 10_000, engine = 'scripted', ...options }: DriveOptions = {}): Promise<RunDriver> {
    const { store, dataDir, blobs, models, log } = this;
    const program = engine === 'scripted' ? SCRIPTED : undefined;
    const host = { device: 'cpu', heartbeatTimeoutMs, log, program } as const;
    const driver = new RunDriver({ db: store.db, dataDir, blobs, models, log, host, soleOwner: true, ...options });
    this.#drivers.push(this.#parts.use(driver));
    await driver.start();
    return driver;
  }

  /** The services of pictures, with nothing in memory yet. */
  async paintWith(engine: PaintingOptions['engine']): Promise<Pictures> {
    const { blobs, dataDir, log, models, store } = this;
    const { db } = store;
    const disk = await DiskCache.open({ dir: join(dataDir, 'cache'), limitBytes: 0, log });
    const folder = join(dataDir, 'uploads');
    const uploads = new UploadService({
      ...{ db, models, log, secret: Buffer.alloc(32), mostBytes: 2 ** 30 },
      ...{ blobs: new Blobs(folder), incoming: join(folder, 'incoming') },
    });
    const painting = new PaintingService({ db, blobs, models, disk, uploads, engine });
    return {
      painting,
      generation: new GenerationService({ db, models, painting }),
      gallery: new GalleryService({ db, blobs, painting }),
      delivery: new DeliveryService({ disk, encoders: new Encoders() }),
    };
  }

  /** Queues a run of small steps; its name may hold faults, see the scripted child. */
  start({ name, steps, config }: { name: string; steps: number; config?: object }): Promise<RunRow> {
    const every = { metricsEvery: 5, sampleEvery: 10, checkpointEvery: 10 };
    const request = { dataset: 'works', preset: 'studio', resolution: 32, seed: 7 };
    return this.training.start({ ...request, name, steps, config: { ...every, ...config } });
  }

  /** All that a stream holds, once it has ended. */
  async read<T>(stream: AsyncIterable<T>): Promise<T[]> {
    const all: T[] = [];
    for await (const one of stream) all.push(one);
    return all;
  }

  async list(folder: string): Promise<string[]> {
    return (await readdir(join(this.dataDir, folder))).sort();
  }

  /** A model as one that ships, with these weights. */
  async writeStarter(weights = 'weights'): Promise<void> {
    await mkdir(this.starterDir, { recursive: true });
    const label = (slug: string, name: string) => ({ slug, name, count: 3 });
    const card = {
      format: 1,
      name: 'Starter',
      config: resolveConfig({ preset: 'studio', resolution: 32 }),
      labels: { artist: [label('claude-monet', 'Claude Monet')], style: [label('ukiyo-e', 'Ukiyo-e')], genre: [] },
      sha256: createHash('sha256').update(weights).digest('hex'),
      provenance: { seed: 1, step: 1, totalSteps: 1, datasetSha256: '', checkpointSha256: '', device: 'CPU' },
    };
    await writeFile(join(this.starterDir, CARD_FILE), JSON.stringify(card));
    await writeFile(join(this.starterDir, WEIGHTS_FILE), weights);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts[Symbol.asyncDispose]();
  }
}

/**
 * Datasets "works" (artists and styles, up to 128 px), "unlabelled" and "unready", and nothing else: the store is emptied.
 * Closing a lab leaves the store open.
 */
export async function openLab(store: Store): Promise<Lab> {
  await using parts = new Closers();
  const { path: dataDir } = parts.use(await temporaryFolder());
  const { db } = store;
  await db.execute(
    sql`truncate ${sql.join(Object.values({ ...tables, ...galleryTables, ...uploadTables }).filter(isTable), sql`, `)} cascade`,
  );
  await writeFile(join(dataDir, 'none.artpack'), '');
  const dataset = await addDataset(db, 'Works');
  await addDataset(db, 'Unlabelled');
  await addDataset(db, 'Unready');
  await addWorks(db, dataset.id);
  const feed = parts.use(await LogFeed.open(store));
  return new Lab(parts.move(), { store, dataDir, feed, dataset });
}

const isTable = (value: unknown): value is PgTable => is(value, PgTable);

function addDataset(db: Db, name: string): Promise<DatasetRow> {
  const ready = name !== 'Unready';
  return insertDataset(db, {
    slug: name.toLowerCase(),
    name,
    path: '/nowhere',
    layout: 'FOLDERS',
    status: ready ? 'READY' : 'IMPORTING',
    packFile: ready ? 'none.artpack' : null,
    packSha256: ready ? '00' : null,
    maxResolution: 128,
  });
}

async function addWorks(db: Db, datasetId: string): Promise<void> {
  const artist = { kind: 'artist', slug: 'claude-monet', name: 'Claude Monet' } as const;
  const style = { kind: 'style', slug: 'ukiyo-e', name: 'Ukiyo-e' } as const;
  const labels = await upsertLabels(db, [artist, style]);
  const artistId = labels.get('artist:claude-monet')?.id ?? null;
  const styleId = labels.get('style:ukiyo-e')?.id ?? null;
  await db.transaction((tx) => replaceArtworks(tx, datasetId, [{ file: 'a.png', artistId, styleId, packIndex: 0 }]));
}
