// A server with the starter collection, a few runs and kept pictures, as a child: what operations cost it is told to the
// microsecond. The engine is a process of its own, whose time is told apart.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built } from '../../scripts/lib/built.mjs';
import { root } from '../../scripts/lib/paths.mjs';
import { serve, sleep } from '../child.mjs';

const folder = mkdtempSync(join(tmpdir(), 'artgan-surface-'));
const RUN = {
  dataset: 'starter',
  resolution: 32,
  batchSize: 4,
  steps: 600,
  config: { width: 4, metricsEvery: 1, sampleEvery: 20, checkpointEvery: 50 },
};
const RUNS = 3;
const KEPT = 64;
/** Of a clock of the kernel. */
const TICK_MS = 10;

const { startApp } = await built('app.js');
const { readConfig } = await built('config.js');
const { createLog } = await built('log.js');
const config = readConfig({ PORT: '0', DEVICE: 'cpu', DATA_DIR: folder, LOG_LEVEL: 'error' });
const app = await startApp({ config, log: createLog(config) });
await app.ready;

/** @param {string} query @param {object} [variables] @returns {Promise<any>} */
async function data(query, variables = {}) {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data: found, errors } = /** @type {any} */ (await response.json());
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return found;
}

async function fill() {
  const { generate } = await data(`{ generate(n: ${KEPT}, label: "ukiyo-e", seed: 1) { id } }`);
  const images = generate.map((/** @type {{ id: string }} */ { id }) => id);
  await data('mutation ($images: [ID!]!) { keepImages(input: { images: $images }) { userErrors { code } } }', {
    images,
  });
  const start =
    'mutation ($input: StartTrainingInput!) { startTraining(input: $input) { run { id } userErrors { message } } }';
  for (let i = 0; i < RUNS; i++) {
    const { run, userErrors } = (await data(start, { input: { ...RUN, seed: i } })).startTraining;
    if (run === null) throw new Error(JSON.stringify(userErrors));
  }
  while (
    (await data('{ trainingRuns(where: { status: [QUEUED, RUNNING] }) { totalCount } }')).trainingRuns.totalCount > 0
  )
    await sleep(500);
}

/** The generator's process; undefined where the system does not tell. */
function engineOf() {
  try {
    return execFileSync('pgrep', ['-P', String(process.pid), '-f', 'generator'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** What it has taken of the processor, in ticks of the kernel's clock. */
function engineMs() {
  if (engine === undefined) return 0;
  const fields = readFileSync(`/proc/${engine}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

const engine = engineOf();

serve(
  {
    fill,
    where: () => ({ url: app.url, root }),
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    engine: engineMs,
    rss: () => {
      globalThis.gc?.();
      return process.memoryUsage().rss;
    },
  },
  async () => {
    await app[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  },
);
