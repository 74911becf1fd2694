// One side of bench:train: the same training step as people write it with tfjs-node: tfjs's own layers of operations,
// moments for batch normalisation, tf.train.adam, one operation after the other.
// node plain_step.mjs WIDTH SECONDS -> {"picturesPerSecond":…}
import { load, roundsPerSecond } from './measure.mjs';

const { tf } = await load('engine/tensorflow.js');
const [, , width, seconds] = process.argv;
const BATCH = 32;
const K = 10;
const Z = 100;
const w = Number(width);

let seed = 0;
/** @param {number[]} shape */
const normal = (...shape) => tf.variable(tf.randomNormal(shape, 0, 0.02, 'float32', ++seed));
/** @param {number} channels */
const norm = (channels) => ({ scale: tf.variable(tf.ones([channels])), offset: tf.variable(tf.zeros([channels])) });
/** @param {number[]} shape */
const zeros = (...shape) => tf.variable(tf.zeros(shape));

const G = {
  deconv1: { kernel: normal(Z + K, 128 * w), ...norm(8 * w) },
  deconv2: { kernel: normal(4, 4, 4 * w, 8 * w), ...norm(4 * w) },
  deconv3: { kernel: normal(4, 4, 2 * w, 4 * w), ...norm(2 * w) },
  deconv4: { kernel: normal(4, 4, w, 2 * w), ...norm(w) },
  deconv5: { kernel: normal(3, 3, w, w), ...norm(w) },
  deconv6: { kernel: normal(4, 4, 3, w), bias: zeros(3) },
};
const D = {
  conv1: { kernel: normal(4, 4, 3, w), bias: zeros(w) },
  conv2: { kernel: normal(3, 3, w, w), ...norm(w) },
  conv3: { kernel: normal(4, 4, w, 2 * w), ...norm(2 * w) },
  conv4: { kernel: normal(4, 4, 2 * w, 4 * w), ...norm(4 * w) },
  conv5: { kernel: normal(4, 4, 4 * w, 8 * w), ...norm(8 * w) },
  fc6: { kernel: normal(128 * w, K + 1), bias: zeros(K + 1) },
};

/** @typedef {{ kernel: any, scale?: any, offset?: any, bias?: any }} Layer */
/** @param {any} x @param {Layer} layer */
function batchNorm(x, { scale, offset }) {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  return tf.batchNorm(x, mean, variance, offset, scale, 1e-5);
}
/** @param {any} x @param {Layer} layer @param {number} stride */
function deconv(x, { kernel }, stride) {
  const side = x.shape[1] * stride;
  return tf.conv2dTranspose(x, kernel, [BATCH, side, side, kernel.shape[2]], stride, 'same');
}
/** @param {any} z @param {any} y */
function project(z, y) {
  const first = tf.reshape(tf.matMul(tf.concat([z, y], 1), G.deconv1.kernel), [BATCH, 4, 4, 8 * w]);
  return tf.relu(batchNorm(deconv(tf.relu(batchNorm(first, G.deconv1)), G.deconv2, 2), G.deconv2));
}
/** @param {any} code */
function decode(code) {
  let x = tf.relu(batchNorm(deconv(code, G.deconv3, 2), G.deconv3));
  x = tf.relu(batchNorm(deconv(x, G.deconv4, 2), G.deconv4));
  x = tf.relu(batchNorm(deconv(x, G.deconv5, 1), G.deconv5));
  return tf.sigmoid(tf.add(deconv(x, G.deconv6, 2), G.deconv6.bias));
}
/** @param {any} pictures */
function encode(pictures) {
  let x = tf.leakyRelu(tf.add(tf.conv2d(pictures, D.conv1.kernel, 2, 'same'), D.conv1.bias), 0.2);
  for (const [layer, stride] of /** @type {const} */ ([
    [D.conv2, 1],
    [D.conv3, 2],
    [D.conv4, 2],
  ]))
    x = tf.leakyRelu(batchNorm(tf.conv2d(x, layer.kernel, stride, 'same'), layer), 0.2);
  return x;
}
/** @param {any} code */
function classify(code) {
  const x = tf.leakyRelu(batchNorm(tf.conv2d(code, D.conv5.kernel, 2, 'same'), D.conv5), 0.2);
  return tf.add(tf.matMul(tf.reshape(x, [BATCH, 128 * w]), D.fc6.kernel), D.fc6.bias);
}
const loss = (/** @type {any} */ logits, /** @type {any} */ targets) => tf.losses.sigmoidCrossEntropy(targets, logits);

const oneHot = tf
  .oneHot(
    tf.tensor1d(
      Array.from({ length: BATCH }, (_, i) => i % K),
      'int32',
    ),
    K,
  )
  .toFloat();
const targets = tf.concat([oneHot, tf.zeros([BATCH, 1])], 1);
const fake = tf.concat([tf.zeros([BATCH, K]), tf.ones([BATCH, 1])], 1);
const real = tf.randomUniform([BATCH, 64, 64, 3], 0, 1, 'float32', 7);
const weightsOf = (/** @type {Record<string, Layer>} */ net) =>
  Object.values(net).flatMap((layer) => Object.values(layer));
const [ofG, ofD] = [weightsOf(G), weightsOf(D)];
const [adamG, adamD] = [tf.train.adam(2e-4, 0.5, 0.999, 1e-8), tf.train.adam(2e-4, 0.5, 0.999, 1e-8)];

function step() {
  const losses = tf.tidy(() => {
    const z = tf.randomNormal([BATCH, Z]);
    const fakes = decode(project(z, oneHot));
    const d = adamD.minimize(
      () => tf.add(loss(classify(encode(real)), targets), loss(classify(encode(fakes)), fake)),
      true,
      ofD,
    );
    const code = encode(real);
    const g = adamG.minimize(
      () =>
        tf.add(
          loss(classify(encode(decode(project(z, oneHot)))), targets),
          tf.losses.meanSquaredError(real, decode(code)),
        ),
      true,
      ofG,
    );
    return [d, g];
  });
  for (const value of losses) value?.dataSync();
  tf.dispose(losses);
}

const rate = roundsPerSecond(step, Number(seconds));
console.log(JSON.stringify({ picturesPerSecond: rate * BATCH }));
