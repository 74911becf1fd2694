// The machine's rate of multiplying matrices, by the same TensorFlow. -> {"gmacPerSecond":…}
import { load, roundsPerSecond } from './measure.mjs';

const { tf } = await load('engine/tensorflow.js');
const SIDE = 2048;
const SECONDS = 3;
const [a, b] = [1, 2].map((seed) => tf.randomNormal([SIDE, SIDE], 0, 1, 'float32', seed));
const multiply = () =>
  tf.tidy(() => {
    // One number is read, so that the product is there.
    tf.slice(tf.matMul(a, b), [0, 0], [1, 1]).dataSync();
  });
console.log(JSON.stringify({ gmacPerSecond: (SIDE ** 3 * roundsPerSecond(multiply, SECONDS)) / 1e9 }));
