/**
 * A program of its own, for TensorFlow reads its settings once: paints the same pictures in batches of many sizes, and
 * prints, per network, the sizes where a picture was not what it was alone.
 */
import { PRESETS, type TrainConfig } from '../../src/core/presets.ts';
import { normal } from '../../src/core/seeds.ts';
import { Painter } from '../../src/engine/child/paint.ts';
import { architectureOf, specsOfGenerator } from '../../src/engine/gan/architecture.ts';
import { conditionRows } from '../../src/engine/gan/conditions.ts';
import { Weights } from '../../src/engine/gan/weights.ts';

const CLASSES = { artist: 5, style: 4, genre: 3 };
const MOST = 33;
const SIZES = [2, 3, 4, 5, 8, 11, 16, 20, 25, 32, MOST];
const configs: readonly TrainConfig[] = [
  { ...PRESETS.studio.config, preset: 'studio', resolution: 32, width: 16 },
  { ...PRESETS.studio.config, preset: 'studio', resolution: 32, width: 24 },
  { ...PRESETS.studio.config, preset: 'studio', resolution: 32, width: 64 },
  { ...PRESETS.icip2017.config, preset: 'icip2017', resolution: 64, width: 12 },
  { ...PRESETS.tip2019.config, preset: 'tip2019', resolution: 64, width: 6 },
];

function differingSizes(config: TrainConfig): number[] {
  const net = architectureOf(config, CLASSES);
  const size = config.latentSize;
  const latents = normal(6, 'pictureLatent', 0, MOST * size);
  // Every class of each head in turn, and none where the networks know that.
  const classes = net.heads.map(({ classes: count }) =>
    Int32Array.from({ length: MOST }, (_, i) => (net.unspecified ? (i % (count + 1)) - 1 : i % count)),
  );
  const y = conditionRows(net, classes);
  const columns = y.length / MOST;
  using weights = Weights.fromSeed(specsOfGenerator(net), 5);
  using painter = new Painter(net, weights, { latentSize: size, frozen: true });
  const paint = (from: number, to: number) =>
    painter.paint({ latents: latents.subarray(from * size, to * size), y: y.subarray(from * columns, to * columns) });
  const alone = Buffer.concat(Array.from({ length: MOST }, (_, i) => paint(i, i + 1)));
  const bytes = alone.length / MOST;
  return SIZES.filter((count) => {
    const first = Buffer.compare(paint(0, count), alone.subarray(0, count * bytes));
    const last = Buffer.compare(paint(MOST - count, MOST), alone.subarray((MOST - count) * bytes));
    return first !== 0 || last !== 0;
  });
}

const differing = configs.map((config) => [`${config.preset} ${config.width}`, differingSizes(config)]);
process.stdout.write(JSON.stringify(Object.fromEntries(differing)));
