/** What every operation gets: the services, loaders of its own, who asks, and where the client reaches this server. */
import type { GraphQLResolveInfo } from 'graphql';
import type { Viewer } from '../core/access.ts';
import type { Log } from '../core/log.ts';
import type { AccessService } from '../services/access.ts';
import type { AnimationService } from '../services/animations.ts';
import type { ClassificationService } from '../services/classification.ts';
import type { CollectionService } from '../services/collections.ts';
import type { DeliveryService } from '../services/delivery.ts';
import type { ExportService } from '../services/exports.ts';
import type { GalleryService } from '../services/gallery.ts';
import type { GalleryExportService } from '../services/gallery-export.ts';
import type { GenerationService } from '../services/generation.ts';
import type { GenerationJobs } from '../services/generation-jobs.ts';
import type { ImportService } from '../services/importing.ts';
import type { ModelDeletion } from '../services/model-deletion.ts';
import type { ModelImports } from '../services/model-imports.ts';
import type { ModelService } from '../services/models.ts';
import type { Asker, PaintingService } from '../services/painting.ts';
import type { SheetService } from '../services/sheets.ts';
import type { Signatures } from '../services/signatures.ts';
import type { ThumbhashService } from '../services/thumbhash.ts';
import type { TopicService } from '../services/topics.ts';
import type { TrainingService } from '../services/training.ts';
import type { UploadService } from '../services/uploads.ts';
import type { Db } from '../store/db.ts';
import type { Loaders } from './loaders.ts';

export interface Services {
  readonly db: Db;
  readonly imports: ImportService;
  readonly training: TrainingService;
  readonly topics: TopicService;
  readonly access: AccessService;
  readonly signatures: Signatures;
  readonly painting: PaintingService;
  readonly generation: GenerationService;
  readonly gallery: GalleryService;
  readonly galleryExports: GalleryExportService;
  readonly collections: CollectionService;
  readonly jobs: GenerationJobs;
  readonly delivery: DeliveryService;
  readonly thumbhashes: ThumbhashService;
  readonly sheets: SheetService;
  readonly animations: AnimationService;
  readonly classification: ClassificationService;
  readonly models: ModelService;
  readonly uploads: UploadService;
  readonly exports: ExportService;
  readonly modelImports: ModelImports;
  readonly modelDeletion: ModelDeletion;
  readonly log: Log;
}

export interface Context extends Services {
  readonly load: Loaders;
  readonly viewer: Viewer;
  /** For whom pictures are painted. */
  readonly asker: Asker;
  /** e.g. `http://127.0.0.1:4000`, without a slash at its end. */
  readonly baseUrl: string;
  /** Whether addresses of pictures must be signed to be opened without a key. */
  readonly signsUrls: boolean;
  readonly requestId: string;
  /** Ends when nobody waits for the answer any more. */
  readonly signal: AbortSignal | undefined;
  /** An id for what a mutation's field makes: the same for the same Idempotency-Key; undefined where there is none. */
  readonly wishId: (field: Pick<GraphQLResolveInfo, 'fieldName' | 'path'>) => string | undefined;
}
