/** HTTP by hand: bytes that no client library sends. */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  /** Of the first answer; 0 where the connection was closed without one. */
  readonly status: number;
  readonly text: string;
}

export function connectTo(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  // Servers cut such connections.
  socket.on('error', () => undefined);
  return socket;
}

/** Writes, and waits until the server closes or `isWhole` is content. */
export function exchange(
  url: string,
  bytes: string | Buffer | readonly (string | Buffer)[],
  isWhole: (text: string) => boolean = () => false,
): Promise<RawAnswer> {
  const socket = connectTo(url);
  for (const part of [bytes].flat()) socket.write(part as string | Buffer);
  let text = '';
  return new Promise((resolve) => {
    const done = () => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
    };
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (isWhole(text)) done();
    });
    socket.once('close', done);
  });
}

/** A request with a body, its length said; the connection is closed after it. */
export function request(
  line: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer = '',
): Buffer {
  const bytes = Buffer.from(body);
  const all = { host: '127.0.0.1', connection: 'close', 'content-length': String(bytes.length), ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${line} HTTP/1.1\r\n${head.join('')}\r\n`, 'latin1'), bytes]);
}
