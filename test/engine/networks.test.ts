import { afterEach, describe, expect, it } from 'vitest';
import { PRESETS, type TrainConfig } from '../../src/core/presets.ts';
import { type Architecture, architectureOf, generate, judge } from '../../src/engine/gan/architecture.ts';
import { conditionColumns, conditions, fakeTargets, labelTensor, targets } from '../../src/engine/gan/conditions.ts';
import { INFERENCE } from '../../src/engine/gan/layers.ts';
import { Trainer } from '../../src/engine/gan/trainer.ts';
import { sizeOf, Weights } from '../../src/engine/gan/weights.ts';
import { tf } from '../../src/engine/tensorflow.ts';
import { randomBatch } from '../helpers/engine.ts';

const CLASSES = { artist: 5, style: 10, genre: 3 };
const icip = (changes: Partial<TrainConfig> = {}): TrainConfig => ({
  ...PRESETS.icip2017.config,
  preset: 'icip2017',
  resolution: 64,
  ...changes,
});
const studio = (changes: Partial<TrainConfig> = {}): TrainConfig => ({
  ...PRESETS.studio.config,
  preset: 'studio',
  resolution: 32,
  width: 4,
  latentSize: 16,
  batchSize: 4,
  ...changes,
});

const opened: Disposable[] = [];
const keep = <T extends Disposable>(part: T): T => {
  opened.push(part);
  return part;
};
afterEach(() => {
  for (const part of opened.splice(0)) part[Symbol.dispose]();
});

const kernelsOf = (net: Architecture) =>
  Object.fromEntries(
    net.specs
      .filter(({ name }) => name.endsWith('.kernel'))
      .map(({ name, shape }) => [name.replace('.kernel', ''), shape.join(' x ')]),
  );

function run(net: Architecture, weights: Weights, latentSize: number) {
  return tf.tidy(() => {
    const z = tf.randomNormal<tf2>([2, latentSize], 0, 1, 'float32', 1);
    const y = conditions(net, labelTensor(net.heads.map(() => Int32Array.of(1, -1))));
    const pictures = generate(net, weights, { ask: { z, y }, pass: INFERENCE });
    const { logits: answers } = judge(net, weights, pictures, INFERENCE);
    return {
      pictures: pictures.shape,
      answers: answers.map(({ shape }) => shape),
      low: tf.min(pictures).dataSync()[0] ?? Number.NaN,
      high: tf.max(pictures).dataSync()[0] ?? Number.NaN,
    };
  });
}
type tf2 = import('@tensorflow/tfjs-core').Rank.R2;

