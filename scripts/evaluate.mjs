// npm run evaluate: measures a model against a collection, without a server. The last line is JSON.
import './lib/node-version.mjs';

const { mkdir, readFile, readdir } = await import('node:fs/promises');
const { join, resolve } = await import('node:path');
const { built, packOf } = await import('./lib/built.mjs');
const { readArguments, wholeNumber } = await import('./lib/arguments.mjs');
const { Stop } = await import('./lib/errors.mjs');
const { runScript, say } = await import('./lib/log.mjs');
const { root, work: ours } = await import('./lib/paths.mjs');
const { setUp } = await import('./lib/setup.mjs');

const HELP = `Measures how good a model is: its pictures against a collection. docs/evaluation.md says how to read it.

  npm run evaluate                                     the model that ships, on the collection that ships
  npm run evaluate -- --run ID                         a run of the server: its newest checkpoint
  npm run evaluate -- --model DIR --collection DIR     any model, any collection

  --model DIR         a model's folder, or a checkpoint's
  --run ID            a training run in DATA_DIR, by the id in its folder's name
  --step N            which of its checkpoints (the newest)
  --collection DIR    the works to compare with (those of the run; else the starter collection)
  --trained DIR       the works that it was trained on, where those are others: which combinations are new
  --seed N            of the pictures (1)
  --out DIR           also writes nearest.png there: pictures, and the nearest work below each`;

const OPTIONS = /** @type {const} */ ({
  model: { type: 'string' },
  run: { type: 'string' },
  step: { type: 'string' },
  collection: { type: 'string' },
  trained: { type: 'string' },
  seed: { type: 'string' },
  out: { type: 'string' },
});

/** @typedef {{ [K in keyof typeof OPTIONS]?: string | undefined }} Given */

/** Where the user is: npm runs its scripts in the project's folder. */
const here = () => (process.env.npm_lifecycle_event === 'evaluate' && process.env.INIT_CWD) || process.cwd();
const dataDir = () => resolve(root, process.env.DATA_DIR ?? 'data');

/** The folder to measure, and the pack of the collection. @param {Given} given */
async function subjectOf(given) {
  if (given.run === undefined) {
    const collection = given.collection && resolve(here(), given.collection);
    return {
      dir: given.model === undefined ? join(root, 'starter', 'model') : resolve(here(), given.model),
      ...(await read(collection ?? join(root, 'starter', 'collection'))),
    };
  }
  const folder = join(dataDir(), 'runs', given.run.split(':').at(-1) ?? '');
  const manifest = await readFile(join(folder, 'run.json'), 'utf8').catch(() => {
    throw new Stop(`There is no run ${given.run} in ${dataDir()}. DATA_DIR names the server's data folder.`);
  });
  const { dataset } = JSON.parse(manifest);
  const names = (await readdir(join(folder, 'checkpoints'))).filter((name) => name.startsWith('step-')).sort();
  const step = given.step === undefined ? undefined : wholeNumber('step', given.step);
  const chosen = step === undefined ? names.at(-1) : names.find((name) => Number(name.slice(5)) === step);
  if (chosen === undefined) {
    const steps = names.map((name) => Number(name.slice(5))).join(', ') || 'none';
    throw new Stop(`The run has no checkpoint${step === undefined ? '' : ` of step ${step}`}. It has: ${steps}.`);
  }
  const pack = given.collection
    ? await read(resolve(here(), given.collection))
    : { file: join(dataDir(), dataset.packFile), sha256: dataset.packSha256 };
  return { dir: join(folder, 'checkpoints', chosen), ...pack };
}

/** A collection as a packed training file, kept for the next time. @param {string} folder */
function read(folder) {
  say(`Reading ${folder} …`);
  return packOf(folder);
}

/** @param {number} value */
const percent = (value) => `${(value * 100).toFixed(1)} %`;

