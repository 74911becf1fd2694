// npm run bench:disconnects [-- --disconnects 1000]
// A client that is cut off again and again while a run writes 50 events a second, and asks each time for what came after
// the last number that it has seen. By turns over WebSocket, Server-Sent Events and multipart. Nothing may be lost or doubled.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { Stop } from '../scripts/lib/errors.mjs';
import { runScript, say } from '../scripts/lib/log.mjs';
import { setUp } from '../scripts/lib/setup.mjs';
import { startChild } from './child.mjs';
import { keepResult } from './results.mjs';
import { SUBSCRIPTION } from './sides/watched-run.mjs';

const settings = parseArgs({ options: { disconnects: { type: 'string', default: '1000' } } }).values;
const DISCONNECTS = Number(settings.disconnects);
const PER_SECOND = 50;
/** A connection lasts so long at most. */
const LONGEST_MS = 60;
const SLICE = 500;

/** What one connection has brought, in order. @typedef {(seq: number) => void} Heard */
/** @typedef {{ url: string, run: string, after: number }} Place */

/** @param {Place} place @param {Heard} heard @param {number} ms */
async function overWebSocket({ url, run, after }, heard, ms) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.once('open', () => socket.send('{"type":"connection_init"}'));
  socket.on('message', (data) => {
    const { type, payload } = JSON.parse(String(data));
    if (type === 'connection_ack')
      socket.send(
        JSON.stringify({ id: '1', type: 'subscribe', payload: { query: SUBSCRIPTION, variables: { run, after } } }),
      );
    if (type === 'next') heard(payload.data.trainingProgress.seq);
  });
  await sleep(ms);
  socket.terminate();
  await closed;
}

/** @param {string} accept @param {RegExp} event  one whole event */
const overHttp =
  (accept, event) => async (/** @type {Place} */ place, /** @type {Heard} */ heard, /** @type {number} */ ms) => {
    const { url, ...variables } = place;
    const cut = new AbortController();
    setTimeout(() => cut.abort(), ms);
    try {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify({ query: SUBSCRIPTION, variables }),
        signal: cut.signal,
      });
      let text = '';
      for await (const chunk of response.body ?? []) {
        text += new TextDecoder().decode(chunk, { stream: true });
        for (let found = event.exec(text); found !== null; found = event.exec(text)) {
          heard(JSON.parse(found[1] ?? '').data.trainingProgress.seq);
          text = text.slice(found.index + found[0].length);
        }
      }
    } catch (error) {
      if (!cut.signal.aborted) throw error;
    }
  };

const ways = [
  overWebSocket,
  overHttp('text/event-stream', /event: next\ndata: (.*)\n\n/),
  overHttp('multipart/mixed;subscriptionSpec=1.0', /\r\n\{"payload":(.*)\}\r\n--graphql/),
];

await runScript(async () => {
  await setUp();
  const server = await startChild(join(import.meta.dirname, 'sides', 'fan-out-ours.mjs'));
  const { url, run } = await server.ask('where');
  let isWriting = true;
  const writing = (async () => {
    while (isWriting) await server.ask('write', { count: SLICE / 10, perSecond: PER_SECOND });
  })();
  const first = await server.ask('lastSeq');
  let last = first;
  let [doubled, outOfOrder] = [0, 0];
  const seen = new Set();
  /** @type {Heard} */
  const heard = (seq) => {
    if (seq <= first || seen.has(seq)) doubled += 1;
    else if (seq < last) outOfOrder += 1;
    seen.add(seq);
    last = Math.max(last, seq);
  };
  for (let i = 0; i < DISCONNECTS; i++) {
    await ways[i % ways.length]?.({ url, run, after: last }, heard, Math.random() * LONGEST_MS);
    if (i % 100 === 99) say(`${i + 1} disconnects, ${last - first} events`);
  }
  isWriting = false;
  await writing;
  // What is left, on a connection that is not cut.
  await overWebSocket({ url, run, after: last }, heard, 3_000);
  const end = await server.ask('lastSeq');
  await server.end();
  const events = end - first;
  const result = { disconnects: DISCONNECTS, events, lost: events - seen.size, doubled, outOfOrder };
  keepResult('disconnects', result);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (result.lost !== 0 || doubled + outOfOrder > 0) throw new Stop('Events were lost, doubled or out of order.');
});
// Children that were left behind by an error would keep it alive.
process.exit();
