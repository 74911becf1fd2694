/** The ways to the server, as Apollo links. All of them notice when the other side has gone without a word. */
import { HttpLink } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import type { ApolloLink } from '@apollo/client/link';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import type { GraphQLFormattedError } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { SocketClosedError } from './faults.ts';
import { fetchThatNoticesSilence } from './silence.ts';
import { eventStreamLink } from './sse.ts';

export interface LinkOptions {
  /** The server's GraphQL address, e.g. `http://127.0.0.1:4000/graphql`. */
  readonly url: string;
  /** For a server that wants keys: `ag_…`. */
  readonly apiKey?: string | undefined;
  /** A stream on which nothing has come for so long, heartbeats included, is taken for lost. */
  readonly silenceMs?: number | undefined;
}

export interface SocketOptions extends LinkOptions {
  /** Where there is no global WebSocket: that of the package `ws`. */
  readonly webSocketImpl?: unknown;
}

/** The server gives a sign of life every ten seconds. */
const SILENCE_MS = 25_000;

/** Queries and mutations over HTTP, and subscriptions as a multipart answer. */
export function httpLink({ url, apiKey, silenceMs = SILENCE_MS }: LinkOptions): ApolloLink {
  const headers = { ...headersWith(apiKey), 'apollo-require-preflight': '1' };
  return new HttpLink({ uri: url, headers, fetch: fetchThatNoticesSilence(silenceMs) });
}

/** Subscriptions over one WebSocket (graphql-ws), opened with the first and closed with the last of them. */
export function websocketLink({ url, apiKey, silenceMs = SILENCE_MS, webSocketImpl }: SocketOptions): ApolloLink {
  let unanswered: ReturnType<typeof setTimeout> | undefined;
  const client: Client = createClient({
    url: url.replace(/^http/, 'ws'),
    ...(apiKey === undefined ? {} : { connectionParams: { apiKey } }),
    ...(webSocketImpl === undefined ? {} : { webSocketImpl }),
    // Whoever resumes must know of every loss: graphql-ws would ask again from the old place.
    retryAttempts: 0,
    connectionAckWaitTimeout: silenceMs,
    // Browsers do not show the server's own pings.
    keepAlive: silenceMs / 2,
    on: {
      ping: (isReceived) => {
        if (!isReceived) unanswered = setTimeout(() => client.terminate(), silenceMs / 2);
      },
      pong: (isReceived) => {
        if (isReceived) clearTimeout(unanswered);
      },
      closed: () => clearTimeout(unanswered),
    },
  });
  return new GraphQLWsLink(withCloseCodes(client));
}

/** Subscriptions as Server-Sent Events, each an HTTP answer of its own. */
export function sseLink({ url, apiKey, silenceMs = SILENCE_MS }: LinkOptions): ApolloLink {
  return eventStreamLink({ url, headers: headersWith(apiKey), fetch: fetchThatNoticesSilence(silenceMs) });
}

function headersWith(apiKey: string | undefined): Record<string, string> {
  return apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
}

/** Apollo's link makes a text of a close, but its code says whether it is worth coming back. */
function withCloseCodes(client: Client): Client {
  return {
    ...client,
    subscribe: (payload, sink) => client.subscribe(payload, { ...sink, error: (error) => sink.error(named(error)) }),
  };
}

/** Apollo's link leaves Errors as they are; for all else it looks for a global WebSocket, which Node 20 does not have. */
function named(reason: unknown): Error {
  if (reason instanceof Error) return reason;
  if (Array.isArray(reason)) return new CombinedGraphQLErrors({ errors: reason as GraphQLFormattedError[] });
  if (typeof reason !== 'object' || reason === null || !('code' in reason) || typeof reason.code !== 'number')
    return new Error('The WebSocket broke, or could not be opened');
  return new SocketClosedError(reason.code, 'reason' in reason ? String(reason.reason) : '');
}
