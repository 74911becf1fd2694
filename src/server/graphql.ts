/** GraphQL over HTTP: Apollo Server on the same schema, context and masking as the WebSocket. */
import type { Server } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { expressMiddleware } from '@as-integrations/express5';
import type { RequestHandler } from 'express';
import type { GraphQLSchema } from 'graphql';
import type { Context, Services } from '../resolvers/context.ts';
import { formatError } from '../resolvers/errors.ts';
import { baseUrlOf, createContext, currentRequestId } from './visit.ts';

/** Requests that are still worked on when the server stops get this long. */
const GRACE_MS = 1_500;

export interface GraphqlParts {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly publicUrl: string;
  readonly httpServer: Server;
}

export interface GraphqlEndpoint extends AsyncDisposable {
  readonly handler: RequestHandler;
}

/** Closing it closes the HTTP server, too. */
export async function startGraphql({
  schema,
  services,
  publicUrl,
  httpServer,
}: GraphqlParts): Promise<GraphqlEndpoint> {
  const { log } = services;
  const server = new ApolloServer<Context>({
    schema,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    logger: {
      debug: (message) => log.debug({}, String(message)),
      info: (message) => log.info({}, String(message)),
      warn: (message) => log.warn({}, String(message)),
      error: (message) => log.error({}, String(message)),
    },
    formatError: (formatted, error) => formatError(formatted, error, { log, requestId: currentRequestId() }),
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginDrainHttpServer({ httpServer, stopGracePeriodMillis: GRACE_MS }),
    ],
  });
  await server.start();
  const context = ({ req }: { req: Parameters<RequestHandler>[0] }) =>
    Promise.resolve(createContext(services, { baseUrl: baseUrlOf(req, publicUrl), requestId: currentRequestId() }));
  return {
    handler: expressMiddleware(server, { context }),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
