/**
 * The one way to TensorFlow: loads tfjs-node's binding (put in place by scripts/setup.mjs), or tfjs's JavaScript
 * backend where there is none. Only engine children may import it: loading takes time, and every operation blocks.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import util from 'node:util';

type Tf = typeof import('@tensorflow/tfjs-core');

// TensorFlow reads its settings from the environment, once, when its library is loaded.
process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
// Otherwise the first process takes the whole GPU, and the generator has nothing left beside a trainer.
process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
// oneDNN's kernels, which TensorFlow would leave out on processors without AVX-512: with them painting is three times as
// fast there, and gives the same numbers as on newer ones.
if (process.arch === 'x64') process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '1';
if (process.env['DEVICE'] === 'cpu') process.env['CUDA_VISIBLE_DEVICES'] = '-1';

// tfjs-node 4.22 calls two helpers that Node 23 took away.
Object.assign(util, {
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  isArray: Array.isArray,
});

const load = createRequire(import.meta.url);

function loadNative(): Tf | undefined {
  try {
    return load('@tensorflow/tfjs-node-gpu');
  } catch {
    // No binding, or one that does not fit: scripts/doctor.mjs tells why. The caller of `device` sees what it got.
    return undefined;
  }
}

function loadJavaScript(): Tf {
  const js: Tf = createRequire(load.resolve('@tensorflow/tfjs-node-gpu/package.json'))('@tensorflow/tfjs');
  // Silences its advertisement for tfjs-node, and nothing else.
  js.env().set('PROD', true);
  js.setBackend('cpu');
  return js;
}

const loaded = loadNative();

export const tf: Tf = loaded ?? loadJavaScript();

/** Whether TensorFlow itself computes: if not, there are no raw operations and no graphs, only tfjs's own kernels. */
export const native = loaded !== undefined;

/** Whether networks run as recorded graphs. ENGINE=eager keeps the reference path, operation by operation. */
export const compiles = native && process.env['ENGINE'] !== 'eager';

/** Frees every tensor that `work` made and did not keep; what it returns are plain values. */
export function scoped<T>(work: () => T): T {
  tf.engine().startScope();
  try {
    return work();
  } finally {
    tf.engine().endScope();
  }
}

/** What computes, in words for people: 'GPU: NVIDIA H100', 'CPU', or 'CPU (JavaScript, slow)'. */
export function device(): string {
  if (!native) return 'CPU (JavaScript, slow)';
  const backend = tf.backend();
  const gpu = 'isUsingGpuDevice' in backend && backend.isUsingGpuDevice === true;
  return gpu ? `GPU: ${gpuName() ?? 'NVIDIA'}` : 'CPU';
}

function gpuName(): string | undefined {
  const first = Number.parseInt(process.env['CUDA_VISIBLE_DEVICES'] ?? '0', 10) || 0;
  const folder = '/proc/driver/nvidia/gpus';
  try {
    const bus = readdirSync(folder).sort()[first];
    return /^Model:\s*(.+?)\s*$/m.exec(readFileSync(`${folder}/${bus}/information`, 'utf8'))?.[1];
  } catch {
    // Under WSL the driver has no such folder.
    return undefined;
  }
}
