// One side of bench:presets and bench:controlled: trains for so many minutes of processor time, then measures.
// node preset.mjs '{"pack":…,"judge":…,"classifiersDir":…,"out":…,"minutes":…,"name":…,"resolution":…,"config":{…}}'
// -> a line of JSON. judge: the packed works to measure against, where those are others than it is trained on.
import { join } from 'node:path';
import sharp from 'sharp';
import { load } from './measure.mjs';

const { architectureOf } = await load('engine/gan/architecture.js');
const { Trainer } = await load('engine/gan/trainer.js');
const { Prefetch } = await load('engine/data/prefetch.js');
const { Painter } = await load('engine/child/paint.js');
const { SampleGrid } = await load('engine/child/sample-grid.js');
const { openReference } = await load('engine/child/reference.js');
const { subjectOf } = await load('engine/child/evaluation.js');
const { measure } = await load('engine/evaluation/measure.js');
const { PackReader } = await load('datasets/pack-reader.js');
const { resolveConfig } = await load('core/presets.js');
const { normal } = await load('core/seeds.js');

const given = JSON.parse(process.argv[2] ?? '');
const { pack: trained, judge: judged = trained, classifiersDir, out, minutes, name, resolution } = given;
const SEED = 1;
const WARM_UP = 3;
const CALIBRATION = 5;
const { preset, ...changes } = given.config;
const config = resolveConfig({ preset, resolution, config: changes });
const pack = PackReader.open(trained.file);
const judge = PackReader.open(judged.file);
const { labels } = pack.index;
const counts = { artist: labels.artist.length, style: labels.style.length, genre: labels.genre.length };
const net = architectureOf(config, counts);
const { reference } = await openReference({
  pack: judge,
  packSha256: judged.sha256,
  folder: classifiersDir,
  resolution,
});
const trainer = new Trainer(net, config, SEED);
const batches = new Prefetch({ pack: trained.file, config, seed: SEED, pixelRange: net.pixelRange });

/** Of this process, in seconds: on cores of its own it is the time by the clock times the cores. */
const used = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
const budget = minutes * 60;
const begin = used();
let total = 1_000_000;
let step = 0;
for (let from = begin; step < total; ) {
  step++;
  trainer.step(step, await batches.take(step), total);
  // How many steps the time is enough for: the learning rates fall at a share of them.
  if (step === WARM_UP) from = used();
  if (step === WARM_UP + CALIBRATION) {
    const each = (used() - from) / CALIBRATION;
    total = Math.max(step, step + Math.floor((budget - (used() - begin)) / each));
  }
  if (used() - begin > budget * 1.02) break;
}
const seconds = used() - begin;
const painter = new Painter(net, trainer.average, config);
painter.refresh(trainer.average);
const { latentSize } = config;
// Only where it is measured against its own works is D there to be asked about them.
const autoencoder = judged === trained ? { autoencoder: { weights: trainer.state.weights, pack } } : {};
const subject = subjectOf({ net, painter, latentSize, resolution, labels, ...autoencoder });
const { measures } = measure({ ...subject, trainedOn: pack.index }, reference, SEED);

/** @param {Uint8Array} pixels @param {{ width: number, height: number }} size @param {string} to */
async function write(pixels, { width, height }, to) {
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize({ width: width * 2, height: height * 2, kernel: 'nearest' })
    .png({ palette: true, effort: 10 })
    .toFile(join(out, to));
}

const grid = new SampleGrid(trainer, { painter, config, index: pack.index, seed: SEED }).paint();
await write(grid.pixels, grid, `${name}.png`);
if (given.combinations) await write(...combinationGrid(given.combinations), `${name}-combinations.png`);
console.log(
  JSON.stringify({ name, steps: step, pictures: step * config.batchSize, seconds, labels: grid.labels, measures }),
);
process.exit(0);

/**
 * A column for each combination: a work of it on top, if there is one, and three pictures below.
 * @param {readonly Record<string, string>[]} combinations
 * @returns {[Uint8Array, { width: number, height: number }]}
 */
function combinationGrid(combinations) {
  const rows = 3;
  const columns = combinations.length;
  const asked = net.heads.map((/** @type {{ kind: string }} */ { kind }) =>
    Int32Array.from({ length: rows * columns }, (_, i) => subject.classOf(kind, combinations[i % columns]?.[kind])),
  );
  const pictures = painter.paint({
    latents: normal(SEED, 'gridLatent', 1, rows * columns * latentSize),
    labels: asked,
  });
  const width = columns * resolution;
  const pixels = new Uint8Array(width * (rows + 1) * resolution * 3).fill(255);
  /** @param {Uint8Array} picture @param {number} column @param {number} row */
  const place = (picture, column, row) => {
    for (let y = 0; y < resolution; y++) {
      const line = picture.subarray(y * resolution * 3, (y + 1) * resolution * 3);
      pixels.set(line, ((row * resolution + y) * width + column * resolution) * 3);
    }
  };
  const size = resolution ** 2 * 3;
  for (let i = 0; i < rows * columns; i++)
    place(pictures.subarray(i * size, (i + 1) * size), i % columns, 1 + Math.floor(i / columns));
  const { index } = judge;
  const level = judge.level(resolution);
  const tile = new Uint8Array(level.size ** 2 * 3);
  const room = (level.size - resolution) >> 1;
  combinations.forEach((wanted, column) => {
    const work = Array.from({ length: index.count }, (_, i) => i).find((i) =>
      Object.entries(wanted).every(([kind, slug]) => index.labels[kind][index.works[kind][i]]?.slug === slug),
    );
    if (work === undefined) return;
    judge.readTile(work, level, tile, 0);
    const middle = Buffer.concat(
      Array.from({ length: resolution }, (_, y) => {
        const from = ((y + room) * level.size + room) * 3;
        return tile.subarray(from, from + resolution * 3);
      }),
    );
    place(middle, column, 0);
  });
  return [pixels, { width, height: (rows + 1) * resolution }];
}
