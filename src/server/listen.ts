/** The HTTP server: one port for GraphQL by every transport, pictures, the explorer, health and metrics. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import express, { type Express, type RequestHandler } from 'express';
import type { GraphQLSchema } from 'graphql';
import type { Config } from '../config.ts';
import { Closers } from '../core/closers.ts';
import { AppError } from '../core/errors.ts';
import type { Services } from '../resolvers/context.ts';
import type { Blobs } from '../store/blobs.ts';
import { Connections } from './connections.ts';
import { explorerRoutes } from './explorer.ts';
import { exportRoutes } from './export-route.ts';
import { answerFaults, notFound } from './faults.ts';
import { galleryRoutes } from './gallery-route.ts';
import { mayOpen } from './gate.ts';
import { generationRoutes } from './generation-route.ts';
import { healthRoutes, type Readiness } from './health.ts';
import { Meters } from './meters.ts';
import { listenForMetrics, metricsRoute } from './operator-routes.ts';
import { crossOrigin, isOwnName, isTrusted } from './origins.ts';
import { pictureRoutes } from './picture-route.ts';
import { startPipeline } from './start-pipeline.ts';
import { graphqlFaults, graphqlHandler } from './transports/http.ts';
import { isJson } from './transports/http-request.ts';
import { HttpStreams, type StreamTimes } from './transports/http-streams.ts';
import { GRAPHQL_PATH, MOST_BODY_BYTES, SocketServer, type SocketTimes } from './transports/websocket.ts';
import { uploadRoutes } from './upload-route.ts';
import { withRequestId } from './visit.ts';
import { watchSizes } from './watch-sizes.ts';

/** How long the server waits for its clients. */
export interface ServerTimes {
  /** A client that sends its request a byte at a time holds a connection for so long. */
  readonly request: {
    readonly headersTimeout: number;
    readonly requestTimeout: number;
    /** Longer than proxies and clients keep an idle connection: who closes it later never sends into a closed one. */
    readonly keepAliveTimeout: number;
    readonly connectionsCheckingInterval: number;
  };
  readonly sockets: SocketTimes;
  readonly streams: StreamTimes;
}

const TIMES: ServerTimes = {
  request: {
    ...{ headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000 },
    connectionsCheckingInterval: 5_000,
  },
  sockets: { pingMs: 10_000, stalledMs: 30_000, closeMs: 5_000 },
  streams: { heartbeatMs: 10_000, stalledMs: 30_000 },
};

export interface ServerParts {
  readonly config: Pick<Config, 'host' | 'port' | 'publicUrl' | 'localOnly' | 'surface' | 'limits' | 'telemetry'>;
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly blobs: Blobs;
  readonly readiness: Readiness;
  /** Shorter ones for tests. */
  readonly times?: ServerTimes | undefined;
}

export interface RunningServer extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:4000` */
  readonly url: string;
}

/** Requests that are still worked on when the server stops get this long. */
const GRACE_MS = 1_500;
/** Connections beside those of streams: requests, pictures. */
const SPARE_CONNECTIONS = 5_000;
const WELCOME = `artgan

