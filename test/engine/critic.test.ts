import { describe, expect, it } from 'vitest';
import { PRESETS, type TrainConfig } from '../../src/core/presets.ts';
import { uniform } from '../../src/core/seeds.ts';
import { Critic } from '../../src/engine/child/critic.ts';
import { architectureOf, specsOfDiscriminator, specsOfGenerator } from '../../src/engine/gan/architecture.ts';
import { conditionRows } from '../../src/engine/gan/conditions.ts';
import { type WeightSpec, Weights } from '../../src/engine/gan/weights.ts';
import { tf } from '../../src/engine/tensorflow.ts';

const CLASSES = { artist: 3, style: 2, genre: 1 };
const small = { width: 4, latentSize: 8, batchSize: 4 };
const configs: TrainConfig[] = [
  { ...PRESETS.studio.config, preset: 'studio', resolution: 32, ...small },
  { ...PRESETS.icip2017.config, preset: 'icip2017', resolution: 64, ...small },
  { ...PRESETS.tip2019.config, preset: 'tip2019', resolution: 64, ...small },
];

/** What has learnt nothing yet is nearly grey: with louder weights pictures differ. */
function louder(spec: WeightSpec): WeightSpec {
  return 'std' in spec.init ? { ...spec, init: { std: spec.init.std * 3 } } : spec;
}

function critics(config: TrainConfig) {
  const net = architectureOf(config, CLASSES);
  const generator = Weights.fromSeed(specsOfGenerator(net).map(louder), 1);
  const discriminator = Weights.fromSeed(specsOfDiscriminator(net).map(louder), 2);
  const parts = { net, generator, discriminator, resolution: config.resolution, latentSize: config.latentSize };
  return { net, recorded: new Critic({ ...parts, compiled: true }), eager: new Critic({ ...parts, compiled: false }) };
}

describe.each(configs)('the critic of $preset', (config) => {
  const { net, recorded, eager } = critics(config);
  const count = 5;
  const side = config.resolution;
  const bytes = side * side * 3;
  const pixels = Uint8Array.from(uniform(3, 'crop', 0, count * bytes), (value) => Math.floor(value * 256));
  const y = conditionRows(
    net,
    net.heads.map(({ classes }) => Int32Array.from({ length: count }, (_, i) => (i % (classes + 1)) - 1)),
  );

  it('repaints as the eager one, but for a rounding of one', () => {
    const [ours, theirs] = [recorded.repaint({ pixels, y }), eager.repaint({ pixels, y })];
    expect(ours).toHaveLength(count * bytes);
    expect(ours.every((value, i) => Math.abs(value - (theirs[i] ?? Number.NaN)) <= 1)).toBe(true);
    // Another picture for every upload: the code is of the picture.
    expect(Buffer.compare(ours.subarray(0, bytes), ours.subarray(bytes, 2 * bytes))).not.toBe(0);
  });

  it('repaints a picture alike alone and among others', () => {
    const columns = y.length / count;
    const all = recorded.repaint({ pixels, y });
    for (let i = 0; i < count; i++) {
      const alone = recorded.repaint({
        pixels: pixels.subarray(i * bytes, (i + 1) * bytes),
        y: y.subarray(i * columns, (i + 1) * columns),
      });
      expect(Buffer.compare(alone, all.subarray(i * bytes, (i + 1) * bytes))).toBe(0);
    }
  });

  it('classifies as the eager one, a picture as its mirror image', () => {
    const one = pixels.subarray(0, bytes);
    const mirrored = Uint8Array.from(one, (_value, i) => {
      const [row, x, channel] = [Math.floor(i / (side * 3)), Math.floor(i / 3) % side, i % 3];
      return one[row * side * 3 + (side - 1 - x) * 3 + channel] ?? 0;
    });
    const answers = recorded.classify(one);
    expect(answers.map(({ length }) => length)).toEqual(net.heads.map(({ classes }) => classes + 1));
    for (const others of [eager.classify(one), recorded.classify(mirrored)])
      answers.forEach((head, h) => {
        head.forEach((value, i) => {
          expect(value).toBeCloseTo(others[h]?.[i] ?? Number.NaN, 4);
        });
      });
    if (net.objective === 'softmax')
      for (const head of answers) expect(head.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  });

  it('leaves nothing behind', () => {
    const before = tf.memory().numTensors;
    recorded.classify(pixels.subarray(0, bytes));
    recorded.repaint({ pixels, y });
    expect(tf.memory().numTensors).toBe(before);
  });
});
