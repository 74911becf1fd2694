/** A run's log over a WebSocket, from its first event until `enough` says so, or to its last. */
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { operation } from './api.ts';

export async function events<Event>(
  url: string,
  run: string,
  enough: (event: Event) => boolean = () => false,
): Promise<Event[]> {
  const client = createClient({ url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket });
  const all: Event[] = [];
  const query = operation('training-progress');
  for await (const { data } of client.iterate<{ trainingProgress: Event }>({ query, variables: { run, after: 0 } })) {
    if (data === null || data === undefined) throw new Error('The stream broke');
    all.push(data.trainingProgress);
    if (enough(data.trainingProgress)) break;
  }
  await client.dispose();
  return all;
}