describe('the networks of the ICIP 2017 paper', () => {
  const net = architectureOf(icip(), CLASSES);

  it('have the layers of the paper, kernel by kernel', () => {
    expect(kernelsOf(net)).toEqual({
      'generator.deconv1': '110 x 16384',
      'generator.deconv2': '4 x 4 x 512 x 1024',
      'generator.deconv3': '4 x 4 x 256 x 512',
      'generator.deconv4': '4 x 4 x 128 x 256',
      'generator.deconv5': '3 x 3 x 128 x 128',
      'generator.deconv6': '4 x 4 x 3 x 128',
      'discriminator.conv1': '4 x 4 x 3 x 128',
      'discriminator.conv2': '3 x 3 x 128 x 128',
      'discriminator.conv3': '4 x 4 x 128 x 256',
      'discriminator.conv4': '4 x 4 x 256 x 512',
      'discriminator.conv5': '4 x 4 x 512 x 1024',
      'discriminator.fc6': '16384 x 11',
    });
  });

  it('have 12.97 and 11.34 million parameters for ten labels', () => {
    const millions = (part: string) =>
      net.specs
        .filter(({ name, trainable }) => trainable && name.startsWith(part))
        .reduce((sum, { shape }) => sum + sizeOf(shape), 0) / 1e6;
    expect(millions('generator.')).toBeCloseTo(12.97, 1);
    expect(millions('discriminator.')).toBeCloseTo(11.34, 1);
  });

  it('paint 64 x 64 pictures in [0, 1] and answer with K + 1 numbers', () => {
    const config = icip({ width: 4 });
    const small = architectureOf(config, CLASSES);
    const weights = keep(Weights.fromSeed(small.specs, 1));
    const { low, high, ...shapes } = run(small, weights, config.latentSize);
    expect(shapes).toEqual({ pictures: [2, 64, 64, 3], answers: [[2, 11]] });
    expect(low).toBeGreaterThanOrEqual(0);
    expect(high).toBeLessThanOrEqual(1);
  });

  it('share one code between Enc and Dec, so that Dec(Enc(x)) is a picture of the same size', () => {
    const config = icip({ width: 4 });
    const small = architectureOf(config, CLASSES);
    const weights = keep(Weights.fromSeed(small.specs, 1));
    const shapes = tf.tidy(() => {
      const x = tf.zeros<import('@tensorflow/tfjs-core').Rank.R4>([2, 64, 64, 3]);
      const code = small.encode(weights, x, INFERENCE);
      const y = conditions(small, labelTensor([Int32Array.of(0, 1)]));
      return [
        code.shape,
        small.decode(weights, code, { ask: { z: tf.zeros([2, 100]), y }, pass: INFERENCE }).shape,
      ].map((shape) => [...shape]);
    });
    expect(shapes).toEqual([
      [2, 8, 8, 16],
      [2, 64, 64, 3],
    ]);
  });

  it('refuse more than one kind of label', () => {
    expect(() => architectureOf(icip({ labelKinds: ['style', 'genre'] }), CLASSES)).toThrow('exactly one');
  });
});

describe('the networks of the TIP 2019 paper', () => {
  const tip = (changes: Partial<TrainConfig> = {}): TrainConfig => ({
    ...PRESETS.tip2019.config,
    preset: 'tip2019',
    resolution: 64,
    ...changes,
  });
  const net = architectureOf(tip(), CLASSES);

  it('have the layers of the authors’ code, kernel by kernel', () => {
    // After an upsampling the layout is [h, w, out, in].
    expect(kernelsOf(net)).toEqual({
      'generator.deconv1': '110 x 8192',
      'generator.deconv2': '3 x 3 x 512 x 512',
      'generator.deconv3': '3 x 3 x 256 x 512',
      'generator.deconv4': '3 x 3 x 128 x 256',
      'generator.deconv5': '3 x 3 x 64 x 128',
      'generator.deconv5b': '3 x 3 x 64 x 64',
      'generator.deconv6': '3 x 3 x 32 x 64',
      'generator.deconv6b': '3 x 3 x 32 x 3',
      'discriminator.conv1': '3 x 3 x 3 x 128',
      'discriminator.conv2': '3 x 3 x 128 x 256',
      'discriminator.conv3': '3 x 3 x 256 x 512',
      'discriminator.conv3b': '3 x 3 x 512 x 512',
      'discriminator.conv4': '3 x 3 x 512 x 1024',
      'discriminator.cpred': '16384 x 10',
      'discriminator.dec1': '3 x 3 x 1024 x 512',
      'discriminator.dec2': '3 x 3 x 256 x 512',
      'discriminator.dec3': '3 x 3 x 128 x 256',
      'discriminator.dec4': '3 x 3 x 64 x 128',
      'discriminator.dec5': '3 x 3 x 32 x 64',
      'discriminator.dec5b': '3 x 3 x 32 x 3',
    });
  });

  it('paint and judge 64 x 64 pictures, and answer FAKE with a logit of 0', () => {
    const config = tip({ width: 2 });
    const small = architectureOf(config, CLASSES);
    const weights = keep(Weights.fromSeed(small.specs, 1));
    const { low, high, ...shapes } = run(small, weights, config.latentSize);
    expect(shapes).toEqual({ pictures: [2, 64, 64, 3], answers: [[2, 11]] });
    expect(low).toBeGreaterThanOrEqual(-1);
    expect(high).toBeLessThanOrEqual(1);
    const [fake, repainted] = tf.tidy(() => {
      const { code, logits } = judge(small, weights, tf.zeros([2, 64, 64, 3]), INFERENCE);
      return [logits[0]?.arraySync().map((row) => row.at(-1)), small.repaint?.(weights, code, INFERENCE).shape];
    }) as unknown[];
    expect(fake).toEqual([0, 0]);
    expect(repainted).toEqual([2, 64, 64, 3]);
  });
});

