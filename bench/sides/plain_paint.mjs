// One side of the generation part of bench:train: the generator of the studio network as people write it with tfjs-node:
// upsampling, 3 x 3 convolutions and batch normalisation of tfjs, one operation after the other.
// node plain_paint.mjs WIDTH N SECONDS -> {"picturesPerSecond":…}
import { load, roundsPerSecond } from './measure.mjs';

const { tf } = await load('engine/tensorflow.js');
const [, , width, n, seconds] = process.argv;
const count = Number(n);
const w = Number(width);
const SIDE = 64;
const Z = 128;
const EMBEDDING = 64;
const LABELS = 33;
const channels = (/** @type {number} */ side) => w * Math.min(8, SIDE / side);

let seed = 0;
/** @param {number[]} shape */
const normal = (...shape) => tf.variable(tf.randomNormal(shape, 0, 0.05, 'float32', ++seed));
/** @param {number} from @param {number} to */
const block = (from, to) => ({
  kernel: normal(3, 3, from, to),
  mean: tf.variable(tf.zeros([to])),
  variance: tf.variable(tf.ones([to])),
  gain: normal(Z + EMBEDDING, to),
  gainBias: tf.variable(tf.zeros([to])),
  shift: normal(Z + EMBEDDING, to),
  shiftBias: tf.variable(tf.zeros([to])),
});
const embedding = normal(LABELS, EMBEDDING);
const first = normal(Z + EMBEDDING, 16 * channels(4));
const blocks = [8, 16, 32, 64].map((side) => block(channels(side / 2), channels(side)));
const rgb = { kernel: normal(3, 3, channels(64), 3), bias: tf.variable(tf.zeros([3])) };

/** @param {any} x @param {any} e @param {ReturnType<typeof block>} layer */
function upsample(x, e, layer) {
  const side = x.shape[1] * 2;
  const large = tf.image.resizeNearestNeighbor(x, [side, side]);
  const normed = tf.batchNorm(tf.conv2d(large, layer.kernel, 1, 'same'), layer.mean, layer.variance);
  const gain = tf.add(tf.matMul(e, layer.gain), layer.gainBias).reshape([count, 1, 1, -1]);
  const shift = tf.add(tf.matMul(e, layer.shift), layer.shiftBias).reshape([count, 1, 1, -1]);
  return tf.leakyRelu(tf.add(tf.mul(normed, tf.add(gain, 1)), shift), 0.2);
}

function paint() {
  const pixels = tf.tidy(() => {
    const z = tf.randomNormal([count, Z]);
    const kinds = [0, 1, 2].map((kind) =>
      tf.oneHot(
        tf.tensor1d(
          Array.from({ length: count }, (_, i) => (i + kind) % 10),
          'int32',
        ),
        11,
      ),
    );
    const e = tf.concat([z, tf.matMul(tf.concat(kinds, 1).toFloat(), embedding)], 1);
    let x = tf.leakyRelu(tf.reshape(tf.matMul(e, first), [count, 4, 4, channels(4)]), 0.2);
    for (const layer of blocks) x = upsample(x, e, layer);
    const pictures = tf.tanh(tf.add(tf.conv2d(x, rgb.kernel, 1, 'same'), rgb.bias));
    return tf.cast(tf.clipByValue(tf.round(tf.mul(tf.add(pictures, 1), 127.5)), 0, 255), 'int32');
  });
  Uint8Array.from(pixels.dataSync());
  pixels.dispose();
}

const rate = roundsPerSecond(paint, Number(seconds));
console.log(JSON.stringify({ picturesPerSecond: rate * count }));
