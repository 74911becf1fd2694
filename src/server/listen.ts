/** The HTTP server: one port for GraphQL over HTTP and WebSocket, pictures and health. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import express, { type Express } from 'express';
import type { GraphQLSchema } from 'graphql';
import type { Config } from '../config.ts';
import { Closers } from '../core/closers.ts';
import { AppError } from '../core/errors.ts';
import type { Services } from '../resolvers/context.ts';
import type { Blobs } from '../store/blobs.ts';
import { exportRoutes } from './export-route.ts';
import { answerFaults, notFound } from './faults.ts';
import { startGraphql } from './graphql.ts';
import { healthRoutes, type Readiness } from './health.ts';
import { crossOrigin } from './origins.ts';
import { pictureRoutes } from './picture-route.ts';
import { withRequestId } from './visit.ts';
import { GRAPHQL_PATH, startWebsocket } from './websocket.ts';

export interface ServerParts {
  readonly config: Pick<Config, 'host' | 'port' | 'publicUrl'>;
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly blobs: Blobs;
  readonly readiness: Readiness;
}

export interface RunningServer extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:4000` */
  readonly url: string;
}

const MOST_BODY = '1mb';
const WELCOME = `artgan

/graphql    GraphQL, by POST or WebSocket (graphql-ws)
/images     generated pictures, by their url
/artworks   works of the collections, by their url
/samples    grids of training runs, by their url
/exports    files of exported models, by their url
/livez      whether the server lives
/readyz     whether it is ready
`;

/** @throws AppError INVALID_CONFIG where the port or the address cannot be had. */
export async function startServer({ config, schema, services, blobs, readiness }: ServerParts): Promise<RunningServer> {
  const { host, port, publicUrl } = config;
  await using parts = new Closers();
  const app = express();
  const httpServer = createServer(app);
  const graphql = parts.use(await startGraphql({ schema, services, publicUrl, httpServer }));
  setRoutes(app, { graphql: graphql.handler, publicUrl, services, blobs, readiness });
  parts.use(startWebsocket({ schema, services, publicUrl, httpServer }));
  await listen(httpServer, { host, port });
  const open = parts.move();
  return { url: urlOf(httpServer), [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() };
}

type RouteParts = Pick<ServerParts, 'services' | 'blobs' | 'readiness'> & {
  readonly graphql: express.RequestHandler;
  readonly publicUrl: string;
};

function setRoutes(app: Express, { graphql, publicUrl, services, blobs, readiness }: RouteParts): void {
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(healthRoutes(readiness));
  app.get('/', (_request, response) => {
    response.type('text/plain').send(WELCOME);
  });
  app.use(crossOrigin(publicUrl));
  app.use(withRequestId());
  app.use(pictureRoutes({ ...services, blobs }));
  app.use(exportRoutes(services));
  app.use(GRAPHQL_PATH, express.json({ limit: MOST_BODY }), graphql);
  app.use(notFound());
  app.use(answerFaults(services.log));
}

async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new AppError('INVALID_CONFIG', `Cannot listen on ${host}, port ${port}: ${adviceFor(cause)}`, { cause });
  }
}

function adviceFor(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return 'another program uses it. End that one, or choose another port with PORT.';
    case 'EACCES':
      return 'this user may not use it. Choose a port above 1023 with PORT.';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine does not have that address. Set HOST to one that it has, e.g. 127.0.0.1.';
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}

/** What a program on this machine can open; a server that listens everywhere answers on the loopback, too. */
function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[address.address];
  const name = host ?? (address.family === 'IPv6' ? `[${address.address}]` : address.address);
  return `http://${name}:${address.port}`;
}
