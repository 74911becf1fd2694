// npm run bench:fan-out [-- --sockets 10000]
// Many who watch one run: what a delivery costs the server against plain graphql-ws with graphql-js, how late it is, what a
// socket costs that only waits, and what those cost who never read. The server is one process, its clients are another.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runScript, say } from '../scripts/lib/log.mjs';
import { setUp } from '../scripts/lib/setup.mjs';
import { sleep, startChild } from './child.mjs';
import { keepResult } from './results.mjs';

const settings = parseArgs({
  options: { sockets: { type: 'string', default: '10000' }, rounds: { type: 'string', default: '2' } },
}).values;
const SOCKETS = Number(settings.sockets);
const ROUNDS = Number(settings.rounds);
const sides = join(import.meta.dirname, 'sides');
const MANY = { count: 30, perSecond: 2 };
const LATENCY = { sockets: 2_000, count: 100, perSecond: 5 };
const NON_READERS = 100;
const HISTORY = 20_000;
const KIB = 1024;
const MIB = 2 ** 20;

/** @typedef {import('./child.mjs').Child} Child */

/** @param {Child} server @param {Child} clients @param {object} [given] */
async function openTo(server, clients, given) {
  const { url, run } = await server.ask('where');
  const after = await server.ask('lastSeq');
  return (/** @type {number} */ count) =>
    clients.ask('open', { port: Number(new URL(url).port), run, after, reads: true, count, ...given });
}

/** Until everybody has asked and been answered, and what that left behind is gone. */
const settle = () => sleep(3_000);

/** @param {Child} server @param {Child} clients @param {{ count: number, perSecond: number }} pace */
async function deliver(server, clients, pace) {
  await clients.ask('taken');
  const before = await server.ask('use');
  await server.ask('write', pace);
  await sleep(2_000);
  const after = await server.ask('use');
  return { ...(await clients.ask('taken')), cpuSeconds: after.cpuSeconds - before.cpuSeconds };
}

/** @param {string} side */
async function manySockets(side) {
  const server = await startChild(join(sides, side));
  const clients = await startChild(join(sides, 'watchers.mjs'));
  // So that code is compiled and buffers are there before anything is weighed.
  await (await openTo(server, clients))(500);
  await deliver(server, clients, { count: 20, perSecond: 10 });
  await clients.ask('close');
  await settle();
  const before = await server.ask('use');
  await (await openTo(server, clients))(SOCKETS);
  await settle();
  const idle = await server.ask('use');
  const { received, doubled, cpuSeconds } = await deliver(server, clients, MANY);
  const expected = SOCKETS * MANY.count;
  if (received !== expected || doubled > 0) throw new Error(`${side}: ${received} of ${expected}, ${doubled} doubled`);
  await clients.ask('close');
  await settle();
  await clients.end();
  await server.end();
  const result = { perCpuSecond: received / cpuSeconds, kbPerSocket: (idle.rss - before.rss) / KIB / SOCKETS };
  say(
    `${side}: ${Math.round(result.perCpuSecond)} deliveries a CPU second, ${result.kbPerSocket.toFixed(1)} KB a socket`,
  );
  return result;
}

async function latency() {
  const server = await startChild(join(sides, 'fan-out-ours.mjs'));
  const readers = await startChild(join(sides, 'watchers.mjs'));
  const others = await startChild(join(sides, 'watchers.mjs'));
  await server.ask('fill', { count: HISTORY });
  await (await openTo(server, readers))(LATENCY.sockets);
  await settle();
  await deliver(server, readers, { count: 20, perSecond: 5 });
  const alone = await deliver(server, readers, LATENCY);
  const before = await server.ask('use');
  await (await openTo(server, others, { after: 0, reads: false }))(NON_READERS);
  const beside = await deliver(server, readers, LATENCY);
  const after = await server.ask('use');
  await readers.end();
  await others.end();
  await server.end();
  const mibPerNonReader = (after.rss - before.rss) / MIB / NON_READERS;
  say(
    `p99 ${alone.p99Ms} ms; beside ${NON_READERS} who never read ${beside.p99Ms} ms, ${mibPerNonReader.toFixed(2)} MiB each`,
  );
  return {
    p99Ms: alone.p99Ms,
    p50Ms: alone.p50Ms,
    p99BesideNonReadersMs: beside.p99Ms,
    mibPerNonReader: Number(mibPerNonReader.toFixed(3)),
  };
}

/** Whether those who come and go leave anything behind. */
async function comeAndGo() {
  const server = await startChild(join(sides, 'fan-out-ours.mjs'));
  const clients = await startChild(join(sides, 'watchers.mjs'));
  const round = async (/** @type {number} */ count) => {
    for (let gone = 0; gone < count; gone += 500) {
      await (await openTo(server, clients))(500);
      await clients.ask('close');
    }
    await settle();
    return server.ask('use');
  };
  const before = await round(2_000);
  const after = await round(SOCKETS);
  const { url } = await server.ask('where');
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const left = Object.fromEntries(
    [...metrics.matchAll(/^artgan_(streams|channels|sockets|connections|log_followers) (\d+)$/gm)].map(
      ([, name, value]) => [name, Number(value)],
    ),
  );
  await clients.end();
  await server.end();
  const heapKib = Math.round((after.heapUsed - before.heapUsed) / KIB);
  say(`${SOCKETS} came and went: ${heapKib} KiB of heap more, left ${JSON.stringify(left)}`);
  return { heapKibAfterComeAndGo: heapKib, leftAfterComeAndGo: left };
}

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

await runScript(async () => {
  await setUp();
  /** @type {Awaited<ReturnType<typeof manySockets>>[]} */
  const ours = [];
  /** @type {typeof ours} */
  const plain = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await manySockets('fan-out-ours.mjs'));
    plain.push(await manySockets('fan-out-plain.mjs'));
  }
  const late = await latency();
  const comingAndGoing = await comeAndGo();
  const pairs = ours.map(({ perCpuSecond }, i) => perCpuSecond / (plain[i]?.perCpuSecond ?? 1));
  const round = (/** @type {number} */ value, digits = 2) => Number(value.toFixed(digits));
  const result = {
    sockets: SOCKETS,
    deliveriesPerCpuSecond: Math.round(median(ours.map(({ perCpuSecond }) => perCpuSecond))),
    vsPlain: round(median(pairs)),
    ...late,
    kbPerIdleSocket: round(median(ours.map(({ kbPerSocket }) => kbPerSocket)), 1),
    plainDeliveriesPerCpuSecond: Math.round(median(plain.map(({ perCpuSecond }) => perCpuSecond))),
    plainKbPerIdleSocket: round(median(plain.map(({ kbPerSocket }) => kbPerSocket)), 1),
    ...comingAndGoing,
  };
  keepResult('fan-out', result);
  process.stdout.write(`${JSON.stringify(result)}\n`);
});
// Children that were left behind by an error would keep it alive.
process.exit();
