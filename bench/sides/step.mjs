// One side of bench:train: training steps of the ICIP 2017 network, recorded or op by op.
// node step.mjs graph|eager WIDTH SECONDS -> {"picturesPerSecond":…}
import { load, roundsPerSecond } from './measure.mjs';

const { architectureOf } = await load('engine/gan/architecture.js');
const { Trainer } = await load('engine/gan/trainer.js');
const { PRESETS } = await load('core/presets.js');
const { normal, uniform } = await load('core/seeds.js');

const [, , engine, width, seconds] = process.argv;
const BATCH = 32;
const CLASSES = 10;

const config = {
  ...PRESETS.icip2017.config,
  preset: 'icip2017',
  resolution: 64,
  width: Number(width),
  batchSize: BATCH,
  optimizer: 'adam',
  generatorLearningRate: 2e-4,
  discriminatorLearningRate: 2e-4,
  beta1: 0.5,
  beta2: 0.999,
};
const net = architectureOf(config, { artist: 0, style: CLASSES, genre: 0 });
const trainer = new Trainer(net, config, 1, { compiled: engine === 'graph' });
const labels = [Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES)];
const batch = {
  pictures: uniform(1, 'crop', 0, BATCH * 64 * 64 * 3),
  labels,
  latents: normal(1, 'trainLatent', 0, BATCH * config.latentSize),
  asked: labels,
};

let step = 0;
const rate = roundsPerSecond(() => trainer.step(++step, batch, 1_000_000), Number(seconds));
console.log(JSON.stringify({ picturesPerSecond: rate * BATCH }));
