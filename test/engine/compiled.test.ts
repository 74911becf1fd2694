/** The networks as recorded graphs against the eager reference. */
import { describe, expect, it } from 'vitest';
import { PRESETS, type TrainConfig } from '../../src/core/presets.ts';
import { normal } from '../../src/core/seeds.ts';
import { Painter } from '../../src/engine/child/paint.ts';
import { architectureOf } from '../../src/engine/gan/architecture.ts';
import { conditionRows } from '../../src/engine/gan/conditions.ts';
import { Trainer } from '../../src/engine/gan/trainer.ts';
import { tf } from '../../src/engine/tensorflow.ts';
import { randomBatch } from '../helpers/engine.ts';

const CLASSES = { artist: 5, style: 4, genre: 3 };
const TOTAL = 10;
const small = { width: 4, batchSize: 4 };
const configs: readonly TrainConfig[] = [
  { ...PRESETS.studio.config, preset: 'studio', resolution: 32, ...small, augment: ['color', 'translation', 'cutout'] },
  // With its epsilon of 1e-10 RMSProp makes the rounding of a gradient that is nearly 0 a whole step.
  { ...PRESETS.icip2017.config, preset: 'icip2017', resolution: 64, ...small, epsilon: 1e-4 },
  { ...PRESETS.tip2019.config, preset: 'tip2019', resolution: 64, ...small, width: 2 },
];

/** |a - b| / |b|, as vectors; 0 where b is 0 and a next to it. */
function distance(a: Float32Array = new Float32Array(), b: Float32Array): number {
  const norm = (values: Float32Array) => Math.hypot(...values);
  return norm(b.map((value, i) => value - (a[i] ?? Number.NaN))) / Math.max(norm(b), 1e-6);
}

describe.each(configs.map((config) => [config.preset, config] as const))('the recorded step of %s', (_name, config) => {
  const net = architectureOf(config, CLASSES);
  const trainer = (compiled: boolean) => new Trainer(net, config, 3, { compiled });

  it('gives the losses and the state of the eager one, within rounding', async () => {
    using recorded = trainer(true);
    using eager = trainer(false);
    const steps = config.preset === 'tip2019' ? 1 : 3;
    for (let step = 1; step <= steps; step++) {
      const batch = randomBatch(net, config, step);
      const [ours, theirs] = [recorded.step(step, batch, TOTAL), eager.step(step, batch, TOTAL)];
      for (const [name, value] of Object.entries(theirs)) {
        expect(ours).toHaveProperty(name, value === null ? null : expect.closeTo(value, 2));
      }
    }
    // Where a feature is 0 but for rounding, the leaky ReLU of one is the slope of the other: tip2019's G shows it soonest.
    const compared = config.preset === 'tip2019' ? /^adam\.m\/discriminator/ : /./;
    for (const group of ['weights', 'average', 'slots'] as const) {
      const values = await recorded.state[group].read();
      for (const [name, reference] of await eager.state[group].read()) {
        if (compared.test(name)) expect(distance(values.get(name), reference), name).toBeLessThan(1e-3);
      }
    }
  });

  it('repeats bit for bit and leaves no tensor behind', async () => {
    using first = trainer(true);
    using second = trainer(true);
    const run = (one: Trainer, step: number) => one.step(step, randomBatch(net, config, step), TOTAL);
    run(first, 1);
    void first.state;
    const before = tf.memory().numTensors;
    run(first, 2);
    void first.state;
    expect(tf.memory().numTensors).toBe(before);
    run(second, 1);
    run(second, 2);
    expect(await second.state.weights.read()).toEqual(await first.state.weights.read());
    expect(await second.state.slots.read()).toEqual(await first.state.slots.read());
  });
});

describe('a recorded painter', () => {
  const config: TrainConfig = { ...PRESETS.studio.config, preset: 'studio', resolution: 32, ...small };
  const net = architectureOf(config, CLASSES);
  const count = 11;
  /** Every class of each head in turn, and none. */
  const classesOf = (pictures: number) =>
    net.heads.map(({ classes }) => Int32Array.from({ length: pictures }, (_, i) => (i % (classes + 1)) - 1));
  const painting = {
    latents: normal(4, 'pictureLatent', 0, count * config.latentSize),
    y: conditionRows(net, classesOf(count)),
  };

  it('paints what the eager one paints, but for a rounding of one', () => {
    using trainer = new Trainer(net, config, 3, { compiled: false });
    using recorded = new Painter(net, trainer.average, { ...config, compiled: true });
    using eager = new Painter(net, trainer.average, { ...config, compiled: false });
    const [ours, theirs] = [recorded.paint(painting), eager.paint(painting)];
    expect(ours).toHaveLength(count * 32 * 32 * 3);
    expect(Math.max(...ours.map((value, i) => Math.abs(value - (theirs[i] ?? Number.NaN))))).toBeLessThanOrEqual(1);
  });

  it('paints with the weights as they are after a refresh', () => {
    using trainer = new Trainer(net, config, 3);
    using painter = new Painter(net, trainer.average, config);
    const before = painter.paint(painting);
    for (let step = 1; step <= 3; step++) trainer.step(step, randomBatch(net, config, step), TOTAL);
    using fresh = new Painter(net, trainer.average, config);
    expect(Buffer.compare(before, painter.paint(painting))).toBe(0);
    painter.refresh(trainer.average);
    expect(Buffer.compare(before, painter.paint(painting))).not.toBe(0);
    expect(Buffer.compare(fresh.paint(painting), painter.paint(painting))).toBe(0);
  });
});