describe('the networks of studio', () => {
  it.each([32, 64, 128, 256] as const)('paint and judge %i pixels, with a head per kind of label', (resolution) => {
    const config = studio({ resolution });
    const net = architectureOf(config, CLASSES);
    const weights = keep(Weights.fromSeed(net.specs, 1));
    const { low, high, ...shapes } = run(net, weights, config.latentSize);
    expect(shapes).toEqual({
      pictures: [2, resolution, resolution, 3],
      answers: [
        [2, 6],
        [2, 11],
        [2, 4],
      ],
    });
    expect(low).toBeGreaterThanOrEqual(-1);
    expect(high).toBeLessThanOrEqual(1);
    expect(conditionColumns(net.heads, true)).toBe(5 + 10 + 3 + 3);
  });

  it('gives "unspecified" a column of its own, and asks only for "not fake" there', () => {
    const net = architectureOf(studio({ labelKinds: ['style'] }), { artist: 0, style: 2, genre: 0 });
    const labels = [Int32Array.of(1, -1)];
    expect(tf.tidy(() => conditions(net, labelTensor(labels)).arraySync())).toEqual([
      [0, 1, 0],
      [0, 0, 1],
    ]);
    expect(tf.tidy(() => targets(net, labelTensor(labels)).map((head) => head.arraySync()))).toEqual([
      [
        [0, 1, 0],
        [1, 1, 0],
      ],
    ]);
    expect(tf.tidy(() => fakeTargets(net, 2).map((head) => head.arraySync()))).toEqual([
      [
        [0, 0, 1],
        [0, 0, 1],
      ],
    ]);
  });
});

describe('one training step', () => {
  it.each([
    ['studio', studio()],
    ['icip2017', icip({ width: 4, batchSize: 4 })],
    ['tip2019', { ...PRESETS.tip2019.config, preset: 'tip2019', resolution: 64, width: 2, batchSize: 4 }],
  ] as const)('of %s leaves no tensor behind and repeats bit for bit', async (_name, config) => {
    const net = architectureOf(config, CLASSES);
    const [first, second] = [keep(new Trainer(net, config, 3)), keep(new Trainer(net, config, 3))];
    const TOTAL = 10;
    const losses = [first.step(1, randomBatch(net, config, 1), TOTAL)];
    const before = tf.memory().numTensors;
    losses.push(first.step(2, randomBatch(net, config, 2), TOTAL));
    expect(tf.memory().numTensors).toBe(before);
    const again = [1, 2].map((step) => second.step(step, randomBatch(net, config, step), TOTAL));
    expect(again).toEqual(losses);
    expect(await second.average.read()).toEqual(await first.average.read());
  });

  it('is possible where a kind has one label only', () => {
    for (const config of [studio({ labelKinds: ['style', 'genre'] }), icip({ width: 4, batchSize: 4 })]) {
      const net = architectureOf(config, { artist: 0, style: 1, genre: 2 });
      const { dLoss, gLoss } = keep(new Trainer(net, config, 3)).step(1, randomBatch(net, config, 1), 10);
      expect([dLoss, gLoss].every(Number.isFinite)).toBe(true);
    }
  });

  it('moves every trainable weight of G and of D', async () => {
    const config = studio();
    const net = architectureOf(config, CLASSES);
    const trainer = keep(new Trainer(net, config, 3));
    const before = await trainer.state.weights.read();
    for (let step = 1; step <= 2; step++) trainer.step(step, randomBatch(net, config, step), 10);
    const after = await trainer.state.weights.read();
    const still = net.specs
      .filter(({ name }) => String(before.get(name)) === String(after.get(name)))
      .map(({ name }) => name);
    expect(still).toEqual([]);
  });
});
