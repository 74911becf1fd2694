/**
 * One WebSocket's way out. Frames of streams are made once for many and written to the connection itself; everything else
 * goes through `ws`. Both write whole frames, so they do not mix.
 */
import type { Duplex } from 'node:stream';
import type { GraphQLFormattedError } from 'graphql';
import type { WebSocket } from 'ws';
import type { Outlet } from '../streams/outlet.ts';
import type { Payload } from '../streams/payload.ts';

/** The connection below a WebSocket: whether it takes more, and since when it does not. */
export class SocketLine {
  readonly #socket: WebSocket;
  readonly #line: Duplex;
  readonly #waiting = new Set<() => void>();
  readonly #full: Map<SocketLine, number>;
  /** When the client last took what it was sent, by the clock of `performance`. */
  #drainedAt = 0;

  /** `full`: where lines that are full are noted, with the time since when. */
  constructor(socket: WebSocket, line: Duplex, full: Map<SocketLine, number>) {
    this.#socket = socket;
    this.#line = line;
    this.#full = full;
  }

  get isFull(): boolean {
    return this.#line.writableNeedDrain;
  }

  get drainedAt(): number {
    return this.#drainedAt;
  }

  write(frame: Buffer): void {
    // After a close frame nothing may follow.
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (!this.#line.write(frame)) this.#fill();
  }

  /** To be called where something else has written, too. */
  look(): void {
    if (this.isFull) this.#fill();
  }

  whenDrained(drained: () => void): void {
    this.#waiting.add(drained);
    this.#fill();
  }

  close(): void {
    this.#waiting.clear();
    this.#full.delete(this);
  }

  /** The client takes nothing: it is told, should it ever listen again. */
  stalled(): void {
    this.#full.delete(this);
    this.#socket.close(1013, 'Nothing was read for too long: come back and ask for what came after');
  }

  #fill(): void {
    if (this.#full.has(this)) return;
    this.#full.set(this, performance.now());
    this.#line.once('drain', () => {
      this.#drainedAt = performance.now();
      this.#full.delete(this);
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const drained of waiting) drained();
    });
  }
}

/** One operation's stream on a line. */
export class SocketOutlet implements Outlet {
  readonly #line: SocketLine;
  readonly #id: string;
  readonly #ended: (errors: readonly GraphQLFormattedError[] | undefined) => void;

  /** `ended` is called once, with the errors where it broke off. */
  constructor(line: SocketLine, id: string, ended: (errors: readonly GraphQLFormattedError[] | undefined) => void) {
    this.#line = line;
    this.#id = id;
    this.#ended = ended;
  }

  get isFull(): boolean {
    return this.#line.isFull;
  }

  next(payload: Payload): void {
    this.#line.write(payload.frame(this.#id));
  }

  whenDrained(drained: () => void): void {
    this.#line.whenDrained(drained);
  }

  complete(): void {
    this.#ended(undefined);
  }

  fail(errors: readonly GraphQLFormattedError[]): void {
    this.#ended(errors);
  }
}
