/** What every operation gets: the services, loaders of its own, and where the client reaches this server. */
import type { Log } from '../core/log.ts';
import type { ExportService } from '../services/exports.ts';
import type { GenerationService } from '../services/generation.ts';
import type { ImportService } from '../services/importing.ts';
import type { ModelImports } from '../services/model-imports.ts';
import type { ModelService } from '../services/models.ts';
import type { TrainingService } from '../services/training.ts';
import type { Db } from '../store/db.ts';
import type { Loaders } from './loaders.ts';

export interface Services {
  readonly db: Db;
  readonly imports: ImportService;
  readonly training: TrainingService;
  readonly generation: GenerationService;
  readonly models: ModelService;
  readonly exports: ExportService;
  readonly modelImports: ModelImports;
  readonly log: Log;
}

export interface Context extends Services {
  readonly load: Loaders;
  /** e.g. `http://127.0.0.1:4000`, without a slash at its end. */
  readonly baseUrl: string;
  readonly requestId: string;
}
