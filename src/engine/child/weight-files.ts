/** Weights as safetensors files, and back: compared with what the networks need before they are used. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { type WeightSpec, Weights } from '../gan/weights.ts';
import { sha256 } from './durable.ts';
import { decodeSafetensors, type StoredTensor } from './safetensors.ts';

export async function storedTensors(weights: Weights): Promise<Map<string, StoredTensor>> {
  return tensorsOf(weights.specs, await weights.read());
}

/** Values with the shapes that `specs` gives them. */
export function tensorsOf(
  specs: readonly WeightSpec[],
  values: ReadonlyMap<string, Float32Array>,
): Map<string, StoredTensor> {
  return new Map(specs.map(({ name, shape }) => [name, { shape, values: values.get(name) ?? new Float32Array() }]));
}

/** The weights in a file, as `specs` lists them. @throws AppError DAMAGED_FILE */
export function loadWeights(path: string, expectedSha256: string, specs: readonly WeightSpec[]): Weights {
  const bytes = readWhole(path);
  if (sha256(bytes) !== expectedSha256)
    throw new AppError('DAMAGED_FILE', `${basename(path)} is not the file that its card names.`);
  const values = matching(decodeSafetensors(bytes).tensors, specs);
  return new Weights(specs, ({ name }) => values.get(name) ?? new Float32Array());
}

/** The values for `specs`, stored under `<group>/<name>` where a group is given. @throws AppError DAMAGED_FILE */
export function matching(
  tensors: ReadonlyMap<string, StoredTensor>,
  specs: readonly WeightSpec[],
  group?: string,
): Map<string, Float32Array> {
  return new Map(
    specs.map(({ name, shape }) => {
      const key = group === undefined ? name : `${group}/${name}`;
      const tensor = tensors.get(key);
      if (tensor === undefined || tensor.shape.join() !== shape.join()) {
        const found = tensor === undefined ? 'none' : `[${tensor.shape.join(', ')}]`;
        throw new AppError('DAMAGED_FILE', `${key} should have the shape [${shape.join(', ')}] and has ${found}.`);
      }
      return [name, tensor.values];
    }),
  );
}

/** @throws AppError DAMAGED_FILE */
export function readWhole(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new AppError('DAMAGED_FILE', `${path} cannot be read.`, { cause });
  }
}
