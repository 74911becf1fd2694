/** A WebSocket's frames by hand (RFC 6455): those that no library would send, too. */
import { once } from 'node:events';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { SUBPROTOCOL } from './raw-socket.ts';

export interface Frame {
  /** The first byte: FIN, reserved bits and the kind. */
  readonly first: number;
  readonly body?: string | Buffer;
  /** What the head says, whatever is sent. */
  readonly length?: number | bigint;
  readonly masked?: boolean;
}

export const TEXT = 0x81;
const MASK = Buffer.from([1, 2, 3, 4]);

export function frame({ first, body = '', length, masked = true }: Frame): Buffer {
  const bytes = Buffer.from(body);
  const said = BigInt(length ?? bytes.length);
  const head = Buffer.alloc(said < 126n ? 2 : said < 65_536n ? 4 : 10);
  head[0] = first;
  head[1] = (masked ? 0x80 : 0) + (said < 126n ? Number(said) : said < 65_536n ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(Number(said), 2);
  if (head.length === 10) head.writeBigUInt64BE(said, 2);
  if (!masked) return Buffer.concat([head, bytes]);
  return Buffer.concat([head, MASK, bytes.map((byte, i) => byte ^ (MASK[i % 4] ?? 0))]);
}

/** An open connection that speaks no protocol by itself. */
export class RawFrames implements Disposable {
  readonly line: Duplex;
  /** What has come back, as it is. */
  readonly #chunks: Buffer[] = [];

  constructor(line: Duplex) {
    this.line = line;
    line.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    // It is cut by the server.
    line.on('error', () => undefined);
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  send(frames: readonly Frame[]): void {
    this.line.write(Buffer.concat(frames.map(frame)));
  }

  async heard(text: string): Promise<void> {
    while (!this.received.includes(text)) await once(this.line, 'data');
  }

  /** The code of the server's close frame; undefined where the line ends without one. */
  async closed(): Promise<number | undefined> {
    if (!this.line.closed) await Promise.race([once(this.line, 'close'), this.#toldToClose()]);
    return closeIn(this.received);
  }

  [Symbol.dispose](): void {
    this.line.destroy();
  }

  async #toldToClose(): Promise<void> {
    while (closeIn(this.received) === undefined) await once(this.line, 'data');
  }
}

export async function rawFrames(url: string, headers: Readonly<Record<string, string>> = {}): Promise<RawFrames> {
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16, 7).toString('base64'),
    'sec-websocket-protocol': SUBPROTOCOL,
  };
  const asking = request(`${url}/graphql`, { headers: { ...upgrade, ...headers } }).end();
  const [, line] = await once(asking, 'upgrade');
  return new RawFrames(line);
}

/** Walks over whole frames of the server, which are not masked. */
function closeIn(bytes: Buffer): number | undefined {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes[at + 1] ?? 0;
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (start > bytes.length) return undefined;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    if (bytes[at] === 0x88) return start + 2 <= bytes.length ? bytes.readUInt16BE(start) : undefined;
    at = start + length;
  }
  return undefined;
}
