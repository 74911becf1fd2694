/**
 * GraphQL over WebSocket (graphql-ws) on the HTTP server's port. Operations pass through the same schema, context and
 * masking as over HTTP. A page of another site is refused: browsers open sockets to anywhere.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type ExecutionArgs,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
  parse,
  validate,
} from 'graphql';
import type { ServerOptions, SubscribePayload } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import type { Services } from '../resolvers/context.ts';
import { formatError } from '../resolvers/errors.ts';
import { isTrusted } from './origins.ts';
import { baseUrlOf, createContext } from './visit.ts';

export const GRAPHQL_PATH = '/graphql';

const MOST_PAYLOAD_BYTES = 256 * 1024;
/** Sockets whose clients do not answer the end of the server are cut after this. */
const GRACE_MS = 1_000;

export interface WebsocketParts {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly publicUrl: string;
  readonly httpServer: Server;
}

/** Closing it says 1001 to every client: they may come back to another server, or later. */
export function startWebsocket(parts: WebsocketParts): AsyncDisposable {
  const { httpServer, publicUrl, services } = parts;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_PAYLOAD_BYTES });
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { origin, host } = request.headers;
    if (request.url?.split('?', 1)[0] !== GRAPHQL_PATH) return refuse(socket, '404 Not Found');
    if (!isTrusted({ origin, host }, publicUrl)) return refuse(socket, '403 Forbidden');
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
  };
  httpServer.on('upgrade', upgrade);
  const operations = useServer(operationHooks(parts), sockets);
  // After graphql-ws, whose own listener prints; ws closes a broken socket by itself.
  sockets.on('connection', (socket) => {
    socket.removeAllListeners('error');
    socket.on('error', (error) => services.log.debug({ err: error }, 'A WebSocket broke'));
  });
  return {
    [Symbol.asyncDispose]: async () => {
      httpServer.off('upgrade', upgrade);
      const cut = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
      }, GRACE_MS);
      await operations.dispose();
      clearTimeout(cut);
    },
  };
}

type Hooks = ServerOptions<Record<string, unknown>, Extra> & { readonly isProd: boolean };

function operationHooks({ schema, services, publicUrl }: WebsocketParts): Hooks {
  const { log } = services;
  /** Ids of the operations under way, so that what is told and what is logged fit together. */
  const requestIds = new WeakMap<ExecutionArgs, string>();
  const masked = (errors: readonly GraphQLError[], requestId: string): GraphQLFormattedError[] =>
    errors.map((error) => formatError(error.toJSON(), error, { log, requestId }));
  return {
    isProd: true,
    onSubscribe: ({ extra }, _id, payload) => {
      const read = readOperation(schema, payload);
      if ('errors' in read) return read.errors;
      const requestId = randomUUID();
      const contextValue = createContext(services, {
        baseUrl: baseUrlOf(extra.request, publicUrl),
        requestId,
        stream: read.isStream,
      });
      const args = { ...read.args, contextValue };
      requestIds.set(args, requestId);
      return args;
    },
    onNext: (_context, _id, _payload, args, { data, errors }) => {
      if (errors === undefined) return undefined;
      const told = masked(errors, requestIds.get(args) ?? randomUUID());
      return data === undefined ? { errors: told } : { data, errors: told };
    },
    onError: (_context, _id, _payload, errors) => masked(errors, randomUUID()),
  };
}

type Read = { readonly errors: readonly GraphQLError[] } | { readonly args: ExecutionArgs; readonly isStream: boolean };

/** A request that cannot be read is told to the client; graphql-ws by itself would close the socket. */
function readOperation(schema: GraphQLSchema, { query, operationName, variables }: SubscribePayload): Read {
  try {
    const document = parse(query);
    const errors = validate(schema, document);
    if (errors.length > 0) return { errors: errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) };
    const operation = getOperationAST(document, operationName);
    const args = { schema, document, operationName: operationName ?? null, variableValues: variables ?? null };
    return { args, isStream: operation?.operation === 'subscription' };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [withCode(error, 'GRAPHQL_PARSE_FAILED')] };
    throw error;
  }
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  error.extensions['code'] = code;
  return error;
}

function refuse(socket: Duplex, status: string): void {
  // Without a listener a client that has gone would end the process.
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
