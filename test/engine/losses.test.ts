import type { Rank } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { diversityLoss, labelLoss, sigmoidLoss, softmaxLoss, squaredError } from '../../src/engine/gan/losses.ts';
import { tf } from '../../src/engine/tensorflow.ts';

const value = (scalar: () => import('@tensorflow/tfjs-core').Scalar) =>
  tf.tidy(() => scalar().dataSync()[0] ?? Number.NaN);
const rows = (values: number[][]) => tf.tensor2d(values);

describe('the losses, against values computed by hand', () => {
  it('binary cross-entropy of K + 1 independent outputs, mean over batch and classes', () => {
    // sigmoid(0) = 1/2: every output costs log 2, whatever the target.
    expect(value(() => sigmoidLoss(rows([[0, 0, 0]]), rows([[1, 0, 0]])))).toBeCloseTo(Math.log(2), 6);
    // sigmoid(log 3) = 3/4: the true index costs -log 3/4, the others -log(1 - p).
    const logits = [Math.log(3), Math.log(3), -Math.log(3)];
    const expected = (-Math.log(3 / 4) - Math.log(1 - 3 / 4) - Math.log(1 - 1 / 4)) / 3;
    expect(value(() => sigmoidLoss(rows([logits]), rows([[1, 0, 0]])))).toBeCloseTo(expected, 6);
  });

  it('stays finite where the outputs are far out', () => {
    expect(value(() => sigmoidLoss(rows([[200, -200]]), rows([[0, 1]])))).toBeCloseTo(200, 3);
    expect(value(() => softmaxLoss(rows([[200, -200]]), rows([[0, 1]])))).toBeCloseTo(400, 3);
  });

  it('cross-entropy of one distribution: minus the logarithm of the probability of what was asked', () => {
    // exp of the logits: 1, 2, 5: probabilities 1/8, 2/8, 5/8.
    const logits = [[0, Math.log(2), Math.log(5)]];
    expect(value(() => softmaxLoss(rows(logits), rows([[0, 0, 1]])))).toBeCloseTo(-Math.log(5 / 8), 6);
    // An unknown label asks for any of the two labels, that is, not for FAKE.
    expect(value(() => softmaxLoss(rows(logits), rows([[1, 1, 0]])))).toBeCloseTo(-Math.log(3 / 8), 6);
  });

  it('with a logit of 0 for FAKE, is the loss of the TIP 2019 paper', () => {
    // K logits, a = logsumexp: real: CE(y) - a + softplus(a); generated, for D: softplus(a).
    const logits = [0.5, -1, 2];
    const a = Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0));
    const softplus = Math.log(1 + Math.exp(a));
    const withFake = rows([[...logits, 0]]);
    expect(value(() => softmaxLoss(withFake, rows([[0, 1, 0, 0]])))).toBeCloseTo(a - -1 - a + softplus, 5);
    expect(value(() => softmaxLoss(withFake, rows([[0, 0, 0, 1]])))).toBeCloseTo(softplus, 5);
  });

  it('is the mean over the heads', () => {
    const heads = () => [rows([[0, 0]]), rows([[0, 0, 0, 0]])];
    const asked = () => [rows([[1, 0]]), rows([[1, 0, 0, 0]])];
    expect(value(() => labelLoss('softmax', heads(), asked()))).toBeCloseTo((Math.log(2) + Math.log(4)) / 2, 6);
    expect(value(() => labelLoss('sigmoid', heads(), asked()))).toBeCloseTo(Math.log(2), 6);
  });

  it('the reconstruction is the mean squared difference of the pixels', () => {
    const picture = (values: number[]) => tf.tensor<Rank.R4>(values, [1, 2, 1, 2]);
    expect(value(() => squaredError(picture([0, 0, 1, 1]), picture([0, 1, 1, 3])))).toBeCloseTo((0 + 1 + 0 + 4) / 4, 6);
  });

  it('the variety that generated pairs lack, against that of real pairs', () => {
    // Four pictures of one pixel and one channel: the pairs differ by 1 and by 3, in the mean by 2.
    const pictures = (values: number[]) => tf.tensor<Rank.R4>(values, [4, 1, 1, 1]);
    const real = () => pictures([0, 1, 2, -1]);
    expect(value(() => diversityLoss(pictures([5, 5, 7, 7]), real()))).toBeCloseTo(1, 5);
    expect(value(() => diversityLoss(pictures([0, 0.5, 0, 0.5]), real()))).toBeCloseTo(0.75, 5);
    expect(value(() => diversityLoss(pictures([0, 9, 0, 9]), real()))).toBe(0);
  });

  it('has the gradient of its formula: sigmoid(a) - t over the number of outputs', () => {
    const gradient = tf.tidy(() =>
      tf
        .grad((x) => sigmoidLoss(x as ReturnType<typeof rows>, rows([[1, 0]])))(rows([[0, Math.log(3)]]))
        .arraySync(),
    );
    expect(gradient).toEqual([[expect.closeTo(-0.25, 6), expect.closeTo(0.375, 6)]]);
  });
});
