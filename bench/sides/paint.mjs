// One side of the generation part of bench:train: pictures of the studio network, recorded or op by op.
// node paint.mjs graph|eager WIDTH N SECONDS -> {"picturesPerSecond":…}
import { load, roundsPerSecond } from './measure.mjs';

const { architectureOf, specsOfGenerator } = await load('engine/gan/architecture.js');
const { conditionRows } = await load('engine/gan/conditions.js');
const { Weights } = await load('engine/gan/weights.js');
const { Painter } = await load('engine/child/paint.js');
const { PRESETS } = await load('core/presets.js');
const { normal } = await load('core/seeds.js');

const [, , engine, width, n, seconds] = process.argv;
const count = Number(n);
const config = { ...PRESETS.studio.config, preset: 'studio', resolution: 64, width: Number(width) };
const net = architectureOf(config, { artist: 10, style: 10, genre: 10 });
const weights = Weights.fromSeed(specsOfGenerator(net), 1);
const painter = new Painter(net, weights, {
  latentSize: config.latentSize,
  frozen: true,
  compiled: engine === 'graph',
});
const latents = normal(1, 'pictureLatent', 0, count * config.latentSize);
const y = conditionRows(
  net,
  [0, 1, 2].map((head) => Int32Array.from({ length: count }, (_, i) => (i + head) % 10)),
);

const rate = roundsPerSecond(() => painter.paint({ latents, y }), Number(seconds));
console.log(JSON.stringify({ picturesPerSecond: rate * count }));
