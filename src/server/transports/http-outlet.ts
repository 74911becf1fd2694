/** Streams over HTTP: one response that goes on, as Server-Sent Events or as the parts of a multipart answer. */
import type { ServerResponse } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import type { Outlet } from '../streams/outlet.ts';
import type { Payload } from '../streams/payload.ts';

export interface StreamFormat {
  readonly contentType: string;
  readonly next: (json: string) => string;
  readonly complete: string;
  readonly heartbeat: string;
  /** Before the first of all. */
  readonly opening: string;
  /** How the end by an error is told, after which nothing more comes. */
  readonly fail: (errors: readonly GraphQLFormattedError[]) => string;
}

/** graphql-sse, distinct connections mode: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md */
export const serverSentEvents: StreamFormat = {
  contentType: 'text/event-stream; charset=utf-8',
  opening: ':\n\n',
  next: (json) => `event: next\ndata: ${json}\n\n`,
  complete: 'event: complete\ndata:\n\n',
  heartbeat: ':\n\n',
  fail: (errors) => `event: next\ndata: ${JSON.stringify({ errors })}\n\nevent: complete\ndata:\n\n`,
};

const BOUNDARY = 'graphql';
const DELIMITER = `\r\n--${BOUNDARY}`;
const END = '--\r\n';
/** With the delimiter of the next one behind it: clients take a part when they have seen its end. */
const part = (json: string) => `\r\nContent-Type: application/json; charset=utf-8\r\n\r\n${json}${DELIMITER}`;

/** Apollo's multipart subscriptions: https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol */
export const multipart: StreamFormat = {
  contentType: `multipart/mixed; boundary=${BOUNDARY}; subscriptionSpec=1.0`,
  opening: DELIMITER,
  next: (json) => part(`{"payload":${json}}`),
  complete: END,
  heartbeat: part('{}'),
  fail: (errors) => `${part(JSON.stringify({ payload: null, errors }))}${END}`,
};

export class HttpOutlet implements Outlet {
  readonly #response: ServerResponse;
  readonly #format: StreamFormat;
  /** Since when nothing was taken, by the clock of `performance`; undefined: there is room. */
  #fullSince: number | undefined;

  constructor(response: ServerResponse, format: StreamFormat) {
    this.#response = response;
    this.#format = format;
    response.writeHead(200, {
      'Content-Type': format.contentType,
      'Cache-Control': 'no-store, no-transform',
      // Proxies that collect answers would hold the events back.
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    response.socket?.setNoDelay(true);
    this.#write(format.opening);
    response.on('drain', () => {
      this.#fullSince = undefined;
    });
  }

  get isFull(): boolean {
    return this.#response.writableNeedDrain;
  }

  fullForMs(nowMs: number): number {
    return this.#fullSince === undefined ? 0 : nowMs - this.#fullSince;
  }

  next(payload: Payload): void {
    this.#write(this.#format.next(payload.json.toString()));
  }

  whenDrained(drained: () => void): void {
    this.#response.once('drain', drained);
  }

  complete(): void {
    this.#response.end(this.#format.complete);
  }

  fail(errors: readonly GraphQLFormattedError[]): void {
    this.#response.end(this.#format.fail(errors));
  }

  /** So that proxies and clients see that the stream lives, and the server that the client does. */
  heartbeat(): void {
    if (!this.isFull) this.#write(this.#format.heartbeat);
  }

  destroy(): void {
    this.#response.destroy();
  }

  #write(text: string): void {
    if (text === '' || this.#response.writableEnded || this.#response.destroyed) return;
    if (!this.#response.write(text)) this.#fullSince ??= performance.now();
  }
}
