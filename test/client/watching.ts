/** A client as a page has it, but one that comes back quickly, and a note of all that it sees. */
import type { ApolloClient } from '@apollo/client';
import { WebSocket } from 'ws';
import { type ArtganClientOptions, createArtganClient } from '../../client/src/client.ts';
import { TrainingProgressDocument, type TrainingProgressSubscription } from '../../client/src/documents.ts';
import type { StreamState } from '../../client/src/resume.ts';

type Event = TrainingProgressSubscription['trainingProgress'];

export function clientFor(server: string, options: Partial<ArtganClientOptions>) {
  const states: StreamState[] = [];
  const client = createArtganClient({
    url: `${server}/graphql`,
    webSocketImpl: WebSocket,
    ...options,
    resume: { firstDelayMs: 5, longestDelayMs: 40, onState: (state) => void states.push(state), ...options.resume },
  });
  return { client, states, waits: () => states.filter((state) => state.kind === 'waiting') };
}

/** What a subscriber sees of a run, until its stream ends. */
export function watch(client: ApolloClient, run: string, after = 0) {
  const events: Event[] = [];
  const errors: unknown[] = [];
  let isOver = false;
  const subscription = client.subscribe({ query: TrainingProgressDocument, variables: { run, after } }).subscribe({
    next: ({ data, error }) => {
      if (data !== undefined) events.push(data.trainingProgress);
      if (error !== undefined) errors.push(error);
    },
    error: (error: unknown) => void errors.push(error),
    complete: () => {
      isOver = true;
    },
  });
  return { events, errors, isOver: () => isOver, subscription };
}

export const seqs = (events: readonly { readonly seq: number }[]) => events.map(({ seq }) => seq);

/** 1 to `last`. */
export const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);
