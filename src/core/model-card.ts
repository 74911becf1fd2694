/**
 * `model.json`, the card that lies beside the weights in a model's folder: all that is needed to paint with them, and
 * where they came from. Written by the trainer, read by the API and by the generator child.
 */
import { z } from 'zod';
import { trainConfig } from './presets.ts';

const label = z.object({ slug: z.string(), name: z.string(), count: z.int().nonnegative() });
export const modelCard = z.object({
  format: z.literal(1),
  name: z.string(),
  config: trainConfig,
  /** Per kind, in the order of the network's inputs. A kind that the model does not know has an empty list. */
  labels: z.object({ artist: z.array(label), style: z.array(label), genre: z.array(label) }),
  /** SHA-256 of generator.safetensors. */
  sha256: z.string(),
  /** Of discriminator.safetensors, which repaints and classifies pictures. Models of older versions have none. */
  discriminator: z.object({ sha256: z.string() }).exactOptional(),
  /** How it was trained, so that anyone can train it again. */
  provenance: z.object({
    seed: z.int().nonnegative(),
    step: z.int().nonnegative(),
    totalSteps: z.int().positive(),
    datasetSha256: z.string(),
    checkpointSha256: z.string(),
    device: z.string(),
  }),
});
export type ModelCard = z.infer<typeof modelCard>;
export type ModelLabels = ModelCard['labels'];
export const CARD_FILE = 'model.json';
export const WEIGHTS_FILE = 'generator.safetensors';
export const DISCRIMINATOR_FILE = 'discriminator.safetensors';
/** The files of a model's folder. */
export const filesOf = ({ discriminator }: Pick<ModelCard, 'discriminator'>): readonly string[] => [
  CARD_FILE,
  WEIGHTS_FILE,
  ...(discriminator === undefined ? [] : [DISCRIMINATOR_FILE]),
];
