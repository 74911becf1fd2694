import type { Rank } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { PRESETS, type TrainConfig } from '../../src/core/presets.ts';
import { normal, uniform } from '../../src/core/seeds.ts';
import { Painter } from '../../src/engine/child/paint.ts';
import { architectureOf } from '../../src/engine/gan/architecture.ts';
import { conditionRows, conditions, labelTensor } from '../../src/engine/gan/conditions.ts';
import { INFERENCE } from '../../src/engine/gan/layers.ts';
import type { Batch } from '../../src/engine/gan/step-inputs.ts';
import { Trainer } from '../../src/engine/gan/trainer.ts';
import type { Weights } from '../../src/engine/gan/weights.ts';
import { tf } from '../../src/engine/tensorflow.ts';
import { randomBatch } from '../helpers/engine.ts';

const CLASSES = { artist: 0, style: 2, genre: 0 };
const tiny: TrainConfig = {
  ...PRESETS.studio.config,
  preset: 'studio',
  resolution: 32,
  labelKinds: ['style'],
  width: 4,
  latentSize: 8,
  batchSize: 8,
  emaDecay: 0.9,
};
const TOTAL = 1000;
/** How many learned weights of a part differ, kept directions left out; a weight that starts at 0 shows even the move of a rate that is as good as nothing. */
const changed = (before: ReadonlyMap<string, Float32Array>, after: ReadonlyMap<string, Float32Array>, part: string) =>
  [...before].filter(([name, values]) => {
    const now = after.get(name);
    const learned = name.startsWith(part) && !name.endsWith('.direction');
    return learned && values.some((value, i) => Math.abs(value - (now?.[i] ?? Number.NaN)) > 1e-20);
  }).length;

describe('who learns from what', () => {
  // A step of D alone or of G alone is a step in which the other's learning rate is as good as nothing: float32 keeps the weights.
  const still = 1e-30;

  it('leaves D untouched by the step of G', async () => {
    const config = { ...tiny, discriminatorLearningRate: still };
    using trainer = new Trainer(architectureOf(config, CLASSES), config, 1);
    const before = await trainer.state.weights.read();
    trainer.step(1, randomBatch(trainer.net, config, 1), TOTAL);
    const after = await trainer.state.weights.read();
    expect(changed(before, after, 'discriminator.')).toBe(0);
    expect(changed(before, after, 'generator.')).toBeGreaterThanOrEqual(
      trainer.state.weights.trainable('generator.').size,
    );
  });

  it('leaves G untouched by the step of D', async () => {
    const config = { ...tiny, generatorLearningRate: still };
    using trainer = new Trainer(architectureOf(config, CLASSES), config, 1);
    const before = await trainer.state.weights.read();
    trainer.step(1, randomBatch(trainer.net, config, 1), TOTAL);
    const after = await trainer.state.weights.read();
    const trainable = trainer.net.specs.filter(({ trainable, name }) => trainable && name.startsWith('generator.'));
    expect(trainable.filter(({ name }) => changed(before, after, name) > 0)).toEqual([]);
    expect(changed(before, after, 'discriminator.')).toBe(trainer.state.weights.trainable('discriminator.').size);
  });

  it('lets the reconstruction reach G alone: D moves the same with and without it, G does not', async () => {
    const [withL2, without] = await Promise.all(
      [1, 0].map(async (reconstructionWeight) => {
        const config = { ...tiny, reconstructionWeight };
        using trainer = new Trainer(architectureOf(config, CLASSES), config, 1);
        const { l2Loss } = trainer.step(1, randomBatch(trainer.net, config, 1), TOTAL);
        return { l2Loss, weights: await trainer.state.weights.read() };
      }),
    );
    expect(withL2?.l2Loss).toBeGreaterThan(0);
    expect(without?.l2Loss).toBeNull();
    expect(changed(withL2?.weights ?? new Map(), without?.weights ?? new Map(), 'discriminator.')).toBe(0);
    expect(changed(withL2?.weights ?? new Map(), without?.weights ?? new Map(), 'generator.')).toBeGreaterThan(5);
  });
});

