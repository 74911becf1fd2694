/**
 * The one place that wires: builds the parts in order and closes them in reverse, also where the start fails half-way.
 * It listens as soon as there is a database; what a first start still has to do goes on behind `ready`.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.ts';
import { Closers } from './core/closers.ts';
import type { Log } from './core/log.ts';
import { Generator } from './engine/host/generator.ts';
import { makeSchema } from './resolvers/schema.ts';
import { Readiness } from './server/health.ts';
import { type ServerTimes, startServer } from './server/listen.ts';
import { AccessService } from './services/access.ts';
import { AnimationService } from './services/animations.ts';
import { ClassificationService } from './services/classification.ts';
import { CollectionService } from './services/collections.ts';
import { DeliveryService } from './services/delivery.ts';
import { DiskCache } from './services/disk-cache.ts';
import { Encoders } from './services/encoders.ts';
import { ExportService } from './services/exports.ts';
import { GalleryService } from './services/gallery.ts';
import { GalleryExportService } from './services/gallery-export.ts';
import { GenerationService } from './services/generation.ts';
import { GenerationDriver } from './services/generation-driver.ts';
import { GenerationFiles } from './services/generation-files.ts';
import { GenerationJobs } from './services/generation-jobs.ts';
import { ImportService } from './services/importing.ts';
import { LogFeed } from './services/log-feed.ts';
import { ModelDeletion } from './services/model-deletion.ts';
import { ModelImports } from './services/model-imports.ts';
import { ModelService } from './services/models.ts';
import { PaintingService } from './services/painting.ts';
import { RunDriver } from './services/run-driver.ts';
import { SheetService } from './services/sheets.ts';
import { Signatures } from './services/signatures.ts';
import { ThumbhashService } from './services/thumbhash.ts';
import { TopicService } from './services/topics.ts';
import { TrainingService } from './services/training.ts';
import { UploadService } from './services/uploads.ts';
import { signingSecret } from './store/api-keys.ts';
import { Blobs } from './store/blobs.ts';
import { openStore, ping, type Store } from './store/db.ts';

/** From src/ and from dist/ alike. */
const STARTER_MODEL = fileURLToPath(new URL('../starter/model', import.meta.url));

export interface AppOptions {
  readonly config: Config;
  readonly log: Log;
  /** Folder of the model that ships; another one for tests. */
  readonly starterModel?: string;
  /** How long clients are waited for; shorter for tests. */
  readonly times?: ServerTimes | undefined;
}

export interface App extends AsyncDisposable {
  /** Where it listens, e.g. `http://127.0.0.1:4000` */
  readonly url: string;
  readonly store: Store;
  /** The admin key of a server that wants keys and had none: to be shown, once. */
  readonly firstKey: string | undefined;
  /** Settles when /readyz says so; rejects where a first start cannot be brought to its end. */
  readonly ready: Promise<void>;
}

/** @throws AppError DATA_DIR_LOCKED, DATABASE_UNAVAILABLE or INVALID_CONFIG, with nothing left running. */
export async function startApp({ config, log, starterModel = STARTER_MODEL, times }: AppOptions): Promise<App> {
  const { dataDir } = config;
  await using parts = new Closers();
  const store = parts.use(await openStore(config));
  const { db } = store;
  const blobs = new Blobs(join(dataDir, 'blobs'));
  const { device, engine, heartbeatTimeoutMs } = config;
  const host = { device, engine, heartbeatTimeoutMs, log };
  // Loads TensorFlow while the rest is put together.
  const generator = parts.use(Generator.start(host));
  const feed = parts.use(await LogFeed.open(store));
  const imports = parts.use(new ImportService({ db, dataDir, roots: config.datasetRoots, log }));
  const models = new ModelService({ db, feed, dataDir, starterDir: starterModel, log });
  const secret = await signingSecret(db);
  const uploads = parts.use(
    new UploadService({
      ...{ db, models, log, secret, mostBytes: config.limits.uploadBytes },
      blobs: new Blobs(join(dataDir, 'uploads')),
      incoming: join(dataDir, 'uploads', 'incoming'),
    }),
  );
  const cacheDir = join(dataDir, 'cache');
  const disk = parts.use(await DiskCache.open({ dir: cacheDir, limitBytes: config.limits.imageCacheBytes, log }));
  const painting = new PaintingService({ db, blobs, models, disk, uploads, engine: generator });
  const generation = new GenerationService({ db, models, painting });
  const encoders = new Encoders();
  const delivery = new DeliveryService({ disk, encoders });
  const thumbhashes = new ThumbhashService({ painting, imports, encoders });
  const sheets = new SheetService(painting);
  const animations = new AnimationService({ generation, painting });
  const gallery = new GalleryService({ db, blobs, painting });
  const galleryExports = new GalleryExportService({ db, blobs, painting, log });
  const collections = new CollectionService(db);
  const classification = new ClassificationService({ db, models, painting, uploads, imports, engine: generator });
  const driver = parts.use(new RunDriver({ db, dataDir, blobs, models, log, host, soleOwner: store.soleOwner }));
  const access = parts.use(await AccessService.open(store, { localOnly: config.localOnly }));
  const signatures = new Signatures(secret, config.surface.pictureUrlSeconds);
  const topics = new TopicService({ db, feed });
  const files = new GenerationFiles(dataDir);
  const jobParts = { db, models, painting, files };
  const painter = parts.use(new GenerationDriver({ ...jobParts, log, soleOwner: store.soleOwner }));
  const jobs = new GenerationJobs({ ...jobParts, dataDir, generation, topics, driver: painter });
  const training = new TrainingService({ db, dataDir, feed, driver });
  const exports = new ExportService({ dataDir, models, engine: generator });
  const modelImports = new ModelImports({ db, dataDir, roots: config.datasetRoots, models, engine: generator });
  const modelDeletion = new ModelDeletion({ db, dataDir, models, log });
  const creative = { painting, generation, gallery, galleryExports, collections, jobs, classification, uploads };
  const given = { delivery, thumbhashes, sheets, animations };
  const services = {
    db,
    log,
    access,
    signatures,
    topics,
    imports,
    training,
    models,
    exports,
    modelImports,
    modelDeletion,
    ...creative,
    ...given,
  };

  const readiness = new Readiness(() => ping(db));
  const started = readiness.hold('The starter collection and the starter model are being set up.');
  const server = parts.use(
    await startServer({ config, schema: await makeSchema(), services, blobs, readiness, times }),
  );
  parts.defer(() => {
    readiness.hold('The server is stopping.');
    // The trainer writes its checkpoint while the sockets are closed; closing it again waits for the same end.
    void driver[Symbol.asyncDispose]().catch(() => undefined);
  });
  await driver.start();
  await uploads.start();
  // The last step that can fail: a key that nobody is shown would lock everybody out.
  const firstKey = await access.firstKey({ anyway: config.makesAdminKey });

  const ready = (async () => {
    await models.registerStarter();
    await modelDeletion.sweep();
    // Jobs may be of the starter.
    await painter.start();
    await imports.resumeUnfinished();
    if (config.starter) await imports.importStarter();
    started();
  })();
  // Whoever waits for it hears of it; an end of the server before that is no fault.
  ready.catch(() => undefined);
  const open = parts.move();
  return { url: server.url, store, ready, firstKey, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() };
}