/graphql    GraphQL: POST, WebSocket (graphql-ws), Server-Sent Events, multipart subscriptions
/explore    try it in the browser
/images     generated pictures, by their url
/sheets     many pictures as one, by its url
/animations ways from picture to picture, by their url
/artworks   works of the collections, by their url
/samples    grids of training runs, by their url
/exports    files of exported models, by their url
/generations  pictures of jobs, as a ZIP
/gallery    exports of the gallery, as a ZIP
/uploads    where pictures are sent, by their url
/livez      whether the server lives
/readyz     whether it is ready
/metrics    numbers for Prometheus
`;

/** @throws AppError INVALID_CONFIG where the port or the address cannot be had. */
export async function startServer(given: ServerParts): Promise<RunningServer> {
  const { config, schema, services, times = TIMES } = given;
  const { host, port, publicUrl, limits, surface, telemetry } = config;
  const { access, log } = services;
  await using parts = new Closers();
  const app = express();
  const httpServer = createServer(times.request, app);
  httpServer.maxConnections = limits.sockets + SPARE_CONNECTIONS;
  const meters = new Meters();
  const connections = new Connections(limits);
  const streams = new HttpStreams(times.streams, () => meters.dropped('STALLED'));
  const { pipeline, hub } = await startPipeline({ config, schema, services, meters, parts });
  // Closed in this order: first those who watch are sent away, then those who ask are waited for.
  parts.defer(() => drained(httpServer));
  const common = { pipeline, access, connections, publicUrl, trustProxy: surface.trustProxy };
  const isKnownName = nameCheck(given);
  const graphql = graphqlHandler({ ...common, streams });
  setRoutes(app, { ...given, graphql, meters, isKnownName });
  const sockets = new SocketServer({
    ...{ ...common, schema, httpServer, meters, log, times: times.sockets },
    operationsPerSocket: limits.operationsPerSocket,
    refusesUpgrade: (request) => upgradeRefusal(request, { publicUrl, isKnownName }),
  });
  parts.use(sockets);
  parts.defer(() => streams[Symbol.dispose]());
  const forget = access.onEnd((viewer) => {
    sockets.endViewer(viewer);
    hub.endViewer(viewer, new AppError('UNAUTHENTICATED', 'The access that this stream was opened with has ended.'));
  });
  parts.defer(() => forget());
  watchSizes(meters, { sockets, streams, hub, connections, services });
  if (telemetry.metricsPort !== undefined)
    parts.use(await listenForMetrics(meters, { host, port: telemetry.metricsPort }));
  await listen(httpServer, { host, port });
  const open = parts.move();
  return { url: urlOf(httpServer), [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() };
}

type RouteParts = ServerParts & {
  readonly graphql: RequestHandler;
  readonly meters: Meters;
  readonly isKnownName: (host: string | undefined) => boolean;
};

function setRoutes(app: Express, parts: RouteParts): void {
  const { config, graphql, meters, services, blobs, readiness, isKnownName } = parts;
  const { publicUrl, surface, telemetry } = config;
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(healthRoutes(readiness));
  app.get('/', (_request, response) => {
    response.type('text/plain').send(WELCOME);
  });
  app.use(withRequestId());
  app.use(knownName(isKnownName));
  app.use(crossOrigin(publicUrl));
  const body = express.json({ limit: MOST_BODY_BYTES, inflate: false, type: isJson });
  app.use(GRAPHQL_PATH, trusted(publicUrl), body, graphql);
  app.use(GRAPHQL_PATH, graphqlFaults(services.log));
  if (telemetry.metricsPort === undefined) app.use(metricsRoute(meters, services.access));
  if (surface.explorer) app.use(explorerRoutes());
  const gate = mayOpen({ ...services, publicPictures: surface.publicPictures });
  app.use(pictureRoutes({ ...services, blobs, trustProxy: surface.trustProxy }, gate));
  app.use(exportRoutes(services, gate));
  app.use(generationRoutes(services, gate));
  app.use(galleryRoutes(services, gate));
  app.use(uploadRoutes(services, trusted(publicUrl)));
  app.use(notFound());
  app.use(answerFaults(services.log));
}

/** Only an open server has to mind by what name it is asked: everywhere else a key is wanted. */
function nameCheck({ config, services: { access } }: ServerParts): (host: string | undefined) => boolean {
  const { publicUrl, host: listensOn } = config;
  return (host) => access.wantsKeys || isOwnName(host, { publicUrl, listensOn });
}

function knownName(isKnown: (host: string | undefined) => boolean): RequestHandler {
  return (request, _response, next) => {
    if (isKnown(request.headers.host)) return next();
    throw new AppError('FORBIDDEN', 'This server is not known by that name. Set PUBLIC_URL to the one that it has.');
  };
}

/** Pages of other sites are told at once; that they cannot read the answers they would find out anyhow. */
function trusted(publicUrl: string): RequestHandler {
  return (request, _response, next) => {
    const { origin, host } = request.headers;
    if (isTrusted({ origin, host }, publicUrl)) return next();
    throw new AppError(
      'FORBIDDEN',
      'Pages of that site may not ask this server. Set PUBLIC_URL to the site it serves.',
    );
  };
}

function upgradeRefusal(
  { url, headers }: IncomingMessage,
  { publicUrl, isKnownName }: Pick<RouteParts, 'isKnownName'> & { readonly publicUrl: string },
): string | undefined {
  const { origin, host } = headers;
  if (url?.split('?', 1)[0] !== GRAPHQL_PATH) return '404 Not Found';
  return isKnownName(host) && isTrusted({ origin, host }, publicUrl) ? undefined : '403 Forbidden';
}

/** Takes no more requests and waits a while for the answers to those that are there. */
async function drained(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await closed;
  clearTimeout(cut);
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
