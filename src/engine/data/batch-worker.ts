/** The thread that reads batches: gets steps, gives their batches (see prefetch.ts). It knows nothing of TensorFlow. */
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { trainConfig } from '../../core/presets.ts';
import { PackReader } from '../../datasets/pack-reader.ts';
import { Batches } from './batches.ts';

const source = z.object({
  pack: z.string(),
  config: trainConfig,
  seed: z.int().nonnegative(),
  pixelRange: z.tuple([z.number(), z.number()]),
});

const port = parentPort;
if (port === null) throw new Error('Only a thread of its own can read batches');
const { pack, ...rest } = source.parse(workerData);
const batches = new Batches({ pack: PackReader.open(pack), ...rest });
port.on('message', (step: number) => {
  const batch = batches.at(step);
  const buffers = [batch.pictures, batch.latents].map(({ buffer }) => buffer as ArrayBuffer);
  port.postMessage({ step, batch }, buffers);
});
