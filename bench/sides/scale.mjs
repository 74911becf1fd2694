// One point of bench:scale: training steps of the studio network. node scale.mjs WIDTH RESOLUTION BATCH SECONDS
import { load, roundsPerSecond } from './measure.mjs';

const { architectureOf } = await load('engine/gan/architecture.js');
const { Trainer } = await load('engine/gan/trainer.js');
const { resolveConfig } = await load('core/presets.js');
const { normal, uniform } = await load('core/seeds.js');

const [width = 0, resolution = 0, batchSize = 0, seconds = 0] = process.argv.slice(2).map(Number);
const config = resolveConfig({ preset: 'studio', resolution, batchSize, config: { width } });
const net = architectureOf(config, { artist: 20, style: 10, genre: 10 });
const trainer = new Trainer(net, config, 1);
const labels = net.heads.map(() => Int32Array.from({ length: batchSize }, (_, i) => (i >> 1) % 10));
const batch = {
  pictures: uniform(1, 'crop', 0, batchSize * resolution ** 2 * 3),
  labels,
  latents: normal(1, 'trainLatent', 0, batchSize * config.latentSize),
  asked: labels,
};
let step = 0;
const rate = roundsPerSecond(() => trainer.step(++step, batch, 1_000_000), seconds);
console.log(JSON.stringify({ msPerStep: 1000 / rate, picturesPerSecond: rate * batchSize }));
