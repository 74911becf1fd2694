/**
 * Subscriptions as Server-Sent Events: the protocol of graphql-sse, distinct connections mode. Its own client holds events
 * back until a chunk ends with a line, and loses them where the connection is cut; here each is given as soon as it is whole.
 */
import { CombinedGraphQLErrors, ServerError } from '@apollo/client/errors';
import { ApolloLink } from '@apollo/client/link';
import { print } from 'graphql';
import { Observable } from 'rxjs';
import { errorsIn } from './faults.ts';

export interface SseParts {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
}

export function eventStreamLink(parts: SseParts): ApolloLink {
  return new ApolloLink(
    (operation) =>
      new Observable<ApolloLink.Result>((subscriber) => {
        const left = new AbortController();
        follow({ ...parts, operation, signal: left.signal }, (result) => subscriber.next(result)).then(
          () => subscriber.complete(),
          (error: unknown) => subscriber.error(error),
        );
        return () => left.abort();
      }),
  );
}

type Asked = SseParts & { readonly operation: ApolloLink.Operation; readonly signal: AbortSignal };

/** To the end of the stream. @throws where it breaks off before that, or is refused */
async function follow(asked: Asked, next: (result: ApolloLink.Result) => void): Promise<void> {
  const { query, variables, operationName, extensions } = asked.operation;
  const response = await asked.fetch(asked.url, {
    method: 'POST',
    headers: { ...asked.headers, accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ query: print(query), variables, operationName, extensions }),
    signal: asked.signal,
  });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (!response.ok || !isStream || response.body === null) throw await refusalIn(response);
  for await (const { event, data } of eventsIn(response.body)) {
    if (event === 'complete') return;
    if (event === 'next') next(JSON.parse(data) as ApolloLink.Result);
  }
  throw new Error('The stream broke off');
}

/** What the server has said instead. */
async function refusalIn(response: Response): Promise<Error> {
  const bodyText = await response.text();
  const refused = new ServerError(`The stream was refused with status ${response.status}`, { response, bodyText });
  const errors = errorsIn(refused);
  return errors.length === 0 ? refused : new CombinedGraphQLErrors({ errors });
}

interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

const BLANK_LINE = /\r?\n\r?\n/;

/** https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as this server uses it */
async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).split(BLANK_LINE);
      rest = blocks.pop() ?? '';
      for (const block of blocks) yield eventOf(block);
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function eventOf(block: string): ServerSentEvent {
  const fields = block.split(/\r?\n/).map((line) => {
    const [name = '', ...value] = line.split(':');
    return { name, value: value.join(':').replace(/^ /, '') };
  });
  const valuesOf = (wanted: string) => fields.filter(({ name }) => name === wanted).map(({ value }) => value);
  return { event: valuesOf('event').at(-1) ?? 'message', data: valuesOf('data').join('\n') };
}
