// npm run bench:generations [-- --pictures 100000 --cache-mb 64]
// Whether a server stays what it was over 100,000 generated pictures: its memory and its engine's, its open files, its cache on
// the disk. Each call generates 16 pictures of the starter model; their URLs are opened in several formats meanwhile, with
// contact sheets and animations. Then a storm of AVIFs: how late the server's own thread is. The last line is JSON.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Stop } from '../scripts/lib/errors.mjs';
import { runScript, say } from '../scripts/lib/log.mjs';
import { setUp } from '../scripts/lib/setup.mjs';
import { keepResult } from './results.mjs';
import { childrenOf, descriptorsOf, memoryOf, startServer } from './server.mjs';

const settings = parseArgs({
  options: {
    pictures: { type: 'string', default: '100000' },
    'cache-mb': { type: 'string', default: '64' },
    'storm-seconds': { type: 'string', default: '10' },
  },
}).values;
const PICTURES = Number(settings.pictures);
const CACHE_MB = Number(settings['cache-mb']);
const STORM_SECONDS = Number(settings['storm-seconds']);
const PER_CALL = 16;
const CLIENTS = 2;
const SAMPLES = 40;
/** Caches in memory, 64 MiB of PNGs and 32 MiB of other files, are full by then; TensorFlow's pools, too. */
const WARM_UP = 0.25;
const STORM_CLIENTS = 64;
const IDLE_MS = 8_000;
const BLOCK = 512;
/** Between two looks of the server at its clock, which its figures hold. */
const LOOK_MS = 10;

const GENERATE = `query ($seed: Seed!, $n: Int!) {
  generate(label: "impressionism", n: $n, seed: $seed) { id url webp: url(format: WEBP, width: 128) thumbhash }
}`;
const STORMED = '{ generate(label: "baroque", n: 64, seed: 1) { url } }';
const SHEET = 'query ($images: [ID!]!) { contactSheet(images: $images, cell: 64) { url(format: WEBP) } }';
const FILM = 'query ($from: ID!, $to: ID!) { interpolate(from: $from, to: $to, frames: 8) { url } }';

/**
 * `heapMiB`: of the API, what JavaScript and its buffers use. The rest is programs, threads, and what malloc holds.
 * @typedef {{ pictures: number, apiMiB: number, heapMiB: number, engineMiB: number, files: number, cacheMiB: number, lateMs: number }} Sample
 */

/** @param {string} url @param {string} query @param {object} variables @returns {Promise<any>} */
async function ask(url, query, variables) {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ query, variables });
  const { data, errors } = /** @type {any} */ (
    await (await fetch(`${url}/graphql`, { method: 'POST', headers, body })).json()
  );
  if (errors !== undefined) throw new Stop(`The server answered: ${JSON.stringify(errors)}`);
  return data;
}

/** @param {string} url */
async function open(url) {
  const response = await fetch(url);
  const { byteLength } = await response.arrayBuffer();
  if (!response.ok || byteLength === 0) throw new Stop(`${response.status} for ${url.slice(0, 80)}`);
}

/** As the disk counts, in MiB. @param {string} folder */
function sizeOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const blocks = files.map((entry) => {
    try {
      return statSync(join(entry.parentPath, entry.name)).blocks;
    } catch {
      return 0;
    }
  });
  return (blocks.reduce((sum, count) => sum + count, 0) * BLOCK) / 2 ** 20;
}

/**
 * A number that the server tells of itself. How late its thread was is since this was last asked for.
 * @param {string} url @returns {Promise<(name: string) => number>}
 */
async function metricsOf(url) {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
}

/** In milliseconds. @param {(name: string) => number} metric @param {'p50' | 'p99'} quantile */
const latenessIn = (metric, quantile) =>
  Math.max(0, metric(`nodejs_eventloop_lag_${quantile}_seconds`) * 1_000 - LOOK_MS);

/** Growth for every 10,000 pictures, by least squares. @param {readonly Sample[]} samples @param {'apiMiB' | 'heapMiB' | 'engineMiB'} what */
function slopeOf(samples, what) {
  const mean = (/** @type {readonly number[]} */ values) => values.reduce((a, b) => a + b, 0) / values.length;
  const x = samples.map(({ pictures }) => pictures / 10_000);
  const y = samples.map((sample) => sample[what]);
  const [mx, my] = [mean(x), mean(y)];
  const over = x.reduce((sum, value, i) => sum + (value - mx) * ((y[i] ?? 0) - my), 0);
  return over / x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}

/** One client: generates, and opens what it was given. @param {string} url @param {number} call */
async function call(url, call) {
  const { generate } = await ask(url, GENERATE, { seed: call * PER_CALL, n: PER_CALL });
  const [first, ...others] = generate;
  const last = others.at(-1);
  // As a page of thumbnails does, and a click on two of them.
  await Promise.all(
    [first.url, last.url, ...generate.map((/** @type {{ webp: string }} */ { webp }) => webp)].map(open),
  );
  if (call % 8 === 0) await open(first.url.replace('.png', '.avif?w=96'));
  if (call % 20 === 0) {
    const images = generate.map((/** @type {{ id: string }} */ { id }) => id);
    await open((await ask(url, SHEET, { images })).contactSheet.url);
  }
  if (call % 100 === 0) await open((await ask(url, FILM, { from: first.id, to: last.id })).interpolate.url);
}

