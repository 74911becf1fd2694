/** Layers that say the same as something slower, or something that is known. */
import type { Scalar, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { augment, draw } from '../../src/engine/gan/augment.ts';
import { upsampledConv2d, withPairDeviation } from '../../src/engine/gan/layers.ts';
import { directionSpec, keepDirections, normalised, powerIteration } from '../../src/engine/gan/spectral.ts';
import { averageOverlapping } from '../../src/engine/gan/tip2019.ts';
import { Weights } from '../../src/engine/gan/weights.ts';
import { tf } from '../../src/engine/tensorflow.ts';
import { numbers } from '../helpers/engine.ts';

describe('a convolution on the upsampled picture in one operation', () => {
  it('is the convolution of the upsampled picture, with the same gradients', () => {
    const spec = { name: 'c.kernel', shape: [3, 3, 5, 4], init: { std: 1 }, trainable: true };
    using weights = Weights.fromSeed([spec], 1);
    const kernel = weights.get('c.kernel');
    const plain = (x: Tensor4D) => {
      // The transposed layout: turned by 180 degrees, channels swapped.
      const usual = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]) as Tensor4D;
      return tf.conv2d(tf.image.resizeNearestNeighbor(x, [12, 12]), usual, 1, 'same');
    };
    const gradients = (f: (x: Tensor4D) => Tensor) =>
      tf.tidy(() => {
        const x = tf.variable(numbers(2, 2, 6, 6, 4)) as unknown as Tensor4D;
        const y = f(x);
        const weighted = () => tf.sum(tf.mul(f(x), numbers(3, 2, 12, 12, 5))) as Scalar;
        const { grads } = tf.variableGrads(weighted, [kernel]);
        return [y, ...Object.values(grads)].map((tensor) => [...tensor.dataSync()]);
      });
    const [ours, theirs] = [gradients((x) => upsampledConv2d(weights, 'c', x)), gradients(plain)];
    ours.forEach((values, i) => {
      expect(values).toEqual(theirs[i]?.map((value) => expect.closeTo(value, 3)));
    });
  });
});

describe('the deviation of pairs', () => {
  it('is one more channel, the same for both of a pair, and 0 for equal ones', () => {
    const one = (value: number) => [value, value, value, value];
    const x = tf.tensor4d([...one(1), ...one(5), ...one(3), ...one(3)], [4, 2, 2, 1]);
    const channel = tf.tidy(() => tf.slice(withPairDeviation(x), [0, 0, 0, 1], [4, 2, 2, 1]).dataSync());
    expect([...channel]).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0].map((v) => expect.closeTo(v, 3)));
    const odd = tf.tidy(() => withPairDeviation(tf.ones([3, 2, 2, 1]) as Tensor4D).shape);
    expect(odd).toEqual([3, 2, 2, 2]);
  });
});

describe('spectral normalisation', () => {
  const specs = [{ name: 'd.kernel', shape: [1, 1, 3, 3], init: { std: 1 }, trainable: true }, directionSpec('d', 3)];

  it('finds the largest singular value and divides by it', () => {
    using weights = Weights.fromSeed(specs, 1);
    tf.tidy(() => weights.assign('d.kernel', tf.tensor4d([3, 0, 0, 0, -7, 0, 0, 0, 1], [1, 1, 3, 3])));
    for (let step = 0; step < 20; step++) tf.tidy(() => keepDirections(weights, powerIteration(weights, ['d'])));
    const kernel = tf.tidy(() =>
      normalised(weights, powerIteration(weights, ['d']))
        .get('d.kernel')
        .dataSync(),
    );
    expect([...kernel]).toEqual([3, 0, 0, 0, -7, 0, 0, 0, 1].map((value) => expect.closeTo(value / 7, 4)));
  });

  it('lets the gradient reach the kernel, less the part that only makes it larger', () => {
    using weights = Weights.fromSeed(specs, 1);
    for (let step = 0; step < 50; step++) tf.tidy(() => keepDirections(weights, powerIteration(weights, ['d'])));
    const along = tf.tidy(() => {
      const directions = powerIteration(weights, ['d']);
      const loss = () => tf.sum(tf.square(normalised(weights, directions).get('d.kernel'))) as Scalar;
      const { grads } = tf.variableGrads(loss, [weights.get('d.kernel')]);
      const [gradient] = Object.values(grads);
      // Scaling W changes nothing, so the gradient has no part in its direction.
      return tf.sum(tf.mul(gradient ?? tf.scalar(Number.NaN), weights.get('d.kernel'))).dataSync()[0];
    });
    expect(along).toBeCloseTo(0, 4);
  });
});

