// npm run bench:serve [-- --seconds 6 --rounds 3]
// What is left of the engine's speed once pictures are asked for over HTTP and GraphQL and come as PNGs with their hashes.
// The starter model, 64 x 64. The engine has a core of its own, the API another; the clients run where there is room, on a
// third where there is one.
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runScript, say } from '../scripts/lib/log.mjs';
import { root } from '../scripts/lib/paths.mjs';
import { setUp } from '../scripts/lib/setup.mjs';
import { startChild } from './child.mjs';
import { keepResult, medianOf } from './results.mjs';
import { childrenOf, startServer } from './server.mjs';

const settings = parseArgs({
  options: { seconds: { type: 'string', default: '6' }, rounds: { type: 'string', default: '3' } },
}).values;
const SECONDS = Number(settings.seconds);
const WARM_SECONDS = 15;
const ROUNDS = Number(settings.rounds);
const MODEL = join(root, 'starter', 'model');
const CORES = { engine: '0', api: '1', client: availableParallelism() > 2 ? '2' : '0,1' };

/** @param {string} core @param {number} pid  every thread of a process */
const pin = (core, pid) => execFileSync('taskset', ['-a', '-c', '-p', core, String(pid)], { stdio: 'ignore' });

/** The engine's own code, pictures in memory. @param {number} batch @returns {number} pictures a second */
function raw(batch) {
  const program = join(import.meta.dirname, 'sides', 'serve-raw.mjs');
  const args = ['-c', CORES.engine, process.execPath, program, MODEL, String(batch), String(SECONDS)];
  const out = execFileSync('taskset', args, { env: { ...process.env, DEVICE: 'cpu' }, encoding: 'utf8' });
  return JSON.parse(out.trim().split('\n').at(-1) ?? '').picturesPerSecond;
}

await runScript(async () => {
  await setUp();
  // Who is started from here on has the API's core, until it is given another one.
  pin(CORES.api, process.pid);
  const server = await startServer({ DEVICE: 'cpu' });
  for (const engine of childrenOf(server.pid)) pin(CORES.engine, engine);
  const clients = await startChild(join(import.meta.dirname, 'sides', 'serve-clients.mjs'), { SERVE_URL: server.url });
  pin(CORES.client, (await clients.ask('pid')) ?? 0);
  // The model is loaded and its graph recorded.
  await clients.ask('closedLoop', { clients: 4, n: 16, seconds: 3 });
  // And what answers requests is compiled: the first thousands take twice as long.
  await clients.ask('closedLoop', { clients: 16, n: 1, seconds: WARM_SECONDS });

  /** @type {Record<string, number>[]} */
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) {
    const raw1 = raw(1);
    const raw16 = raw(16);
    const served16 = await clients.ask('closedLoop', { clients: 2, n: 16, seconds: SECONDS });
    const raw64 = raw(64);
    const served64 = await clients.ask('closedLoop', { clients: 2, n: 64, seconds: SECONDS });
    const one = await clients.ask('closedLoop', { clients: 1, n: 1, seconds: SECONDS });
    const sixteen = await clients.ask('closedLoop', { clients: 16, n: 1, seconds: SECONDS });
    const alone16 = await clients.ask('closedLoop', { clients: 1, n: 16, seconds: SECONDS });
    const encoding = await clients.ask('encode', { n: 16 });
    const peak = await clients.ask('closedLoop', { clients: 8, n: 16, seconds: SECONDS });
    const over = await clients.ask('openLoop', { perSecond: peak.picturesPerSecond * 2, n: 16, seconds: SECONDS * 2 });
    const round = {
      raw16,
      raw64,
      kept16: served16.picturesPerSecond / raw16,
      kept64: served64.picturesPerSecond / raw64,
      addedP50Ms: one.p50Ms - 1000 / raw1,
      gain16Clients: sixteen.picturesPerSecond / one.picturesPerSecond,
      gainP95: sixteen.p95Ms / one.p95Ms,
      overloadShare: over.picturesPerSecond / peak.picturesPerSecond,
      refusedP99Ms: over.refusedP99Ms,
      refusedShare: over.refused / over.asked,
      acceptedP99Ms: over.p99Ms,
      encodeShare: encoding.ms / alone16.p50Ms,
    };
    say(JSON.stringify(round));
    rounds.push(round);
  }
  await clients.end();
  await server.close();
  const names = Object.keys(rounds[0] ?? {});
  const result = Object.fromEntries(
    names.map((name) => [name, Number(medianOf(rounds.map((round) => round[name] ?? Number.NaN)).toPrecision(3))]),
  );
  const { kept16, kept64, addedP50Ms, gain16Clients, overloadShare, encodeShare, ...rest } = result;
  const all = { kept16, kept64, addedP50Ms, gain16Clients, overloadShare, encodeShare, ...rest };
  keepResult('serve', all);
  process.stdout.write(`${JSON.stringify(all)}\n`);
});
// Children that were left behind by an error would keep it alive.
process.exit();