/** @param {Awaited<ReturnType<typeof startServer>>} server */
async function generateMany({ url, pid, dataDir }) {
  const calls = Math.ceil(PICTURES / PER_CALL);
  const every = Math.max(1, Math.floor(calls / SAMPLES));
  /** @type {Sample[]} */
  const samples = [];
  let [begun, done] = [0, 0];
  const client = async () => {
    while (begun < calls) {
      begun += 1;
      await call(url, begun);
      done += 1;
      if (done % every !== 0) continue;
      const metric = await metricsOf(url);
      const sample = {
        pictures: done * PER_CALL,
        apiMiB: memoryOf(pid),
        heapMiB: (metric('nodejs_heap_size_used_bytes') + metric('nodejs_external_memory_bytes')) / 2 ** 20,
        engineMiB: childrenOf(pid).reduce((sum, child) => sum + memoryOf(child), 0),
        files: descriptorsOf(pid) + childrenOf(pid).reduce((sum, child) => sum + descriptorsOf(child), 0),
        cacheMiB: sizeOf(join(dataDir, 'cache')),
        lateMs: latenessIn(metric, 'p99'),
      };
      samples.push(sample);
      say(JSON.stringify(sample, (_key, value) => (typeof value === 'number' ? Number(value.toFixed(1)) : value)));
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return { samples, picturesPerSecond: (done * PER_CALL * 1_000) / (performance.now() - start) };
}

/** AVIFs of 512 pixels, none twice, of pictures that are painted already. @param {string} url */
async function storm(url) {
  const { generate } = await ask(url, STORMED, {});
  await Promise.all(generate.map((/** @type {{ url: string }} */ image) => open(image.url)));
  let [next, done, refused] = [0, 0, 0];
  const end = performance.now() + STORM_SECONDS * 1_000;
  await metricsOf(url);
  const client = async () => {
    while (performance.now() < end) {
      next += 1;
      const address = generate[next % 64].url.replace('.png', `.avif?w=${400 + Math.floor(next / 64)}`);
      const response = await fetch(address);
      await response.arrayBuffer();
      if (response.ok) done += 1;
      else refused += 1;
    }
  };
  const clients = Promise.all(Array.from({ length: STORM_CLIENTS }, client));
  await sleep(STORM_SECONDS * 1_000 - 500);
  const metric = await metricsOf(url);
  await clients;
  return {
    encodingsPerSecond: done / STORM_SECONDS,
    refused,
    lateP50Ms: latenessIn(metric, 'p50'),
    lateP99Ms: latenessIn(metric, 'p99'),
  };
}

/** @param {number} value */
const rounded = (value) => Number(value.toPrecision(3));

await runScript(async () => {
  await setUp();
  const server = await startServer({ IMAGE_CACHE_MB: String(CACHE_MB), DEVICE: 'cpu' });
  // The model is loaded and its graph recorded.
  await call(server.url, 0);
  await sleep(IDLE_MS);
  const filesOf = () =>
    descriptorsOf(server.pid) + childrenOf(server.pid).reduce((sum, pid) => sum + descriptorsOf(pid), 0);
  const filesBefore = filesOf();
  const { samples, picturesPerSecond } = await generateMany(server);
  // Connections that are kept alive are closed by then.
  await sleep(IDLE_MS);
  const filesAfter = filesOf();
  const stormy = await storm(server.url);
  const settled = samples.slice(Math.floor(samples.length * WARM_UP));
  const most = (/** @type {(sample: Sample) => number} */ of) => Math.max(...samples.map(of));
  const result = {
    pictures: samples.at(-1)?.pictures ?? 0,
    picturesPerSecond: rounded(picturesPerSecond),
    apiMiBPer10000: rounded(slopeOf(settled, 'apiMiB')),
    heapMiBPer10000: rounded(slopeOf(settled, 'heapMiB')),
    engineMiBPer10000: rounded(slopeOf(settled, 'engineMiB')),
    apiMiB: [settled[0], settled.at(-1)].map((sample) => rounded(sample?.apiMiB ?? Number.NaN)),
    engineMiB: [settled[0], settled.at(-1)].map((sample) => rounded(sample?.engineMiB ?? Number.NaN)),
    filesBefore,
    filesAfter,
    cacheLimitMiB: CACHE_MB,
    cacheMostMiB: rounded(most(({ cacheMiB }) => cacheMiB)),
    lateP99Ms: rounded(most(({ lateMs }) => lateMs)),
    storm: { ...stormy, lateP50Ms: rounded(stormy.lateP50Ms), lateP99Ms: rounded(stormy.lateP99Ms) },
  };
  await server.close();
  keepResult('generations', result);
  process.stdout.write(`${JSON.stringify(result)}\n`);
});
// Children that were left behind by an error would keep it alive.
process.exit();
