/** A WebSocket without a client library: sends what no well-behaved client would, and keeps what comes back. */
import { randomUUID } from 'node:crypto';
import { type ClientOptions, type RawData, WebSocket } from 'ws';
import { waitFor } from './wait-for.ts';

// biome-ignore lint/suspicious/noExplicitAny: messages are compared, not computed with
type Message = any;

export interface Opening extends ClientOptions {
  /** Undefined: none is named. */
  readonly subprotocol?: string | undefined;
  readonly path?: string;
}

export interface Close {
  readonly code: number;
  readonly reason: string;
}

export const SUBPROTOCOL = 'graphql-transport-ws';

export class RawSocket implements Disposable {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  readonly closed: Promise<Close>;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => this.messages.push(JSON.parse(String(data))));
    // A connection that is cut says so by its close.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The first message that fits. */
  heard(fits: (message: Message) => boolean): Promise<Message> {
    return waitFor(() => this.messages.find(fits));
  }

  async init(payload?: object): Promise<this> {
    this.send({ type: 'connection_init', ...(payload === undefined ? {} : { payload }) });
    await this.heard(({ type }) => type === 'connection_ack');
    return this;
  }

  /** `payload`: JSON as it goes over the line. @returns the first message that answers, or how the socket was closed */
  async ask(payload: string): Promise<Message | Close> {
    const id = randomUUID();
    const answered = new Promise<Message>((resolve) => {
      const hear = (data: RawData) => {
        const message = JSON.parse(String(data));
        if (message.id !== id) return;
        this.socket.off('message', hear);
        resolve(message);
      };
      this.socket.on('message', hear);
    });
    this.send(`{"id":"${id}","type":"subscribe","payload":${payload}}`);
    return Promise.race([answered, this.closed]);
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

/** @returns the socket, or the status with which it was refused; 0 where the connection was cut */
export function openSocket(url: string, opening: Opening = {}): Promise<RawSocket | number> {
  const { subprotocol = SUBPROTOCOL, path = '/graphql', ...options } = opening;
  const protocols = 'subprotocol' in opening && opening.subprotocol === undefined ? [] : [subprotocol];
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, protocols, options);
  const raw = new RawSocket(socket);
  return new Promise((resolve) => {
    socket.once('open', () => resolve(raw));
    socket.once('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode));
    socket.once('error', () => resolve(0));
  });
}

/** @throws where it is refused */
export async function rawSocket(url: string, opening: Opening = {}): Promise<RawSocket> {
  const opened = await openSocket(url, opening);
  if (opened instanceof RawSocket) return opened;
  throw new Error(`The socket was refused with ${opened}`);
}
