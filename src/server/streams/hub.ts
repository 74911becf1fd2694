/**
 * Subscriptions of every transport: who asks the same question about the same thing shares a channel. A key or an open
 * server that ends takes its streams with it.
 */
import { randomUUID } from 'node:crypto';
import {
  type ArgumentNode,
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  visit as visitNodes,
} from 'graphql';
import { viewerId } from '../../core/access.ts';
import { EventStream, type LogEntry } from '../../core/event-stream.ts';
import type { Services } from '../../resolvers/context.ts';
import { formatted } from '../../resolvers/errors.ts';
import type { PreparedOperation } from '../operations/prepare.ts';
import type { ContextOf, Visit } from '../visit.ts';
import { Channel } from './channel.ts';
import { Lane } from './lane.ts';
import type { Outlet } from './outlet.ts';

export interface HubParts {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly contextOf: ContextOf;
  readonly delivered: (count: number, lagMs?: number) => void;
}

export type Opened = { readonly leave: () => void } | { readonly errors: readonly GraphQLFormattedError[] };

interface Opening {
  readonly viewer: string;
  ended: Error | undefined;
}

/** Each watcher has its own: the place in the log and the pace, which change nothing about an event's answer. */
const OWN_ARGUMENTS = ['after', 'minIntervalMs'];

export class StreamHub {
  readonly #parts: HubParts;
  readonly #channels = new Map<string, { readonly viewer: string; readonly channel: Channel }>();
  readonly #lane = new Lane();
  /** Streams that are being opened: their viewers' access may end before there is anything to end. */
  readonly #opening = new Set<Opening>();
  readonly #ownVariables = new WeakMap<DocumentNode, ReadonlySet<string>>();

  constructor(parts: HubParts) {
    this.#parts = parts;
  }

  /** Streams that are open, and the questions that they share. */
  get sizes(): { readonly streams: number; readonly channels: number } {
    let streams = 0;
    for (const { channel } of this.#channels.values()) streams += channel.size;
    return { streams, channels: this.#channels.size };
  }

  /** Asks the subscription's field for its log; from then on the outlet gets what it tells, until it leaves. */
  async open(prepared: PreparedOperation, visit: Visit, outlet: Outlet): Promise<Opened> {
    const opening: Opening = { viewer: viewerId(visit.viewer), ended: undefined };
    this.#opening.add(opening);
    const asked = createSourceEventStream(this.#argsOf(prepared, visit));
    const source = await asked.finally(() => this.#opening.delete(opening));
    if (opening.ended !== undefined) return { errors: [this.#formatted(opening.ended)] };
    if (!(source instanceof EventStream)) return { errors: this.#errorsOf(source, visit.requestId) };
    const channel = this.#channelOf(prepared, visit, source);
    return { leave: channel.watch(source, outlet) };
  }

  /** Ends all that a viewer has open. */
  endViewer(viewer: string, error: Error): void {
    for (const opening of this.#opening) if (opening.viewer === viewer) opening.ended = error;
    for (const found of [...this.#channels.values()]) if (found.viewer === viewer) found.channel.failAll(error);
  }

  #channelOf(prepared: PreparedOperation, visit: Visit, { log }: EventStream): Channel {
    const key = this.#keyOf(prepared, visit);
    const known = this.#channels.get(key);
    if (known !== undefined) return known.channel;
    const channel = new Channel({
      log,
      lane: this.#lane,
      execute: (entry) => this.#execute(prepared, visit, entry),
      failed: (outlet, error) => outlet.fail([this.#formatted(error)]),
      delivered: this.#parts.delivered,
      idle: () => {
        if (this.#channels.get(key)?.channel === channel) this.#channels.delete(key);
      },
    });
    this.#channels.set(key, { viewer: viewerId(visit.viewer), channel });
    return channel;
  }

  /** The same key: the same answer to every event. */
  #keyOf({ document, operation, operationName, variables }: PreparedOperation, { viewer, baseUrl }: Visit): string {
    const own = this.#ownVariablesOf(document.ast, operation);
    const shared = Object.entries(variables)
      .filter(([name]) => !own.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify([document.sha256, operationName ?? null, shared, viewerId(viewer), baseUrl]);
  }

  #ownVariablesOf(ast: DocumentNode, operation: OperationDefinitionNode): ReadonlySet<string> {
    const known = this.#ownVariables.get(ast);
    if (known !== undefined) return known;
    const own = ownVariables(ast, operation);
    this.#ownVariables.set(ast, own);
    return own;
  }

  /** Loaders of its own for each event: what they read is what is true then. */
  async #execute(prepared: PreparedOperation, visit: Visit, entry: LogEntry): Promise<unknown> {
    const requestId = randomUUID();
    const args = this.#argsOf(prepared, { ...visit, requestId });
    const { data, errors } = await execute({ ...args, rootValue: entry });
    if (errors === undefined) return { data };
    return { ...(data === undefined ? {} : { data }), errors: this.#errorsOf({ errors }, requestId) };
  }

  #argsOf({ document, operationName, variables }: PreparedOperation, visit: Visit): ExecutionArgs {
    const { schema, contextOf } = this.#parts;
    const { viewer, baseUrl, address, requestId } = visit;
    return {
      schema,
      document: document.ast,
      operationName: operationName ?? null,
      variableValues: variables,
      contextValue: contextOf({ viewer, baseUrl, address, requestId }),
    };
  }

  #errorsOf(result: ExecutionResult | AsyncIterable<unknown>, requestId: string): GraphQLFormattedError[] {
    if (!('errors' in result) || result.errors === undefined)
      throw new Error('A subscription must give an EventStream');
    return result.errors.map((error) => formatted(error, { log: this.#parts.services.log, requestId }));
  }

  #formatted(error: unknown): GraphQLFormattedError {
    const originalError = error instanceof Error ? error : new Error(String(error));
    const wrapped = new GraphQLError(originalError.message, { originalError });
    return formatted(wrapped, { log: this.#parts.services.log, requestId: randomUUID() });
  }
}

/** Variables that stand for nothing but the watcher's own place and pace. */
function ownVariables(ast: DocumentNode, { selectionSet }: OperationDefinitionNode): ReadonlySet<string> {
  const uses = new Map<string, number>();
  visitNodes(ast, {
    enter: (node) => {
      if (node.kind === Kind.VARIABLE_DEFINITION) return false;
      if (node.kind === Kind.VARIABLE) uses.set(node.name.value, (uses.get(node.name.value) ?? 0) + 1);
      return undefined;
    },
  });
  const roots = selectionSet.selections.flatMap((node) => (node.kind === Kind.FIELD ? (node.arguments ?? []) : []));
  const own = roots.filter(({ name }) => OWN_ARGUMENTS.includes(name.value)).flatMap(variableOf);
  return new Set(own.filter((name) => uses.get(name) === 1));
}

function variableOf({ value }: ArgumentNode): string[] {
  return value.kind === Kind.VARIABLE ? [value.name.value] : [];
}
