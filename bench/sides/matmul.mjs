// The machine's rate of multiplying matrices, by the same TensorFlow. -> {"gmacPerSecond":…}
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { tf } = await import(
  pathToFileURL(join(import.meta.dirname, '..', '..', 'dist', 'engine', 'tensorflow.js')).href
);
const SIDE = 2048;
const [a, b] = [1, 2].map((seed) => tf.randomNormal([SIDE, SIDE], 0, 1, 'float32', seed));
const multiply = () =>
  tf.tidy(() => {
    // One number is read, so that the product is there.
    tf.slice(tf.matMul(a, b), [0, 0], [1, 1]).dataSync();
  });
multiply();
const begin = performance.now();
let rounds = 0;
while (performance.now() - begin < 3_000) {
  multiply();
  rounds++;
}
console.log(JSON.stringify({ gmacPerSecond: (SIDE ** 3 * rounds) / ((performance.now() - begin) / 1000) / 1e9 }));
