/** Clients of a channel without a network: what they were sent, and for how much more there is room. */
import type { Outlet } from '../../src/server/streams/outlet.ts';
import type { Payload } from '../../src/server/streams/payload.ts';

/** A connection: takes events while there is room. */
export class Line {
  #room = Number.POSITIVE_INFINITY;
  #waiting: (() => void)[] = [];

  get isFull(): boolean {
    return this.#room <= 0;
  }

  /** Takes so many more, from now on. */
  makeRoom(room: number): void {
    this.#room = room;
    if (room > 0) for (const drained of this.#waiting.splice(0)) drained();
  }

  take(): void {
    this.#room -= 1;
  }

  whenDrained(drained: () => void): void {
    this.#waiting.push(drained);
  }
}

/** A client's stream, on a connection of its own or beside others. */
export class Reader implements Outlet {
  readonly seqs: number[] = [];
  readonly frames: Payload[] = [];
  end: 'complete' | readonly unknown[] | undefined;
  /** Written although there was no room. */
  excess = 0;
  readonly line: Line;

  constructor(line = new Line()) {
    this.line = line;
  }

  get isFull(): boolean {
    return this.line.isFull;
  }

  next(payload: Payload): void {
    if (this.isFull) this.excess += 1;
    this.line.take();
    this.frames.push(payload);
    this.seqs.push(JSON.parse(payload.json.toString()).seq);
  }

  whenDrained(drained: () => void): void {
    this.line.whenDrained(drained);
  }

  complete(): void {
    this.end = 'complete';
  }

  fail(errors: readonly unknown[]): void {
    this.end = errors;
  }
}