describe('the overlapping average of the TIP 2019 paper', () => {
  it('is TensorFlow’s average pooling of 3 x 3 at every second place', () => {
    const pictures = numbers(4, 2, 8, 8, 3) as Tensor4D;
    const [ours, theirs] = tf.tidy(() =>
      [averageOverlapping(pictures), tf.avgPool(pictures, 3, 2, 'same')].map((tensor) => [...tensor.dataSync()]),
    ) as number[][];
    expect(ours).toEqual(theirs?.map((value) => expect.closeTo(value, 5)));
  });
});

describe('augmentation', () => {
  const request = { seed: 5, counter: 9, batch: 3, side: 16 };

  it('shifts every picture by its own numbers, and what comes in is 0', () => {
    const picture = tf.ones([3, 16, 16, 3]) as Tensor4D;
    const shifts = tf.tensor2d([0, 0, 2, 0, 0, -1], [3, 2], 'int32');
    const moved = tf.tidy(() => tf.sum(augment(picture, { translation: shifts }), 3).arraySync()) as number[][][];
    const rowsOf = (i: number) => moved[i]?.map((row) => row.reduce((sum, value) => sum + value, 0));
    expect(rowsOf(0)).toEqual(new Array(16).fill(48));
    expect(rowsOf(1)).toEqual([0, 0, ...new Array(14).fill(48)]);
    expect(moved[2]?.[0]).toEqual([...new Array(15).fill(3), 0]);
  });

  it('cuts a square of half the side out, less where it hangs over the edge', () => {
    const centres = tf.tensor2d([8, 8, 0, 0, 15, 8], [3, 2], 'int32');
    const cut = tf.tidy(() =>
      tf.sum(augment(tf.ones([3, 16, 16, 1]) as Tensor4D, { cutout: centres }), [1, 2, 3]).dataSync(),
    );
    expect([...cut]).toEqual([256 - 64, 256 - 16, 256 - 5 * 8]);
  });

  it('changes brightness alone where the other numbers stand in the middle', () => {
    const picture = numbers(1, 3, 4, 4, 3) as Tensor4D;
    const changed = tf.tidy(() => {
      const random = tf.tensor2d([0.75, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.5, 0.5], [3, 3]);
      return tf.mean(tf.sub(augment(picture, { color: random }), picture), [1, 2, 3]).dataSync();
    });
    expect([...changed]).toEqual([0.25, 0, -0.25].map((value) => expect.closeTo(value, 5)));
  });

  it('draws the same numbers for the same counter, within their bounds', () => {
    const drawn = (kind: 'color' | 'translation' | 'cutout', counter: number) => [
      ...tf.tidy(() => draw(kind, { ...request, batch: 200, counter }).dataSync()),
    ];
    expect(drawn('translation', 1)).toEqual(drawn('translation', 1));
    expect(drawn('translation', 1)).not.toEqual(drawn('translation', 2));
    expect([...new Set(drawn('translation', 1))].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
    expect(Math.min(...drawn('cutout', 1))).toBe(0);
    expect(Math.max(...drawn('cutout', 1))).toBe(15);
    expect(drawn('color', 1).every((value) => value >= 0 && value < 1)).toBe(true);
  });
});
