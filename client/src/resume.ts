/**
 * Keeps a subscription whole: where it breaks, it is asked for anew with the last `seq` that was seen, so that nothing is
 * lost, doubled or out of order. The events of this server are numbered without a gap, and lie in a log.
 */
import { ApolloLink } from '@apollo/client/link';
import { type DocumentNode, Kind, OperationTypeNode } from 'graphql';
import { Observable, type Subscriber, type Subscription } from 'rxjs';
import { errorOf, type Fault, faultOf } from './faults.ts';

/** Where a resumable subscription is. */
export type StreamState =
  /** It is asked for; nothing has come yet. */
  | { readonly kind: 'asking'; readonly after: number | undefined }
  /** Events come in. */
  | { readonly kind: 'live' }
  /** It broke, and is asked for again in a while. */
  | { readonly kind: 'waiting'; readonly attempt: number; readonly delayMs: number; readonly error: unknown };

export interface ResumeOptions {
  /** The most that is waited before the first new try; it doubles with each, and chance takes a part of it off. */
  readonly firstDelayMs?: number;
  /** What it grows to at most. */
  readonly longestDelayMs?: number;
  /** Tries in a row after a lost connection that bring no event; without a limit unless told. */
  readonly lostAttempts?: number;
  /** The same where the server itself has said that it cannot now. */
  readonly refusedAttempts?: number;
  /** Told of every change, for instance to show that the connection is away. */
  readonly onState?: (state: StreamState, operation: ApolloLink.Operation) => void;
}

/**
 * A link for in front of the one that carries subscriptions. It resumes those whose document passes a variable as `after`
 * and selects `seq`; everything else goes through it unchanged. Errors that do not pass, such as BAD_USER_INPUT, NOT_FOUND,
 * UNAUTHENTICATED or FORBIDDEN, are given to the subscriber, and so is the last one where the tries are used up.
 *
 * Without a value for `after`, "from now on" is from the first event that has come: name one where that is too late.
 */
export function resumeLink(options: ResumeOptions = {}): ApolloLink {
  return new ApolloLink((operation, forward) => {
    const cursor = operation.operationType === OperationTypeNode.SUBSCRIPTION ? cursorOf(operation.query) : undefined;
    if (cursor === undefined) return forward(operation);
    return new Observable((subscriber) => {
      const stream = new ResumedStream(subscriber, { operation, forward, cursor, options });
      stream.ask();
      return () => stream.stop();
    });
  });
}

interface Cursor {
  /** The variable that says after which `seq` to begin. */
  readonly variable: string;
  /** Where the event lies in the result. */
  readonly field: string;
}

interface StreamParts {
  readonly operation: ApolloLink.Operation;
  readonly forward: ApolloLink.ForwardFunction;
  readonly cursor: Cursor;
  readonly options: ResumeOptions;
}

class ResumedStream {
  readonly #subscriber: Subscriber<ApolloLink.Result>;
  readonly #parts: StreamParts;
  #inner: Subscription | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last: number | undefined;
  /** An event without `seq` has come: the place in the log is not known. */
  #isBlind = false;
  #isLive = false;
  /** Tries in a row that have brought nothing. */
  #attempts = 0;

  constructor(subscriber: Subscriber<ApolloLink.Result>, parts: StreamParts) {
    this.#subscriber = subscriber;
    this.#parts = parts;
  }

  ask(): void {
    const { operation, forward } = this.#parts;
    this.#isLive = false;
    this.#tell({ kind: 'asking', after: this.#last });
    const inner: Subscription = forward(this.#placed(operation)).subscribe({
      next: (result) => this.#next(result),
      error: (error: unknown) => this.#broken(error),
      complete: () => this.#subscriber.complete(),
    });
    // What broke or ended at once is let go of here; it came before there was anything to let go of.
    if (this.#timer === undefined && !this.#subscriber.closed) this.#inner = inner;
    else inner.unsubscribe();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#inner?.unsubscribe();
  }

  #next(result: ApolloLink.Result): void {
    const error = errorOf(result);
    if (error !== undefined) {
      this.#broken(error);
      return;
    }
    const seq = seqIn(result, this.#parts.cursor);
    if (seq === undefined) this.#isBlind = true;
    else if (this.#last !== undefined && seq <= this.#last) return;
    else this.#last = seq;
    this.#attempts = 0;
    if (!this.#isLive) this.#tell({ kind: 'live' });
    this.#isLive = true;
    this.#subscriber.next(result);
  }

  #broken(error: unknown): void {
    const { lostAttempts = Number.POSITIVE_INFINITY, refusedAttempts = 5 } = this.#parts.options;
    this.#inner?.unsubscribe();
    this.#inner = undefined;
    const fault = faultOf(error);
    const most = fault.isTold ? refusedAttempts : lostAttempts;
    if (!fault.isRetryable || this.#attempts >= most || (this.#isBlind && this.#last === undefined)) {
      this.#subscriber.error(error);
      return;
    }
    this.#attempts += 1;
    const delayMs = this.#delayMs(fault);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.ask();
    }, delayMs);
    this.#tell({ kind: 'waiting', attempt: this.#attempts, delayMs, error });
  }

  /** Spread by chance, so that all who were cut off do not come back at once. */
  #delayMs({ retryAfterMs }: Fault): number {
    const { firstDelayMs = 500, longestDelayMs = 15_000 } = this.#parts.options;
    const longest = Math.min(longestDelayMs, firstDelayMs * 2 ** (this.#attempts - 1));
    return Math.round(retryAfterMs + longest * Math.random());
  }

  /** The operation as it is, but for where it begins. */
  #placed(operation: ApolloLink.Operation): ApolloLink.Operation {
    if (this.#last === undefined) return operation;
    const variables = { ...operation.variables, [this.#parts.cursor.variable]: this.#last };
    return Object.create(operation, { variables: { value: variables, enumerable: true } }) as ApolloLink.Operation;
  }

  #tell(state: StreamState): void {
    this.#parts.options.onState?.(state, this.#parts.operation);
  }
}

const cursors = new WeakMap<DocumentNode, { readonly cursor: Cursor | undefined }>();

function cursorOf(query: DocumentNode): Cursor | undefined {
  const known = cursors.get(query);
  if (known !== undefined) return known.cursor;
  const cursor = findCursor(query);
  cursors.set(query, { cursor });
  return cursor;
}

function findCursor(query: DocumentNode): Cursor | undefined {
  for (const definition of query.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    for (const field of definition.selectionSet.selections) {
      if (field.kind !== Kind.FIELD) continue;
      const value = field.arguments?.find(({ name }) => name.value === 'after')?.value;
      if (value?.kind === Kind.VARIABLE)
        return { variable: value.name.value, field: field.alias?.value ?? field.name.value };
    }
  }
  return undefined;
}

function seqIn(result: ApolloLink.Result, { field }: Cursor): number | undefined {
  const event: unknown = 'data' in result ? result.data?.[field] : undefined;
  if (typeof event !== 'object' || event === null || !('seq' in event)) return undefined;
  return typeof event.seq === 'number' ? event.seq : undefined;
}
