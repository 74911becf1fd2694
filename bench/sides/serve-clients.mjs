// The clients of bench:serve: a fixed number that each wait for their answer, or requests at a fixed pace whatever comes.
import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { built } from '../../scripts/lib/built.mjs';
import { serve, sleep } from '../child.mjs';

const url = new URL('/graphql', process.env['SERVE_URL']);
const agent = new Agent({ keepAlive: true, maxSockets: 1_000 });
const QUERY =
  'query ($n: Int!, $seed: Seed!) { generate(label: "ukiyo-e", n: $n, seed: $seed) { id seed sha256 url } }';
/** No picture is asked for twice: none comes from a cache. */
let seed = 1;

/** @typedef {{ pictures: number, ms: number, code: string | undefined }} Answer */

/** @param {number} n @returns {Promise<Answer>} */
function generate(n) {
  const first = seed;
  seed += n;
  const body = JSON.stringify({ query: QUERY, variables: { n, seed: first } });
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      const parts = /** @type {Buffer[]} */ ([]);
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        const { data, errors } = JSON.parse(Buffer.concat(parts).toString());
        const code = errors?.[0]?.extensions?.code;
        if (code !== undefined && code !== 'OVERLOADED') reject(new Error(JSON.stringify(errors)));
        resolve({ pictures: data?.generate?.length ?? 0, ms: performance.now() - begin, code });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** @param {readonly number[]} times @param {number} share */
function quantile(times, share) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** @param {readonly Answer[]} answers @param {number} ms */
function summary(answers, ms) {
  const good = answers.filter(({ code }) => code === undefined);
  const refused = answers.filter(({ code }) => code !== undefined).map((answer) => answer.ms);
  const times = good.map((answer) => answer.ms);
  return {
    picturesPerSecond: (good.reduce((sum, { pictures }) => sum + pictures, 0) * 1000) / ms,
    asked: answers.length,
    refused: refused.length,
    p50Ms: quantile(times, 0.5),
    p95Ms: quantile(times, 0.95),
    p99Ms: quantile(times, 0.99),
    refusedP99Ms: quantile(refused, 0.99),
    refusedMaxMs: Math.max(0, ...refused),
  };
}

/** @param {{ clients: number, n: number, seconds: number }} load */
async function closedLoop({ clients, n, seconds }) {
  const begin = performance.now();
  const end = begin + seconds * 1000;
  const answers = /** @type {Answer[]} */ ([]);
  const client = async () => {
    while (performance.now() < end) answers.push(await generate(n));
  };
  await Promise.all(Array.from({ length: clients }, client));
  return summary(answers, performance.now() - begin);
}

/** @param {{ perSecond: number, n: number, seconds: number }} load  perSecond: pictures */
async function openLoop({ perSecond, n, seconds }) {
  const begin = performance.now();
  const count = Math.floor((perSecond * seconds) / n);
  const waiting = /** @type {Promise<Answer>[]} */ ([]);
  for (let i = 0; i < count; i++) {
    const due = begin + (i * n * 1000) / perSecond;
    if (due > performance.now()) await sleep(due - performance.now());
    waiting.push(generate(n));
  }
  const offeredMs = performance.now() - begin;
  const answers = await Promise.all(waiting);
  // What was painted after the last request was asked by what had queued before: it counts, and so does its time.
  return { ...summary(answers, performance.now() - begin), offeredMs };
}

/** The time that a request spends on encoding. @param {{ n: number }} load */
async function encode({ n }) {
  const { pngOf } = await built('services/png.js');
  const width = 64;
  const pixels = Uint8Array.from(
    { length: width * width * 3 },
    (_, i) => 128 + 60 * Math.sin(i / 50) + ((i * 7919) % 23),
  );
  const packet = 'x'.repeat(600);
  const once = async () => {
    for (let i = 0; i < n; i++)
      createHash('sha256')
        .update(await pngOf({ pixels, width, height: width }, packet))
        .digest('hex');
  };
  for (let i = 0; i < 50; i++) await once();
  const begin = performance.now();
  for (let i = 0; i < 100; i++) await once();
  return { ms: (performance.now() - begin) / 100 };
}

serve({ pid: () => process.pid, closedLoop, openLoop, encode });
