/** The entries of the durable logs beside those of runs, as stored. Parsed by zod where a row is read. */
import { z } from 'zod';
import { GENERATION_STATUSES } from './generation-state.ts';
import { RUN_STATUSES } from './run-state.ts';

export const IMPORT_STATUSES = ['IMPORTING', 'READY', 'FAILED'] as const;

const kept = z.object({ imageId: z.string() });
const runChanged = z.object({ runId: z.string(), status: z.enum(RUN_STATUSES), reason: z.string().nullable() });
const imported = z.object({
  datasetId: z.string(),
  importStatus: z.enum(IMPORT_STATUSES),
  total: z.int().nonnegative(),
  processed: z.int().nonnegative(),
  skipped: z.int().nonnegative(),
  error: z.string().nullable(),
});

const painted = z.object({
  generationId: z.string(),
  generationStatus: z.enum(GENERATION_STATUSES),
  n: z.int().positive(),
  done: z.int().nonnegative(),
  error: z.string().nullable(),
});

export const topicBody = z.union([kept, runChanged, imported, painted]);
export type TopicBody = z.infer<typeof topicBody>;
export type KeptImage = z.infer<typeof kept>;
export type RunChange = z.infer<typeof runChanged>;
export type ImportProgress = z.infer<typeof imported>;
export type GenerationProgress = z.infer<typeof painted>;

export interface TopicEntry<Body extends TopicBody = TopicBody> {
  /** Grows by one per topic, without a gap, from 1. */
  readonly seq: number;
  readonly at: Date;
  readonly body: Body;
}
