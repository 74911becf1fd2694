// Run in a child process: loads the TensorFlow binding as the engine does, multiplies two small matrices, and prints
// what it ran on as one line of JSON. A library that does not fit this machine ends this process, not the caller's.
import { createRequire } from 'node:module';
import util from 'node:util';

process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
if (process.env.DEVICE === 'cpu') process.env.CUDA_VISIBLE_DEVICES = '-1';
// tfjs-node 4.22 calls two helpers that Node 23 took away.
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;

const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu');
const size = 64;
const a = Float32Array.from({ length: size * size }, (_, i) => (i % 7) - 3);
const b = Float32Array.from({ length: size * size }, (_, i) => (i % 5) - 2);
const product = tf.matMul(tf.tensor2d(a, [size, size]), tf.tensor2d(b, [size, size])).dataSync();
for (let row = 0; row < size; row++) {
  for (let column = 0; column < size; column++) {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += a[row * size + k] * b[k * size + column];
    // Small whole numbers: every order of summing gives the same floats.
    if (product[row * size + column] !== sum) throw new Error(`wrong product at ${row}, ${column}`);
  }
}
const { binding, isUsingGpuDevice } = tf.backend();
console.log(JSON.stringify({ version: binding.TF_Version, gpu: isUsingGpuDevice }));
