/** What every operation gets: the services, loaders of its own, who asks, and where the client reaches this server. */
import type { GraphQLResolveInfo } from 'graphql';
import type { Viewer } from '../core/access.ts';
import type { Log } from '../core/log.ts';
import type { AccessService } from '../services/access.ts';
import type { ExportService } from '../services/exports.ts';
import type { GenerationService } from '../services/generation.ts';
import type { ImportService } from '../services/importing.ts';
import type { ModelImports } from '../services/model-imports.ts';
import type { ModelService } from '../services/models.ts';
import type { Signatures } from '../services/signatures.ts';
import type { TopicService } from '../services/topics.ts';
import type { TrainingService } from '../services/training.ts';
import type { Db } from '../store/db.ts';
import type { Loaders } from './loaders.ts';

export interface Services {
  readonly db: Db;
  readonly imports: ImportService;
  readonly training: TrainingService;
  readonly topics: TopicService;
  readonly access: AccessService;
  readonly signatures: Signatures;
  readonly generation: GenerationService;
  readonly models: ModelService;
  readonly exports: ExportService;
  readonly modelImports: ModelImports;
  readonly log: Log;
}

export interface Context extends Services {
  readonly load: Loaders;
  readonly viewer: Viewer;
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