describe('the reconstruction of the TIP 2019 paper', () => {
  it('reaches D and G: both move otherwise without it', async () => {
    const small = { width: 2, batchSize: 4, labelKinds: ['style' as const] };
    const [withL2, without] = await Promise.all(
      [0.5, 0].map(async (reconstructionWeight) => {
        const base: TrainConfig = { ...PRESETS.tip2019.config, preset: 'tip2019', resolution: 64, ...small };
        const config = { ...base, reconstructionWeight };
        using trainer = new Trainer(architectureOf(config, CLASSES), config, 1);
        const { l2Loss } = trainer.step(1, randomBatch(trainer.net, config, 1), TOTAL);
        return { l2Loss, weights: await trainer.state.weights.read() };
      }),
    );
    expect(withL2?.l2Loss).toBeGreaterThan(0);
    expect(without?.l2Loss).toBeNull();
    const moved = (part: string) => changed(withL2?.weights ?? new Map(), without?.weights ?? new Map(), part);
    expect(moved('discriminator.conv')).toBeGreaterThan(5);
    expect(moved('generator.')).toBeGreaterThan(5);
  });
});

/** Label 0: reddish pictures, label 1: bluish ones; in the network's range of -1..1. */
function twoColours(step: number): Batch {
  const { batchSize: n, resolution: side, latentSize } = tiny;
  // In pairs of the same label, as the sampler draws them.
  const labels = [Int32Array.from({ length: n }, (_, i) => (i >> 1) % 2)];
  const noise = uniform(5, 'crop', step, n * side * side * 3);
  const pictures = noise.map((value, i) => {
    const bright = i % 3 === ((Math.floor(i / (side * side * 3)) >> 1) % 2 === 0 ? 0 : 2);
    return (bright ? 0.7 : -0.7) + (value - 0.5) * 0.4;
  });
  return { pictures, labels, latents: normal(5, 'trainLatent', step, n * latentSize), asked: labels };
}

describe('a tiny run', () => {
  it('learns to separate two colours by label', () => {
    using trainer = new Trainer(architectureOf(tiny, CLASSES), tiny, 2);
    for (let step = 1; step <= 250; step++) trainer.step(step, twoColours(step), TOTAL);
    const count = 16;
    const labels = [Int32Array.from({ length: count }, (_, i) => i % 2)];
    const latents = normal(9, 'gridLatent', 0, count * tiny.latentSize);
    using painter = new Painter(trainer.net, trainer.average, tiny);
    const pixels = painter.paint({ latents, y: conditionRows(trainer.net, labels) });
    // Red minus blue, 0..255: far above 0 for label 0 and far below for label 1.
    const redness = Array.from({ length: count }, (_, picture) => {
      const size = 32 * 32 * 3;
      let sum = 0;
      for (let i = picture * size; i < (picture + 1) * size; i += 3) sum += (pixels[i] ?? 0) - (pixels[i + 2] ?? 0);
      return sum / (32 * 32);
    });
    const red = redness.filter((_, i) => i % 2 === 0);
    const blue = redness.filter((_, i) => i % 2 === 1);
    expect(Math.min(...red)).toBeGreaterThan(40);
    expect(Math.max(...blue)).toBeLessThan(-40);
  });

  it('paints a picture the same alone, in a batch, and at any place of it', () => {
    using trainer = new Trainer(architectureOf(tiny, CLASSES), tiny, 2);
    const one = (seed: number) => normal(seed, 'pictureLatent', 0, tiny.latentSize);
    const many = [
      4, 9, 1, 7, 2, 8, 3, 11, 5, 6, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
      32, 33,
    ];
    const latents = Float32Array.from(many.flatMap((seed) => [...one(seed)]));
    const labels = [Int32Array.from(many, (seed) => seed % 2)];
    using painter = new Painter(trainer.net, trainer.average, tiny);
    const together = painter.paint({ latents, y: conditionRows(trainer.net, labels) });
    many.forEach((seed, i) => {
      const alone = painter.paint({ latents: one(seed), y: conditionRows(trainer.net, [Int32Array.of(seed % 2)]) });
      expect(Buffer.compare(alone, together.subarray(i * alone.length, (i + 1) * alone.length))).toBe(0);
    });
  });

  it('keeps its moving average apart from the weights', () => {
    using trainer = new Trainer(architectureOf(tiny, CLASSES), tiny, 2);
    for (let step = 1; step <= 3; step++) trainer.step(step, twoColours(step), TOTAL);
    const difference = tf.tidy(() => {
      const z = tf.tensor<Rank.R2>(normal(1, 'gridLatent', 0, tiny.latentSize), [1, tiny.latentSize]);
      const y = conditions(trainer.net, labelTensor([Int32Array.of(0)]));
      const paintWith = (weights: Weights) => trainer.net.project(weights, { z, y }, INFERENCE);
      return tf.max(tf.abs(tf.sub(paintWith(trainer.state.weights), paintWith(trainer.average)))).dataSync()[0] ?? 0;
    });
    expect(difference).toBeGreaterThan(0);
  });
});
