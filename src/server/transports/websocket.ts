/**
 * GraphQL over WebSocket (graphql-ws) on the HTTP server's port: the same pipeline as over HTTP. Streams share their frames
 * (streams/), graphql-ws speaks the protocol, and this file keeps count: who may open a socket, how much may come in, and
 * who has gone without a word.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { makeServer, type Server as ProtocolServer } from 'graphql-ws';
import { WebSocketServer } from 'ws';

import { AppError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Connections } from '../connections.ts';
import type { Meters } from '../meters.ts';
import { addressOf, baseUrlOf } from '../visit.ts';
import { SocketLink } from './socket-link.ts';
import { operationHooks, type SocketOperationParts } from './socket-operations.ts';
import type { SocketLine } from './socket-outlet.ts';

export const GRAPHQL_PATH = '/graphql';

/** Also of an HTTP body. */
export const MOST_BODY_BYTES = 256 * 1024;

export interface SocketTimes {
  /** How often sockets are asked whether they live. */
  readonly pingMs: number;
  /** Whoever takes or says nothing for so long is closed with 1013. */
  readonly stalledMs: number;
  /** Clients that do not answer a close are cut after this. */
  readonly closeMs: number;
}

export interface WebsocketParts extends SocketOperationParts {
  readonly httpServer: Server;
  readonly connections: Connections;
  readonly meters: Meters;
  readonly log: Log;
  readonly publicUrl: string;
  readonly trustProxy: boolean;
  readonly times: SocketTimes;
  /** Why a request may not open a socket: a status line; undefined: it may. */
  readonly refusesUpgrade: (request: IncomingMessage) => string | undefined;
}

/** One message may come in so many frames: more is an attack on the memory. */
const MOST_FRAGMENTS = 1_024;
/** Sockets that are pinged in one go. */
const BATCH = 500;
/** The server's end waits so long for its clients to say good-bye. */
const GRACE_MS = 1_000;

export class SocketServer implements AsyncDisposable {
  readonly #parts: WebsocketParts;
  readonly #sockets: WebSocketServer;
  readonly #protocol: ProtocolServer<SocketLink>;
  readonly #links = new Set<SocketLink>();
  readonly #full = new Map<SocketLine, number>();
  readonly #timers: NodeJS.Timeout[];
  readonly #upgrade: (request: IncomingMessage, line: Duplex, head: Buffer) => void;

  constructor(parts: WebsocketParts) {
    this.#parts = parts;
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // Its types do not know this one yet: without it ws waits half a minute.
      ...{ closeTimeout: parts.times.closeMs },
      maxPayload: MOST_BODY_BYTES,
      maxFragments: MOST_FRAGMENTS,
      maxBufferedChunks: MOST_FRAGMENTS * 16,
    });
    this.#protocol = makeServer<Record<string, unknown>, SocketLink>(operationHooks(parts));
    this.#timers = [
      setInterval(() => void this.#ping(), parts.times.pingMs).unref(),
      setInterval(() => this.#closeStalled(), Math.min(1_000, parts.times.stalledMs / 4)).unref(),
    ];
    this.#upgrade = (request, line, head) => this.#open(request, line, head);
    parts.httpServer.on('upgrade', this.#upgrade);
  }

  get size(): number {
    return this.#links.size;
  }

  /** Closes every socket of a viewer whose access has ended. */
  endViewer(viewer: string): void {
    for (const link of this.#links) if (link.viewerId === viewer) link.close(4403, 'Forbidden');
  }

  /** Says 1001 to every client: they may come back to another server, or later. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#parts.httpServer.off('upgrade', this.#upgrade);
    for (const timer of this.#timers) clearInterval(timer);
    const closed = [...this.#links].map((link) => link.closed);
    for (const link of this.#links) link.close(1001, 'Going away');
    let cut: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      cut = setTimeout(resolve, GRACE_MS);
    });
    await Promise.race([Promise.all(closed), late]);
    clearTimeout(cut);
    for (const link of this.#links) link.terminate();
  }

  #open(request: IncomingMessage, line: Duplex, head: Buffer): void {
    const { connections, trustProxy, publicUrl, meters, log, refusesUpgrade } = this.#parts;
    const refused = refusesUpgrade(request);
    if (refused !== undefined) {
      refuse(line, refused);
      return;
    }
    const address = addressOf(request, trustProxy);
    let leave: () => void;
    try {
      leave = connections.enter(address);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      meters.dropped(error.code);
      refuse(line, error.code === 'OVERLOADED' ? '503 Service Unavailable' : '429 Too Many Requests');
      return;
    }
    // Until it is a WebSocket, whatever ends it must be heard.
    line.once('close', leave);
    const baseUrl = baseUrlOf(request, publicUrl);
    this.#sockets.handleUpgrade(request, line, head, (socket) => {
      const link = new SocketLink({ socket, line, full: this.#full, address, baseUrl, log, meters });
      this.#links.add(link);
      link.onClose(() => this.#links.delete(link));
      link.speak(this.#protocol);
    });
  }

  async #ping(): Promise<void> {
    const { stalledMs, closeMs } = this.#parts.times;
    const links = [...this.#links];
    for (let start = 0; start < links.length; start += BATCH) {
      const now = performance.now();
      for (const link of links.slice(start, start + BATCH)) {
        if (link.silentForMs(now) < stalledMs) link.ping();
        else this.#drop(link.line, () => link.terminateAfter(closeMs));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #closeStalled(): void {
    const now = performance.now();
    for (const [line, since] of this.#full) if (now - since >= this.#parts.times.stalledMs) this.#drop(line);
  }

  #drop(line: SocketLine, then: () => void = () => undefined): void {
    this.#parts.meters.dropped('STALLED');
    line.stalled();
    then();
  }
}

function refuse(line: Duplex, status: string): void {
  // Without a listener a client that has gone would end the process.
  line.on('error', () => line.destroy());
  line.once('finish', () => line.destroy());
  line.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
