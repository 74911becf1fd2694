/** Where a stream's events leave the server. An outlet never waits and holds no queue of its own: it says when it is full. */
import type { GraphQLFormattedError } from 'graphql';
import type { Payload } from './payload.ts';

export interface Outlet {
  /** Full: nothing more is to be sent before it has drained. */
  readonly isFull: boolean;
  next(payload: Payload): void;
  /** Calls back once when there is room again; never, where the client has left. */
  whenDrained(drained: () => void): void;
  /** The stream has come to its end. */
  complete(): void;
  /** The stream breaks off. */
  fail(errors: readonly GraphQLFormattedError[]): void;
}
