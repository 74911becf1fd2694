/**
 * One way to ask over every transport: each with the client that is made for it, and every answer in the same form, so
 * that a test can compare them. A refusal is an answer, too; a connection that breaks off is thrown.
 */
import { createClient as createSseClient, NetworkError } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';

export interface Asked {
  readonly query?: string | undefined;
  readonly operationName?: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export interface ToldError {
  readonly message: string;
  readonly path?: readonly unknown[];
  readonly locations?: readonly unknown[];
  readonly extensions: { readonly code: string; readonly [field: string]: unknown };
}

export interface Told {
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared, not computed with
  readonly data?: any;
  readonly errors?: readonly ToldError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export interface Visitor {
  readonly url: string;
  /** An API key. */
  readonly key?: string | undefined;
}

export interface Transport {
  readonly name: string;
  /** Everything that an operation is answered with, to its end. */
  results(visitor: Visitor, asked: Asked): AsyncGenerator<Told, void, undefined>;
}

export const http: Transport = {
  name: 'HTTP',
  async *results(visitor, asked) {
    const response = await post(visitor, asked, 'application/json');
    yield (await response.json()) as Told;
  },
};

export const webSocket: Transport = {
  name: 'WebSocket',
  async *results({ url, key }, asked) {
    const client = createSocketClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: key === undefined ? {} : { apiKey: key },
    });
    try {
      for await (const told of client.iterate({ ...asked, query: asked.query ?? '' })) yield asTold(told);
    } catch (error) {
      if (!Array.isArray(error)) throw error;
      yield { errors: error as ToldError[] };
    } finally {
      await client.dispose();
    }
  },
};

export const serverSentEvents: Transport = {
  name: 'Server-Sent Events',
  async *results({ url, key }, asked) {
    const client = createSseClient({
      url: `${url}/graphql`,
      retryAttempts: 0,
      headers: { ...authorization(key) },
    });
    try {
      // Its type wants a text; persisted queries have none.
      for await (const told of client.iterate(asked as Asked & { query: string })) yield asTold(told);
    } catch (error) {
      if (!(error instanceof NetworkError) || !(error.response instanceof Response)) throw error;
      yield (await error.response.json()) as Told;
    } finally {
      client.dispose();
    }
  },
};

export const multipart: Transport = {
  name: 'multipart',
  async *results(visitor, asked) {
    const response = await post(visitor, asked, MULTIPART);
    if (!isMultipart(response)) {
      yield (await response.json()) as Told;
      return;
    }
    for await (const part of parts(response)) {
      const { payload, errors } = JSON.parse(part) as { payload?: Told | null; errors?: readonly ToldError[] };
      // A part without either is a sign of life.
      if (errors !== undefined) yield { errors };
      else if (payload !== undefined && payload !== null) yield payload;
    }
  },
};

export const TRANSPORTS: readonly Transport[] = [http, webSocket, serverSentEvents, multipart];
export const STREAMING: readonly Transport[] = [webSocket, serverSentEvents, multipart];

/** The one answer of a query or a mutation. @throws where there is none, or more */
export async function answerOf(transport: Transport, visitor: Visitor, asked: Asked): Promise<Told> {
  const [answer, ...more] = await allOf(transport, visitor, asked);
  if (answer === undefined || more.length > 0) throw new Error(`${transport.name} gave ${more.length + 1} answers`);
  return answer;
}

export async function allOf(transport: Transport, visitor: Visitor, asked: Asked): Promise<Told[]> {
  const all: Told[] = [];
  for await (const told of transport.results(visitor, asked)) all.push(told);
  return all;
}

/** The clients' own types say less. */
function asTold(result: unknown): Told {
  return result as Told;
}

/** Without what is of this one request. */
export function withoutRequestId(told: Told): Told {
  return JSON.parse(JSON.stringify(told, (name, value) => (name === 'requestId' ? undefined : value)));
}

/** All that comes over the wire for a stream that ends, without signs of life. */
export function wireOf({ name }: Transport, visitor: Visitor, asked: Asked): Promise<string> {
  if (name === webSocket.name) return socketText(visitor, asked);
  const accept = name === multipart.name ? MULTIPART : 'text/event-stream';
  return post(visitor, asked, accept).then(async (response) => (await response.text()).replaceAll(/^:\n\n/gm, ''));
}

const MULTIPART = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json';

export function post(
  { url, key }: Visitor,
  asked: Asked,
  accept: string,
  { headers, ...init }: { readonly headers?: Record<string, string>; readonly signal?: AbortSignal | undefined } = {},
): Promise<Response> {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, ...authorization(key), ...headers },
    body: JSON.stringify(asked),
    ...(init.signal === undefined ? {} : { signal: init.signal }),
  });
}

export function authorization(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

function isMultipart({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('multipart/mixed') === true;
}

/** Bodies of the parts as they come. @throws where it does not end with its last boundary */
async function* parts({ body, headers }: Response): AsyncGenerator<string, void, undefined> {
  const boundary = /boundary="?([^";]+)"?/.exec(headers.get('content-type') ?? '')?.[1] ?? '-';
  const delimiter = `\r\n--${boundary}`;
  let text = '';
  for await (const chunk of (body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = nextEnd(text, delimiter); end >= 0; end = nextEnd(text, delimiter)) {
      const [, content] = text.slice(0, end).split('\r\n\r\n', 2);
      text = text.slice(end);
      if (content !== undefined) yield content;
    }
  }
  if (!text.startsWith(`${delimiter}--`)) throw new Error(`The answer broke off: ${JSON.stringify(text)}`);
}

/** Where the next part, or the end, begins after the part that `text` begins with. */
function nextEnd(text: string, delimiter: string): number {
  return text.indexOf(delimiter, text.startsWith(delimiter) ? delimiter.length : 0);
}

function socketText({ url, key }: Visitor, asked: Asked): Promise<string> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const send = (message: object) => socket.send(JSON.stringify(message));
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('open', () => send({ type: 'connection_init', payload: { apiKey: key } }));
    socket.on('message', (data) => {
      const { type } = JSON.parse(String(data)) as { type: string };
      if (type === 'connection_ack') return send({ id: '1', type: 'subscribe', payload: asked });
      text += `${data}\n`;
      if (type !== 'next') socket.close(1000);
    });
    socket.on('close', (code) => (code === 1000 ? resolve(text) : reject(new Error(`Closed with ${code}`))));
    socket.on('error', reject);
  });
}
