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

  it('the variety that generated pairs lack in pixels and in composition, against that of real pairs', () => {
    // 8 x 8, one channel: light on the left and dark on the right, times a contrast, on a ground.
    const halves = (contrast: number, ground = 0) =>
      Array.from({ length: 64 }, (_, i) => ground + (i % 8 < 4 ? contrast : -contrast));
    const pairs = (first: number[], second: number[]) =>
      tf.tensor<Rank.R4>([first, second, first, second].flat(), [4, 8, 8, 1]);
    // They differ by 2 everywhere, in pixels as in composition.
    const real = () => pairs(halves(1), halves(-1));
    const lacking = (first: number[], second: number[]) => value(() => diversityLoss(pairs(first, second), real()));
    expect(lacking(halves(1), halves(1))).toBeCloseTo(1, 3);
    expect(lacking(halves(1), halves(-1))).toBeCloseTo(0, 3);
    // Brighter by 1, and the same drawing: half of the pixels' variety, none of the composition's.
    expect(lacking(halves(1), halves(1, 1))).toBeCloseTo((0.5 + 1) / 2, 3);
    // Mirrored at half the contrast: all of the composition's, and 1.5 of 2 in pixels.
    expect(lacking(halves(1), halves(-0.5))).toBeCloseTo((0.25 + 0) / 2, 2);
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
