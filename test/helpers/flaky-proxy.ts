/** A connection as the world has them: a TCP proxy in front of a server that cuts its clients off, or lets them hang. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** From the server, each connection carries so many bytes, then it is cut, in the middle of whatever it carries. */
export interface Weather {
  readonly bytes: readonly [fewest: number, most: number];
}

/** Between the last byte that is carried and the cut. */
const LINGER_MS = 15;

export class FlakyProxy implements AsyncDisposable {
  /** Where it listens, e.g. `http://127.0.0.1:4321`. */
  readonly url: string;
  readonly #server: Server;
  readonly #lines = new Set<Line>();
  #weather: Weather | undefined;
  #isDown = false;
  #cuts = 0;
  #connections = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(target: string): Promise<FlakyProxy> {
    const { hostname, port } = new URL(target);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new FlakyProxy(server);
    server.on('connection', (near) => proxy.#join(near, connect(Number(port), hostname)));
    return proxy;
  }

  /** Connections that were cut so far. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Connections that were ever made. */
  get connections(): number {
    return this.#connections;
  }

  /** Open connections that were asked something: fetch also keeps idle ones. */
  get inUse(): number {
    return [...this.#lines].filter(({ isInUse }) => isInUse).length;
  }

  /** For connections that are made from now on. Undefined: they are left alone. */
  setWeather(weather: Weather | undefined): void {
    this.#weather = weather;
  }

  /** Cuts every connection that is open. */
  cut(): void {
    for (const line of [...this.#lines]) line.cut();
  }

  /** Until it is up again, whoever comes is cut off at once. */
  setDown(isDown: boolean): void {
    this.#isDown = isDown;
    if (isDown) this.cut();
  }

  /** The connections that are open stay so, but carry nothing any more: nobody is told. */
  stall(): void {
    for (const line of this.#lines) line.stall();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, far: Socket): void {
    this.#connections += 1;
    const line = new Line({ near, far, bytes: this.#bytes() }, (wasCut) => {
      this.#lines.delete(line);
      if (wasCut) this.#cuts += 1;
    });
    this.#lines.add(line);
    if (this.#isDown) line.cut();
  }

  #bytes(): number {
    if (this.#weather === undefined) return Number.POSITIVE_INFINITY;
    const [fewest, most] = this.#weather.bytes;
    return fewest + Math.floor(Math.random() * (most - fewest + 1));
  }
}

interface LineParts {
  readonly near: Socket;
  readonly far: Socket;
  /** What it carries from the far end at most. */
  readonly bytes: number;
}

class Line {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #ended: (wasCut: boolean) => void;
  #bytesLeft: number;
  #isStalled = false;
  #isOver = false;

  constructor({ near, far, bytes }: LineParts, ended: (wasCut: boolean) => void) {
    this.#near = near;
    this.#far = far;
    this.#bytesLeft = bytes;
    this.#ended = ended;
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      // One side that ends or breaks takes the other with it.
      socket.on('error', () => undefined);
      socket.once('close', () => this.#end(false));
    }
    // A client that has said its last word has gone.
    near.once('end', () => this.#end(false));
    far.once('end', () => near.end());
    near.on('data', (chunk) => this.#carry(chunk, near, far));
    far.on('data', (chunk) => this.#give(chunk));
  }

  get isInUse(): boolean {
    return this.#near.bytesRead > 0;
  }

  cut(): void {
    this.#end(true);
  }

  stall(): void {
    this.#isStalled = true;
  }

  #give(chunk: Buffer): void {
    if (chunk.length <= this.#bytesLeft) {
      this.#bytesLeft -= chunk.length;
      this.#carry(chunk, this.#far, this.#near);
      return;
    }
    this.#carry(chunk.subarray(0, this.#bytesLeft), this.#far, this.#near);
    this.#bytesLeft = 0;
    this.#isStalled = true;
    // Clients throw away what they have not read when they hear of the end.
    setTimeout(() => this.cut(), LINGER_MS);
  }

  #carry(chunk: Buffer, from: Socket, to: Socket): void {
    if (this.#isStalled || this.#isOver || to.write(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  }

  #end(wasCut: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#near.destroy();
    this.#far.destroy();
    this.#ended(wasCut);
  }
}
