// Very many WebSocket clients in one process: each asks for the same run under an id of its own, as graphql-ws's client
// does, and reads frames no further than it must. A client library would take more processor time than the server.
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { serve } from '../child.mjs';
import { SUBSCRIPTION } from './watched-run.mjs';

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
/** RFC 6455 §5.5.3, masked with zeros. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
const AT_ONCE = 100;

/** @param {object} message */
function textFrame(message) {
  const body = Buffer.from(JSON.stringify(message));
  const long = body.length >= 126;
  const head = Buffer.alloc(long ? 8 : 6);
  head[0] = 0x80 | TEXT;
  head[1] = 0x80 | (long ? 126 : body.length);
  if (long) head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, body]);
}

const INIT = textFrame({ type: 'connection_init' });
/** @type {Set<Watcher>} */
const watchers = new Set();
/** Milliseconds from an event's time to its arrival. @type {number[]} */
let lags = [];
let received = 0;
let doubled = 0;
let closed = 0;

class Watcher {
  #id = randomUUID();
  /** @type {Buffer} */
  #rest = Buffer.alloc(0);
  #isOpen = false;
  #lastSeq = 0;
  /** @param {{ port: number, run: string, after: number | null, reads: boolean }} given */
  constructor({ port, run, after, reads }) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.ready = new Promise((resolve, reject) => {
      this.socket.once('error', reject);
      this.onAck = () => {
        const variables = after === null ? { run } : { run, after };
        this.socket.write(textFrame({ id: this.#id, type: 'subscribe', payload: { query: SUBSCRIPTION, variables } }));
        if (!reads) this.socket.pause();
        resolve(undefined);
      };
    });
    this.socket.on('data', (data) => this.#hear(data));
    this.socket.once('close', () => {
      watchers.delete(this);
      closed += 1;
    });
    const key = Buffer.from(randomUUID()).subarray(0, 16).toString('base64');
    const headers = [
      'GET /graphql HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${key}`,
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: graphql-transport-ws',
    ];
    this.socket.write(`${headers.join('\r\n')}\r\n\r\n`);
  }

  /** @param {Buffer} data */
  #hear(data) {
    let bytes = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    if (!this.#isOpen) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end === -1) {
        this.#rest = bytes;
        return;
      }
      this.#isOpen = true;
      bytes = bytes.subarray(end + 4);
      this.socket.write(INIT);
    }
    let at = 0;
    while (bytes.length - at >= 2) {
      const short = bytes[at + 1] ?? 0;
      const start = at + (short < 126 ? 2 : 4);
      if (bytes.length < start) break;
      const size = short < 126 ? short : bytes.readUInt16BE(at + 2);
      if (bytes.length < start + size) break;
      this.#frame((bytes[at] ?? 0) & 15, bytes.subarray(start, start + size));
      at = start + size;
    }
    this.#rest = bytes.subarray(at);
  }

  /** @param {number} opcode @param {Buffer} body */
  #frame(opcode, body) {
    if (opcode === PING) this.socket.write(PONG);
    if (opcode === CLOSE) this.socket.end();
    if (opcode !== TEXT) return;
    const text = body.toString('latin1');
    if (text.startsWith('{"type":"connection_ack"')) return this.onAck?.();
    const [, seq, at] = /"seq":(\d+),"at":"([^"]+)"/.exec(text) ?? [];
    if (seq === undefined || at === undefined) throw new Error(`Unexpected: ${text}`);
    if (Number(seq) <= this.#lastSeq) doubled += 1;
    this.#lastSeq = Number(seq);
    received += 1;
    lags.push(Date.now() - Date.parse(at));
  }
}

serve({
  /** Opens so many, and waits until each has asked. */
  open: async ({ count, ...given }) => {
    for (let from = 0; from < count; from += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - from) }, () => new Watcher(given));
      for (const watcher of some) watchers.add(watcher);
      await Promise.all(some.map(({ ready }) => ready));
    }
    return watchers.size;
  },
  close: async () => {
    const all = [...watchers];
    await Promise.all(all.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve).destroy())));
  },
  /** Since the last time. */
  taken: () => {
    const sorted = lags.sort((a, b) => a - b);
    const p = (/** @type {number} */ share) =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
    const result = { received, doubled, closed, p50Ms: p(0.5), p99Ms: p(0.99) };
    lags = [];
    received = 0;
    doubled = 0;
    closed = 0;
    return result;
  },
});
