// npm run bench:job-kills [-- --pictures 10000 --kills 3]
// A job whose server is killed (kill -9) again and again, at any moment, and started anew on the same data. In the end every
// picture must be there exactly once, with the bytes that its hash promises. The last line is JSON.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import yauzl from 'yauzl';
import { Stop } from '../scripts/lib/errors.mjs';
import { runScript, say } from '../scripts/lib/log.mjs';
import { setUp } from '../scripts/lib/setup.mjs';
import { keepResult } from './results.mjs';
import { startServer } from './server.mjs';

const settings = parseArgs({
  options: { pictures: { type: 'string', default: '10000' }, kills: { type: 'string', default: '3' } },
}).values;
const PICTURES = Number(settings.pictures);
const KILLS = Number(settings.kills);
const CREATE = 'mutation ($input: CreateGenerationInput!) { createGeneration(input: $input) { generation { id } } }';
const JOB = 'query ($id: ID!) { generation(id: $id) { done status error zipUrl } }';
const INPUT = { label: 'Ukiyo-e', n: PICTURES, seed: 1, idempotencyKey: 'once' };

/** @param {string} url @param {string} query @param {object} variables @returns {Promise<any>} */
async function ask(url, query, variables) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = /** @type {any} */ (await response.json());
  if (errors !== undefined) throw new Stop(`The server answered: ${JSON.stringify(errors)}`);
  return data;
}

/** Files of a ZIP that are whole. @param {Buffer} zip */
async function unzip(zip) {
  /** @type {Map<string, Buffer>} */
  const files = new Map();
  const opened = await promisify(/** @type {any} */ (yauzl.fromBuffer))(zip, { lazyEntries: true });
  const read = promisify(opened.openReadStream.bind(opened));
  const ended = new Promise((resolve, reject) => {
    opened.on('end', resolve).on('error', reject);
    opened.on('entry', async (/** @type {{ fileName: string }} */ entry) => {
      files.set(entry.fileName, await buffer(await read(entry)));
      opened.readEntry();
    });
  });
  opened.readEntry();
  await ended;
  return files;
}

await runScript(async () => {
  await setUp();
  const dataDir = await mkdtemp(join(tmpdir(), 'artgan-job-'));
  let server = await startServer({ DATA_DIR: dataDir });
  const { id } = (await ask(server.url, CREATE, { input: INPUT })).createGeneration.generation;
  const job = async () => (await ask(server.url, JOB, { id })).generation;
  const begin = performance.now();
  for (let kill = 1; kill <= KILLS; kill++) {
    while ((await job()).done < (PICTURES * kill) / (KILLS + 1)) await sleep(20);
    await sleep(Math.random() * 500);
    process.kill(server.pid, 'SIGKILL');
    // The lock of the data folder ends with the process.
    await sleep(200);
    server = await startServer({ DATA_DIR: dataDir });
    say(`Killed ${kill} times; ${(await job()).done} pictures are there`);
  }
  for (let { status, error } = await job(); status !== 'COMPLETED'; { status, error } = await job()) {
    if (status !== 'RUNNING') throw new Stop(`The job is ${status}: ${error}`);
    await sleep(50);
  }
  const seconds = (performance.now() - begin) / 1000;
  const files = await unzip(Buffer.from(await (await fetch((await job()).zipUrl)).arrayBuffer()));
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
  const lines = String(files.get('manifest.jsonl'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const seeds = new Set(lines.map(({ seed }) => seed));
  const missing = Array.from({ length: PICTURES }, (_, i) => i + 1).filter((seed) => !seeds.has(seed)).length;
  const damaged = lines.filter(
    ({ file, sha256 }) =>
      createHash('sha256')
        .update(files.get(file) ?? '')
        .digest('hex') !== sha256,
  ).length;
  const result = {
    pictures: lines.length,
    kills: KILLS,
    missing,
    doubled: lines.length - seeds.size,
    damaged,
    seconds,
  };
  keepResult('job-kills', result);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (missing + result.doubled + damaged > 0) throw new Stop('Pictures are missing, doubled or damaged.');
});
// Children that were left behind by an error would keep it alive.
process.exit();
