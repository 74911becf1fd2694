// The raw side of bench:serve: the engine's own code in a process of its own, pictures in memory, no messages and no files.
// node serve-raw.mjs MODEL BATCH SECONDS -> {"picturesPerSecond":…}
import { load, roundsPerSecond } from './measure.mjs';

const { ModelCache } = await load('engine/child/model-cache.js');
const { paintAll } = await load('engine/child/painting.js');

const [, , modelDir, batch, seconds] = process.argv;
const count = Number(batch);
const model = new ModelCache().get(modelDir);
const style = model.card.labels.style[0].slug;
let seed = 0;
const pictures = () =>
  Array.from({ length: count }, () => {
    seed += 1;
    return { mix: [{ weight: 1, conditions: { style } }], latent: [{ weight: 1, seed }], truncation: 1 };
  });

const rate = roundsPerSecond(() => paintAll(model, pictures()), Number(seconds));
console.log(JSON.stringify({ picturesPerSecond: rate * count }));
