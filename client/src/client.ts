/** An Apollo Client for a server of artgan, with everything in its place. */
import { ApolloClient, ApolloLink, InMemoryCache } from '@apollo/client';
import { OperationTypeNode } from 'graphql';
import { cachePolicies } from './cache.ts';
import { httpLink, type SocketOptions, sseLink, websocketLink } from './links.ts';
import { type ResumeOptions, resumeLink } from './resume.ts';

/** How subscriptions come: by one WebSocket, or each as an HTTP answer of its own. Queries and mutations go over HTTP. */
export type Transport = 'websocket' | 'sse' | 'multipart';

export interface ArtganClientOptions extends SocketOptions {
  /** "websocket" unless told. */
  readonly transport?: Transport;
  /** How subscriptions are resumed, and who is told of it. */
  readonly resume?: ResumeOptions;
  /** One of your own; it should be made with `cachePolicies`. */
  readonly cache?: InMemoryCache;
}

/** Queries and mutations over HTTP; subscriptions that go on where they were cut off. */
export function createArtganClient(options: ArtganClientOptions): ApolloClient {
  const { cache = new InMemoryCache(cachePolicies), resume = {}, transport = 'websocket' } = options;
  const http = httpLink(options);
  const streams = { websocket: websocketLink, sse: sseLink, multipart: () => http }[transport](options);
  return new ApolloClient({
    cache,
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      resumeLink(resume).concat(streams),
      http,
    ),
  });
}
