/** How graphql-ws hands its operations to the pipeline. */
import { randomUUID } from 'node:crypto';
import {
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql';
import type { ServerOptions, Context as SocketContext, SubscribePayload } from 'graphql-ws';
import { viewerId } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import type { AccessService } from '../../services/access.ts';
import type { Connections } from '../connections.ts';
import { checkedKey } from '../operations/idempotency.ts';
import type { OperationRequest, PreparedOperation } from '../operations/prepare.ts';
import { refusal, refusalOf } from '../operations/refusals.ts';
import type { Pipeline } from '../pipeline.ts';
import { SilentIterator, StreamFailure } from '../streams/silent.ts';
import { keyIn, type Visit } from '../visit.ts';
import { isTooDeep } from './http-request.ts';
import type { SocketLink } from './socket-link.ts';
import { SocketOutlet } from './socket-outlet.ts';

export interface SocketOperationParts {
  readonly schema: GraphQLSchema;
  readonly pipeline: Pipeline;
  readonly access: AccessService;
  readonly connections: Connections;
  readonly operationsPerSocket: number;
}

type Params = Record<string, unknown>;
type Linked = SocketContext<Params, SocketLink>;

/** What an operation carries through graphql-ws. */
interface Carried {
  readonly prepared: PreparedOperation;
  readonly visit: Visit;
}

const INIT_TIMEOUT_MS = 3_000;
const TRY_AGAIN_LATER = 1013;

export function operationHooks(parts: SocketOperationParts): ServerOptions<Params, SocketLink> {
  return {
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    onConnect: (context) => welcome(parts, context),
    onSubscribe: (context, _id, payload) => prepare(parts, context, payload),
    execute: async (args) => {
      const { prepared, visit } = carriedBy(args);
      const { result } = await parts.pipeline.run(prepared, visit, 'websocket');
      return result as ExecutionResult;
    },
    // The stream begins in onOperation, which knows its id.
    subscribe: () => ({}),
    onOperation: ({ extra }, id, _payload, args) => watch(parts, { link: extra, id }, args),
    // They are formatted before they come here.
    onNext: (_context, _id, _payload, _args, result) => result as FormattedExecutionResult,
    onError: (_context, _id, _payload, errors) => errors.flatMap(toldBy),
  };
}

/** The key is in connectionParams: `apiKey`, or `authorization` as the header has it. @returns false: closes with 4403 */
async function welcome({ access, connections }: SocketOperationParts, { extra, connectionParams = {} }: Linked) {
  const { apiKey, authorization, Authorization } = connectionParams;
  try {
    const viewer = await access.viewer(keyIn(apiKey ?? authorization ?? Authorization));
    if (viewer.kind === 'nobody') return false;
    extra.onClose(connections.enterAs(viewerId(viewer)));
    extra.viewer = viewer;
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'UNAUTHENTICATED') return false;
    extra.close(TRY_AGAIN_LATER, error.message.slice(0, 120));
    return true;
  }
}

function prepare(parts: SocketOperationParts, { extra, subscriptions }: Linked, payload: SubscribePayload) {
  const requestId = randomUUID();
  const visit: Visit = { viewer: extra.viewer, baseUrl: extra.baseUrl, address: extra.address, requestId };
  const open = Object.keys(subscriptions).length;
  try {
    if (open > parts.operationsPerSocket) throw tooMany(parts.operationsPerSocket);
    const request = requestIn(payload);
    const idempotencyKey = checkedKey(request.extensions?.['idempotencyKey']);
    const asked: Visit = { ...visit, idempotencyKey };
    const prepared = parts.pipeline.prepare(request, asked);
    if ('errors' in prepared) return [carrying(prepared.errors)];
    const isStream = prepared.operation.operation === 'subscription';
    const contextValue: Carried = { prepared, visit: isStream ? asked : { ...asked, signal: extra.signal } };
    const { document, operationName, variables } = prepared;
    return {
      schema: parts.schema,
      document: document.ast,
      operationName: operationName ?? null,
      variableValues: variables,
      contextValue,
    } satisfies ExecutionArgs;
  } catch (error) {
    return [carrying(parts.pipeline.refused(error, visit))];
  }
}

function requestIn({ query, operationName, variables, extensions }: SubscribePayload): OperationRequest {
  if (isTooDeep(variables) || isTooDeep(extensions)) throw refusal('BAD_REQUEST', 'The request is nested too deep.');
  return {
    query: query === '' ? undefined : query,
    operationName: operationName || undefined,
    variables: variables ?? undefined,
    extensions: extensions ?? undefined,
  };
}

async function watch(
  { pipeline }: SocketOperationParts,
  { link, id }: { readonly link: SocketLink; readonly id: string },
  args: ExecutionArgs,
): Promise<SilentIterator | ExecutionResult | undefined> {
  const { prepared, visit } = carriedBy(args);
  if (prepared.operation.operation !== 'subscription') return undefined;
  let leave: (() => void) | undefined;
  let isOver = false;
  const silent = new SilentIterator(() => {
    isOver = true;
    leave?.();
    if (link.streams.get(id) === end) link.streams.delete(id);
  });
  const end = () => silent.end(undefined);
  // An id can be completed and used again before its stream has begun: graphql-ws loses sight of the first one.
  link.streams.get(id)?.();
  link.streams.set(id, end);
  const outlet = new SocketOutlet(link.line, id, (errors) => silent.end(errors));
  const opened = await pipeline.watch(prepared, visit, { outlet, transport: 'websocket' });
  if ('result' in opened) {
    end();
    return opened.result as ExecutionResult;
  }
  leave = opened.leave;
  if (isOver) leave();
  return silent;
}

function carriedBy({ contextValue }: ExecutionArgs): Carried {
  return contextValue as Carried;
}

/** Errors that have their final form, inside the one that graphql-ws wants. */
function carrying(errors: readonly GraphQLFormattedError[]): GraphQLError {
  const originalError = new StreamFailure(errors);
  return new GraphQLError(originalError.message, { originalError });
}

function toldBy(error: GraphQLError): readonly GraphQLFormattedError[] {
  if (error.originalError instanceof StreamFailure) return error.originalError.errors;
  return [error.toJSON()];
}

function tooMany(most: number) {
  const message = `${most} operations are open on this socket: complete some of them first.`;
  return refusalOf('TOO_MANY_STREAMS', message, { retryable: true });
}