/** @param {any} found */
function table({ kid, fidelity, combinations, diversity, memorised, reconstruction, parzen, pictures }) {
  const lines = [
    ['pictures', String(pictures)],
    ['KID', `${kid.value.toFixed(4)}  (95 %: ${kid.low.toFixed(4)} to ${kid.high.toFixed(4)})`],
    ['diversity within a label', percent(diversity)],
    ['copies of works', percent(memorised)],
    ['reconstruction (RMSE)', reconstruction === null ? 'needs a checkpoint' : reconstruction.toFixed(4)],
    ['Parzen log-likelihood', `${parzen.logLikelihood.toFixed(0)} ± ${parzen.standardError.toFixed(0)}`],
    ...fidelity.map((/** @type {any} */ one) => [
      `${one.kind} read back`,
      `${percent(one.accuracy)}  (guessing ${percent(one.chance)}, the classifier on held-out works ${percent(one.heldOut)})`,
    ]),
    ...combinations.flatMap((/** @type {any} */ { seen, kinds, pictures: count }) =>
      kinds.map((/** @type {any} */ one) => [
        `${one.kind}, ${seen ? 'combinations of works' : 'new combinations'}`,
        `${percent(one.accuracy)}  (guessing ${percent(one.chance)}, ${count} pictures)`,
      ]),
    ),
  ];
  const width = Math.max(...lines.map(([name = '']) => name.length));
  return lines.map(([name = '', value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

const SHOWN = 16;

/** Pictures, and below each the work that is nearest to it. @param {any} evaluation @param {string} out */
async function writeNearest({ pictures, nearest, works, side }, out) {
  const { default: sharp } = await import('sharp');
  const bytes = side * side * 3;
  const tile = (/** @type {Uint8Array} */ all, /** @type {number} */ i) =>
    sharp(all.slice(i * bytes, (i + 1) * bytes), { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toBuffer();
  const tiles = await Promise.all(
    Array.from({ length: SHOWN }, async (_, i) => [
      { input: await tile(pictures, i), left: i * side, top: 0 },
      { input: await tile(works, nearest[i]), left: i * side, top: side },
    ]),
  );
  const file = join(out, 'nearest.png');
  await mkdir(out, { recursive: true });
  await sharp({ create: { width: SHOWN * side, height: 2 * side, channels: 3, background: '#fff' } })
    .composite(tiles.flat())
    .png()
    .toFile(file);
  return file;
}

/** The user's mistakes are told without a trace. @template T @param {Promise<T>} work @returns {Promise<T>} */
const told = (work) =>
  work.catch((error) => {
    throw ['AppError', 'LayoutProblem'].includes(error.name) ? new Stop(error.message) : error;
  });

await runScript(async () => {
  const given = readArguments('evaluate', OPTIONS);
  if (given.help) return void console.log(HELP);
  const seed = given.seed === undefined ? 1 : wholeNumber('seed', given.seed);
  await setUp();
  const { dir, file, sha256 } = await told(subjectOf(given));
  const { PackReader } = await built('datasets/pack-reader.js');
  const { evaluate } = await built('engine/child/evaluate.js');
  say(`Measuring ${dir} …`);
  const onStep = (/** @type {number} */ step, /** @type {number} */ steps) => {
    if (step === 1 || step % 200 === 0) say(`  the collection's classifier, trained once: step ${step} of ${steps}`);
  };
  const trained = given.trained === undefined ? undefined : await told(read(resolve(here(), given.trained)));
  const work = evaluate({
    dir,
    pack: PackReader.open(file),
    packSha256: sha256,
    trainedOn: trained && PackReader.open(trained.file),
    classifiersDir: join(ours, 'classifiers'),
    seed,
    onStep,
  });
  const evaluation = await told(work);
  console.log(table(evaluation.measures));
  if (given.out !== undefined) say(`Wrote ${await writeNearest(evaluation, resolve(here(), given.out))}`);
  console.log(JSON.stringify(evaluation.measures));
  return 0;
});
