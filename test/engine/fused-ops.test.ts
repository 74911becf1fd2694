import type { Rank, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { batchNormTraining, biasAdd, leakyRelu, relu, sigmoid, tanh } from '../../src/engine/gan/fused-ops.ts';
import { tf } from '../../src/engine/tensorflow.ts';

const EPSILON = 1e-5;
const x = () => tf.randomNormal<Rank.R4>([3, 4, 4, 2], 0.5, 2, 'float32', 1);
const gain = () => tf.tensor1d([0.5, 2]);
const shift = () => tf.tensor1d([-1, 3]);
/** A loss with a different weight for every output, so that no gradient cancels. */
const weighted = (y: Tensor4D) => tf.sum(tf.mul(y, tf.reshape(tf.linspace(-1, 2, 96), [3, 4, 4, 2])));

describe('the fused kernels agree with the same mathematics composed of tfjs operations', () => {
  it('batch normalisation: output, statistics and all three gradients', () => {
    const composed = (a: Tensor4D, scale: Tensor1D, offset: Tensor1D) => {
      const { mean, variance } = tf.moments(a, [0, 1, 2]);
      return tf.batchNorm4d(a, mean as Tensor1D, variance as Tensor1D, offset, scale, EPSILON);
    };
    const fused = (a: Tensor4D, scale: Tensor1D, offset: Tensor1D) => {
      const { y, mean, variance } = batchNormTraining({ x: a, scale, offset, epsilon: EPSILON });
      tf.dispose([mean, variance]);
      return y;
    };
    // Of 48 places a channel, as of a sample: divided by 47.
    const composedStatistics = tf.tidy(() => {
      const { mean, variance } = tf.moments(x(), [0, 1, 2]);
      return [...mean.dataSync(), ...tf.mul(variance, 48 / 47).dataSync()];
    });
    const statistics = batchNormTraining({ x: x(), scale: gain(), offset: shift(), epsilon: EPSILON });
    expect([...statistics.mean.dataSync(), ...statistics.variance.dataSync()]).toEqual(
      composedStatistics.map((number) => expect.closeTo(number, 4)),
    );
    const gradients = (norm: typeof fused) =>
      tf.tidy(() => {
        const loss = (...args: import('@tensorflow/tfjs-core').Tensor[]) => {
          const [a, scale, offset] = args;
          return weighted(norm(a as Tensor4D, scale as Tensor1D, offset as Tensor1D));
        };
        const { value, grads } = tf.valueAndGrads(loss)([x(), gain(), shift()]);
        return [value, ...grads].map((tensor) => [...tensor.dataSync()]);
      });
    const [ours, theirs] = [gradients(fused), gradients(composed)];
    ours.forEach((values, i) => {
      expect(values).toEqual(theirs[i]?.map((number) => expect.closeTo(number, 3)));
    });
  });

  it('and so does what stands in for them where the backend is not TensorFlow', async () => {
    const results = (): number[] => {
      const { y, mean, variance } = batchNormTraining({ x: x(), scale: gain(), offset: shift(), epsilon: EPSILON });
      return [y, mean, variance, leakyRelu(y, 0.2)].flatMap((tensor) => [...tensor.dataSync()]);
    };
    const native = results();
    const name = tf.getBackend();
    await tf.setBackend('cpu');
    try {
      expect(results()).toEqual(native.map((number) => expect.closeTo(number, 3)));
    } finally {
      await tf.setBackend(name);
    }
  });

  it.each([
    ['leaky ReLU', (a: Tensor4D) => leakyRelu(a, 0.2), (a: Tensor4D) => tf.leakyRelu(a, 0.2)],
    ['ReLU', relu, tf.relu],
    ['sigmoid', sigmoid, tf.sigmoid],
    ['tanh', tanh, tf.tanh],
    ['a bias', (a: Tensor4D) => biasAdd(a, shift()), (a: Tensor4D) => tf.add<Tensor4D>(a, shift())],
  ] as const)('%s and its gradient', (_name, fused, composed) => {
    const results = (f: (a: Tensor4D) => Tensor4D) =>
      tf.tidy(() => {
        const { value, grad } = tf.valueAndGrad((a) => weighted(f(a as Tensor4D)))(x());
        return [...value.dataSync(), ...grad.dataSync()];
      });
    expect(results(fused as never)).toEqual(results(composed as never).map((number) => expect.closeTo(number, 3)));
  });

  it('a bias has the gradient of a sum over all but the channels', () => {
    const gradient = tf.tidy(() => {
      const [, ofBias] = tf.grads((a, bias) => weighted(biasAdd(a as Tensor4D, bias as Tensor1D)))([x(), shift()]);
      return [...(ofBias?.dataSync() ?? [])];
    });
    const [even, odd] = [0, 1].map((channel) =>
      Array.from({ length: 96 }, (_, i) => (i % 2 === channel ? -1 + (3 * i) / 95 : 0)).reduce((a, b) => a + b),
    );
    expect(gradient).toEqual([even, odd].map((number) => expect.closeTo(number ?? Number.NaN, 3)));
  });
});
