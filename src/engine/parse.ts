/**
 * The border between the API process and its engine children: `unknown` in, a message of protocol.ts out, or a ZodError
 * that names what is wrong. Both ends parse what they hear.
 */
import { z } from 'zod';
import { ERROR_CODES } from '../core/errors.ts';
import { LABEL_KINDS } from '../core/labels.ts';
import { measures } from '../core/measures.ts';
import { trainConfig } from '../core/presets.ts';
import { MAX_SEED } from '../core/seeds.ts';
import type { FromGenerator, FromTrainer, ToGenerator, ToTrainer } from './protocol.ts';

const step = z.int().nonnegative();
const side = z.int().positive().max(65_535);
const pixels = z.instanceof(Uint8Array);
const seed = z.int().min(0).max(MAX_SEED);
const slug = z.string().min(1);
const accuracy = z.number().nullable();
const conditions = z.object({
  artist: slug.exactOptional(),
  style: slug.exactOptional(),
  genre: slug.exactOptional(),
});
const mix = z.array(z.object({ weight: z.number(), conditions })).min(1);
const latent = z.array(z.object({ weight: z.number(), seed })).min(1);
const probability = z.number().min(0).max(1);

const fromChild = [
  z.object({ type: z.literal('hello'), version: z.int(), device: z.string() }),
  z.object({ type: z.literal('alive'), rss: z.number().nonnegative(), tensors: z.int().nonnegative() }),
  z.object({ type: z.literal('log'), level: z.enum(['info', 'warn', 'error']), message: z.string() }),
] as const;

const fromTrainer = z.discriminatedUnion('type', [
  ...fromChild,
  z.object({ type: z.literal('started'), step, damaged: z.array(z.string()) }),
  z.object({
    type: z.literal('metrics'),
    step,
    dLoss: z.number(),
    gLoss: z.number(),
    l2Loss: z.number().nullable(),
    realAccuracy: accuracy,
    fakeAccuracy: accuracy,
    imagesPerSecond: z.number().nonnegative(),
    etaSeconds: z.number().nullable(),
  }),
  z
    .object({
      type: z.literal('sample'),
      step,
      columns: z.int().positive(),
      rows: z.int().positive(),
      labels: z.array(z.string()),
      width: side,
      height: side,
      pixels,
    })
    .refine((grid) => grid.pixels.length === grid.width * grid.height * 3, 'the pixels do not fill the grid'),
  measures.extend({ type: z.literal('measures'), step }),
  z.object({ type: z.literal('checkpoint'), step, dir: z.string(), sha256: z.string(), bytes: z.int().nonnegative() }),
  z.object({
    type: z.literal('ended'),
    step,
    reason: z.enum(['finished', 'diverged', 'failed', 'disk-full', 'pause', 'cancel', 'shutdown']),
    message: z.string().nullable(),
  }),
]);

const fromGenerator = z.discriminatedUnion('type', [
  ...fromChild,
  z.object({
    type: z.literal('painted'),
    parts: z.array(z.object({ id: z.int(), pictures: z.int().positive() })).min(1),
    width: side,
    height: side,
    pixels,
  }),
  z.object({
    type: z.literal('classified'),
    id: z.int(),
    kinds: z.array(z.object({ kind: z.enum(LABEL_KINDS), labels: z.array(probability), fake: probability })),
  }),
  z.object({ type: z.literal('written'), id: z.int() }),
  z.object({ type: z.literal('refused'), id: z.int(), code: z.enum(ERROR_CODES).nullable(), message: z.string() }),
]);

const toTrainer = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('train'),
    job: z.object({
      name: z.string(),
      config: trainConfig,
      seed,
      totalSteps: z.int().positive(),
      pack: z.string(),
      packSha256: z.string(),
      checkpointsDir: z.string(),
      resumeFrom: z.array(z.string()),
      classifiersDir: z.string(),
      measuredStep: step,
      modelDir: z.string(),
    }),
  }),
  z.object({ type: z.literal('stop'), why: z.enum(['pause', 'cancel', 'shutdown']) }),
]);

const toGenerator = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('paint'),
    id: z.int(),
    modelDir: z.string(),
    pictures: z
      .array(z.union([z.object({ mix, latent, truncation: z.number().min(0).max(1) }), z.object({ mix, pixels })]))
      .min(1),
  }),
  z.object({ type: z.literal('classify'), id: z.int(), modelDir: z.string(), pixels }),
  z.object({
    type: z.literal('export'),
    id: z.int(),
    modelDir: z.string(),
    format: z.enum(['saved-model', 'tfjs']),
    into: z.string(),
  }),
  z.object({ type: z.literal('adopt'), id: z.int(), from: z.string(), into: z.string() }),
]);

/** @throws ZodError */
export const parseFromTrainer = (message: unknown): FromTrainer => fromTrainer.parse(message);
/** @throws ZodError */
export const parseFromGenerator = (message: unknown): FromGenerator => fromGenerator.parse(message);
/** @throws ZodError */
export const parseToTrainer = (message: unknown): ToTrainer => toTrainer.parse(message);
/** @throws ZodError */
export const parseToGenerator = (message: unknown): ToGenerator => toGenerator.parse(message);
