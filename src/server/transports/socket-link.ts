/** One client's WebSocket: what comes in is counted before it is read, what goes out does not pile up. */
import { setMaxListeners } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Server as ProtocolServer, WebSocket as ProtocolSocket } from 'graphql-ws';
import type { RawData, WebSocket } from 'ws';
import { NOBODY, type Viewer, viewerId } from '../../core/access.ts';
import type { Log } from '../../core/log.ts';
import { TokenBucket } from '../../core/token-bucket.ts';
import type { Meters } from '../meters.ts';
import { SocketLine } from './socket-outlet.ts';

export interface LinkParts {
  readonly socket: WebSocket;
  readonly line: Duplex;
  readonly full: Map<SocketLine, number>;
  readonly address: string;
  readonly baseUrl: string;
  readonly log: Log;
  readonly meters: Meters;
}

/** Messages that may come at once, and a second. A long one counts as several. */
const MESSAGES = { capacity: 500, refillPerSecond: 100 } as const;
const BYTES_PER_MESSAGE = 4_096;
/** Answers that wait for a client who does not read. */
const MOST_WAITING_BYTES = 8 * 2 ** 20;
/** A client that floods is not waited for. */
const FLOOD_CLOSE_MS = 1_000;

const CLOSE = { unsupportedData: 1003, tryAgainLater: 1013, badRequest: 4400, internalError: 4500 } as const;
/** What graphql-ws throws where a client says what only servers say. */
const UNEXPECTED = /^Unexpected message of type /;

export class SocketLink {
  readonly line: SocketLine;
  readonly baseUrl: string;
  readonly address: string;
  /** Known once the client has introduced itself. */
  viewer: Viewer = NOBODY;
  /** How to end each stream that is open on it, by the id of its operation. */
  readonly streams = new Map<string, () => void>();
  readonly #socket: WebSocket;
  readonly #parts: Pick<LinkParts, 'log' | 'meters'>;
  readonly #messages = new TokenBucket(MESSAGES, performance.now());
  readonly #closing: (() => void)[] = [];
  #heardAt = performance.now();
  #left: AbortController | undefined;

  constructor({ socket, line, full, address, baseUrl, log, meters }: LinkParts) {
    this.line = new SocketLine(socket, line, full);
    this.baseUrl = baseUrl;
    this.address = address;
    this.#socket = socket;
    this.#parts = { log, meters };
  }

  get viewerId(): string {
    return viewerId(this.viewer);
  }

  /** Ends when the client has gone. */
  get signal(): AbortSignal {
    if (this.#left === undefined) {
      this.#left = new AbortController();
      // Each operation of the socket waits by itself; how many there may be is limited elsewhere.
      setMaxListeners(0, this.#left.signal);
    }
    return this.#left.signal;
  }

  get closed(): Promise<void> {
    return new Promise((resolve) => this.onClose(resolve));
  }

  onClose(closed: () => void): void {
    this.#closing.push(closed);
  }

  /** Begins to listen, and to speak graphql-ws. */
  speak(protocol: ProtocolServer<SocketLink>): void {
    const socket = this.#socket;
    let hear: (data: string) => Promise<void> = () => Promise.resolve();
    const adapter: ProtocolSocket = {
      protocol: socket.protocol,
      send: (data) => this.#send(data),
      close: (code, reason) => this.close(code, reason),
      onMessage: (heard) => {
        hear = heard;
      },
    };
    const closed = protocol.opened(adapter, this);
    socket.on('message', (data, isBinary) => this.#hear(data, isBinary, hear));
    socket.on('ping', () => this.#count(0));
    socket.on('pong', () => this.#count(0));
    socket.on('error', (error) => this.#parts.log.debug({ err: error }, 'A WebSocket broke'));
    socket.once('close', (code, reason) => {
      this.line.close();
      this.#left?.abort();
      for (const end of [...this.streams.values()]) end();
      for (const done of this.#closing.splice(0)) done();
      closed(code, reason.toString()).catch((error: unknown) => this.#fault(error));
    });
  }

  /** Whoever reads lives: a client that catches up with a long log is too busy to be pinged. */
  silentForMs(nowMs: number): number {
    return nowMs - Math.max(this.#heardAt, this.line.drainedAt);
  }

  ping(): void {
    if (this.#socket.readyState === this.#socket.OPEN && !this.line.isFull) this.#socket.ping();
  }

  close(code: number | undefined, reason: string | undefined): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  terminateAfter(ms: number): void {
    const cut = setTimeout(() => this.#socket.terminate(), ms).unref();
    this.onClose(() => clearTimeout(cut));
  }

  #hear(data: RawData, isBinary: boolean, hear: (data: string) => Promise<void>): void {
    if (isBinary) {
      this.close(CLOSE.unsupportedData, 'Messages are texts');
      return;
    }
    const text = String(data);
    // What comes after a close is not read any more.
    if (!this.#count(text.length)) return;
    hear(text).catch((error: unknown) => this.#fault(error));
  }

  /** @returns whether the message may be read */
  #count(length: number): boolean {
    if (this.#socket.readyState !== this.#socket.OPEN) return false;
    const now = performance.now();
    this.#heardAt = now;
    if (this.#messages.take(1 + Math.floor(length / BYTES_PER_MESSAGE), now) === 0) return true;
    this.#parts.meters.dropped('FLOOD');
    this.close(CLOSE.tryAgainLater, 'Too many messages');
    this.terminateAfter(FLOOD_CLOSE_MS);
    return false;
  }

  #send(data: string): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return Promise.resolve();
    if (this.#socket.bufferedAmount > MOST_WAITING_BYTES) {
      this.#parts.meters.dropped('STALLED');
      this.line.stalled();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      // Whether it arrived does not matter here: a connection that broke says so by itself.
      this.#socket.send(data, () => resolve());
      this.line.look();
    });
  }

  #fault(error: unknown): void {
    if (error instanceof Error && UNEXPECTED.test(error.message)) {
      this.close(CLOSE.badRequest, 'Invalid message received');
      return;
    }
    this.#parts.log.error({ err: error }, 'A WebSocket message could not be worked on');
    this.close(CLOSE.internalError, 'Internal server error');
  }
}
