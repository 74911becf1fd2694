// npm run train: starts a training run through the API and follows it to its end. The run lives in the server: this
// command may end at any time, and be attached again with --run.
import './lib/node-version.mjs';

const { ApiClient, defaultUrl, packaged } = await import('./lib/api-client.mjs');
const { readArguments, wholeNumber } = await import('./lib/arguments.mjs');
const { Stop } = await import('./lib/errors.mjs');
const { runScript } = await import('./lib/log.mjs');
const { ProgressBar } = await import('./lib/progress-bar.mjs');

const HELP = `Trains a model on a dataset and shows how it goes.

  npm run train -- --dataset starter --steps 2000

  --dataset NAME      slug, name or id of a dataset
  --steps N           training steps
  --resolution N      side of the pictures in pixels: 32, 64, 128 or 256 (64)
  --preset NAME       studio, icip2017 or tip2019 (studio)
  --name TEXT         what the run is called
  --batch-size N      pictures in one step (the preset's)
  --seed N            the same seed and data give the same model (drawn)
  --config JSON       fields of the preset to change, e.g. '{"metricsEvery":5}'
  --run ID            follows a run that was started before, instead of a new one
  --url URL           of the server (${defaultUrl()})

Ctrl-C ends the watching only: the run goes on in the server. The exit code is 0 when the run has completed.`;

const OPTIONS = /** @type {const} */ ({
  dataset: { type: 'string' },
  steps: { type: 'string' },
  resolution: { type: 'string' },
  preset: { type: 'string' },
  name: { type: 'string' },
  'batch-size': { type: 'string' },
  seed: { type: 'string' },
  config: { type: 'string' },
  run: { type: 'string' },
});

/** @typedef {{ [K in keyof typeof OPTIONS]?: string | undefined }} Given */
/** @typedef {{ id: string, name: string, status: string, queuePosition?: number | null }} Run */

/** @param {Given} given */
function inputOf(given) {
  const { dataset, steps, preset, name, config } = given;
  if (dataset === undefined || steps === undefined) {
    throw new Stop('Say what to train on and how long, e.g. npm run train -- --dataset starter --steps 2000');
  }
  const input = {
    dataset,
    steps: wholeNumber('steps', steps),
    resolution: wholeNumber('resolution', given.resolution),
    preset,
    name,
    batchSize: wholeNumber('batch-size', given['batch-size']),
    seed: wholeNumber('seed', given.seed),
    config: config === undefined ? undefined : json('config', config),
  };
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}

/**
 * @param {string} name
 * @param {string} text
 */
function json(name, text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Stop(`--${name} must be JSON, e.g. --${name} '{"metricsEvery":5}', not ${text}`);
  }
}

/**
 * @param {InstanceType<typeof ApiClient>} api
 * @param {Given} given
 * @returns {Promise<Run>}
 */
async function runOf(api, given) {
  if (given.run === undefined) return (await api.change('start-training', { input: inputOf(given) })).run;
  const { trainingRun } = await api.run('training-run', { id: given.run });
  if (trainingRun === null) throw new Stop(`There is no training run with the id "${given.run}".`);
  return trainingRun;
}

/** @param {string} id */
const watchAgain = (id) => `Watch it again: npm run train -- --run ${id}`;

/**
 * Shows a run's events. @returns its last status, or undefined where the user has left.
 * @param {InstanceType<typeof ApiClient>} api
 * @param {Run} run
 * @param {AbortSignal} signal
 */
async function watch(api, { id }, signal) {
  const bar = new ProgressBar(process.stdout);
  const onLost = () => bar.note('The connection is lost; connecting again …');
  /** @type {string | undefined} */
  let status;
  try {
    for await (const event of api.follow(id, { onLost, signal })) {
      switch (event.__typename) {
        case 'TrainingMetrics':
          bar.show({ ...event, totalSteps: event.run.totalSteps });
          break;
        case 'TrainingSample':
          bar.note(`step ${event.step}: samples ${event.url}`);
          break;
        case 'TrainingMeasures':
          bar.note(`step ${event.step}: KID ${event.kid.value.toFixed(3)}, diversity ${event.diversity.toFixed(2)}`);
          for (const { message } of event.warnings) bar.note(`  ${message}`);
          break;
        case 'TrainingStateChanged':
          status = event.status;
          bar.note(`${event.status.toLowerCase()}${event.reason ? `: ${event.reason}` : ''}`);
          break;
      }
    }
  } finally {
    bar.end();
  }
  return signal.aborted ? undefined : status;
}

await runScript(async () => {
  const given = readArguments('train', OPTIONS);
  if (given.help) return void console.log(HELP);
  const api = new ApiClient(given.url ?? defaultUrl());
  // Before anything is started that could not be followed.
  await packaged(() => import('graphql-ws'));
  const run = await runOf(api, given);
  console.log(`Run ${run.name} (${run.id})`);
  if (run.queuePosition) console.log(`Place in the queue: ${run.queuePosition}`);

  const left = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => left.abort());
  const status = await watch(api, run, left.signal).catch((error) => {
    if (error instanceof Stop) error.message += `\n${watchAgain(run.id)}`;
    throw error;
  });
  if (status === undefined) console.log(`The run goes on in the server. ${watchAgain(run.id)}`);
  if (status !== 'COMPLETED') return 1;
  const { trainingRun } = await api.run('training-run', { id: run.id });
  if (trainingRun?.model) {
    console.log(
      `Model ${trainingRun.model.id}\nPaint with it: npm run generate -- --label … --model ${trainingRun.model.id}`,
    );
  }
  return 0;
});
