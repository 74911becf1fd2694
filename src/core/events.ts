/**
 * The entries of a run's durable log, as stored. `seq` and `at` are added by the log itself.
 * Parsed by zod where a row is read: the JSON column is a border like any other.
 */
import { z } from 'zod';
import { MEASURE_WARNINGS, measures } from './measures.ts';
import { isFinal, RUN_STATUSES } from './run-state.ts';

const metrics = z.object({
  type: z.literal('metrics'),
  step: z.int().nonnegative(),
  dLoss: z.number(),
  gLoss: z.number(),
  l2Loss: z.number().nullable(),
  realAccuracy: z.number().nullable(),
  fakeAccuracy: z.number().nullable(),
  imagesPerSecond: z.number().nonnegative(),
  etaSeconds: z.number().nullable(),
});
const sample = z.object({
  type: z.literal('sample'),
  id: z.string(),
  step: z.int().nonnegative(),
  columns: z.int().positive(),
  rows: z.int().positive(),
  labels: z.array(z.string()),
  /** SHA-256 of the grid's PNG in the blob store. */
  sha256: z.string(),
  width: z.int().positive(),
  height: z.int().positive(),
});
const state = z.object({
  type: z.literal('state'),
  status: z.enum(RUN_STATUSES),
  reason: z.string().nullable(),
});

const measured = measures.extend({
  type: z.literal('measures'),
  step: z.int().nonnegative(),
  warnings: z.array(z.object({ code: z.enum(MEASURE_WARNINGS), message: z.string() })),
});

export const runEventBody = z.discriminatedUnion('type', [metrics, sample, measured, state]);
export type RunEventBody = z.infer<typeof runEventBody>;
export type RunEventType = RunEventBody['type'];

export interface RunEvent {
  readonly runId: string;
  /** Grows by one per run, without a gap, from 1. */
  readonly seq: number;
  readonly at: Date;
  readonly body: RunEventBody;
}

/** Whether a stream that follows the log may end after this event. */
export function isLastEvent(event: RunEvent): boolean {
  return event.body.type === 'state' && isFinal(event.body.status);
}
