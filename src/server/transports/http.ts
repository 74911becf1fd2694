/** GraphQL over HTTP: answers as JSON, streams as Server-Sent Events or multipart, whichever the client takes. */
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { type FormattedExecutionResult, GraphQLError, type OperationDefinitionNode } from 'graphql';
import { viewerId } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { formatted } from '../../resolvers/errors.ts';
import type { AccessService } from '../../services/access.ts';
import type { Connections } from '../connections.ts';
import { clientFault } from '../faults.ts';
import { checkedKey } from '../operations/idempotency.ts';
import type { PreparedOperation } from '../operations/prepare.ts';
import { refusal, refusalFrom } from '../operations/refusals.ts';
import type { Pipeline } from '../pipeline.ts';
import { addressOf, baseUrlOf, keyIn, requestIdOf, type Visit } from '../visit.ts';
import { HttpOutlet, multipart, type StreamFormat, serverSentEvents } from './http-outlet.ts';
import { type Accepted, acceptedBy, type HttpProblem, isProblem, operationIn, statusOf } from './http-request.ts';
import type { HttpStreams } from './http-streams.ts';

export interface HttpParts {
  readonly pipeline: Pipeline;
  readonly access: AccessService;
  readonly connections: Connections;
  readonly streams: HttpStreams;
  readonly publicUrl: string;
  readonly trustProxy: boolean;
}

interface Asked {
  readonly request: Request;
  readonly response: Response;
  readonly types: readonly Accepted[];
  readonly namesJson: boolean;
}

export function graphqlHandler(parts: HttpParts): RequestHandler {
  return async (request, response) => {
    response.vary('Accept');
    response.set('Cache-Control', 'no-store');
    const asked: Asked = { request, response, ...acceptedBy(request) };
    if (asked.types.length === 0) return problem(asked, notAcceptable());
    const operation = operationIn(request);
    if (isProblem(operation)) return problem(asked, operation);
    const visit = await visitOf(parts, asked);
    if ('errors' in visit) return send(asked, visit);
    const prepared = parts.pipeline.prepare(operation, visit, (node) => check(node, asked));
    if ('errors' in prepared) return send(asked, prepared);
    if (prepared.operation.operation === 'subscription') return watch(parts, asked, prepared, visit);
    return answer(parts, asked, prepared, visit);
  };
}

/** What goes wrong before there is an operation (the Host, the Origin, the body) is told in the form of all other errors. */
export function graphqlFaults(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent || response.destroyed) return next(error);
    const asked: Asked = { request, response, ...acceptedBy(request) };
    const status = clientFault(error);
    response.set('Cache-Control', 'no-store');
    if (status !== undefined) {
      const message = status === 413 ? 'The request is too large.' : 'The request cannot be read.';
      return problem(asked, { status, message });
    }
    const originalError = error instanceof Error ? error : new Error(String(error));
    const wrapped = new GraphQLError(originalError.message, { originalError });
    send(asked, { errors: [formatted(wrapped, { log, requestId: requestIdOf(response) })] });
  };
}

/** @returns the errors where the key opens nothing or a header cannot be read */
async function visitOf({ pipeline, access, publicUrl, ...parts }: HttpParts, { request, response }: Asked) {
  const requestId = requestIdOf(response);
  try {
    const left = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) left.abort();
    });
    const visit: Visit = {
      viewer: await access.viewer(keyIn(request.headers.authorization)),
      baseUrl: baseUrlOf(request, publicUrl),
      address: addressOf(request, parts.trustProxy),
      requestId,
      signal: left.signal,
      idempotencyKey: checkedKey(request.headers['idempotency-key']),
    };
    return visit;
  } catch (error) {
    const told = error instanceof AppError ? refusalFrom(error) : error;
    return { errors: pipeline.refused(told, { requestId }) };
  }
}

function check({ operation }: OperationDefinitionNode, { request, types }: Asked): void {
  if (request.method === 'GET' && operation === 'mutation')
    throw refusal('METHOD_NOT_ALLOWED', 'A GET may not change anything: send mutations by POST.');
  if (operation === 'subscription' && formatFor(types) === undefined) {
    const message =
      'A subscription needs a client that takes a stream: "accept: text/event-stream", "accept: multipart/mixed;subscriptionSpec=1.0", or a WebSocket.';
    throw refusal('BAD_REQUEST', message);
  }
}

async function answer(parts: HttpParts, asked: Asked, prepared: PreparedOperation, visit: Visit): Promise<void> {
  const { response, types } = asked;
  const { result, replayed } = await parts.pipeline.run(prepared, visit, takesEventsOnly(types) ? 'sse' : 'http');
  if (response.destroyed) return;
  if (replayed) response.set('Idempotency-Replayed', 'true');
  const { cacheSeconds } = prepared.plan;
  if (cacheSeconds > 0 && result.errors === undefined) {
    const scope = visit.viewer.kind === 'open' ? 'public' : 'private';
    response.set('Cache-Control', `max-age=${cacheSeconds}, ${scope}`);
  }
  send(asked, result);
}

async function watch(
  { pipeline, connections, streams }: HttpParts,
  asked: Asked,
  prepared: PreparedOperation,
  visit: Visit,
): Promise<void> {
  const { response, types } = asked;
  const format = formatFor(types) ?? serverSentEvents;
  const leaving: (() => void)[] = [];
  response.once('close', () => {
    for (const leave of leaving.splice(0)) leave();
  });
  try {
    leaving.push(connections.enter(visit.address), connections.enterAs(viewerId(visit.viewer)));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return send(asked, { errors: pipeline.refused(refusalFrom(error), visit) });
  }
  const outlet = new HttpOutlet(response, format);
  leaving.push(streams.add(outlet));
  const transport = format === multipart ? 'multipart' : 'sse';
  const opened = await pipeline.watch(prepared, visit, { outlet, transport });
  if ('result' in opened) {
    response.end(format.next(JSON.stringify(opened.result)) + format.complete);
    return;
  }
  // Whoever has left while the stream was being opened is not waited for any more.
  if (response.destroyed || response.closed) opened.leave();
  else leaving.push(opened.leave);
}

/** The first kind of stream that the client takes. */
function formatFor(types: readonly Accepted[]): StreamFormat | undefined {
  const formats: Partial<Record<Accepted, StreamFormat>> = {
    'text/event-stream': serverSentEvents,
    'multipart/mixed': multipart,
  };
  return types.map((type) => formats[type]).find((format) => format !== undefined);
}

/** 200 says that the operation has run. Clients that name application/json expect it for mistakes in the query, too. */
function send({ response, types, namesJson }: Asked, result: FormattedExecutionResult): void {
  const refusals = result.data === undefined ? (result.errors ?? []) : [];
  const status = refusals.length === 0 ? 200 : statusOf(refusals);
  const type = types.find((known) => known.startsWith('application/')) ?? 'application/json';
  const isOldStyle = namesJson && type === 'application/json' && status === 400;
  const waitMs = refusals[0]?.extensions?.['retryAfterMs'];
  if (typeof waitMs === 'number') response.set('Retry-After', String(Math.ceil(waitMs / 1000)));
  if (status === 401) response.set('WWW-Authenticate', 'Bearer');
  if (status === 405) response.set('Allow', 'POST');
  response.status(isOldStyle ? 200 : status);
  // A client of events looks for nothing else in an answer that is good.
  if (status === 200 && takesEventsOnly(types)) {
    response.set('Content-Type', serverSentEvents.contentType);
    response.end(serverSentEvents.next(JSON.stringify(result)) + serverSentEvents.complete);
    return;
  }
  response.set('Content-Type', `${type}; charset=utf-8`);
  response.end(JSON.stringify(result));
}

function takesEventsOnly(types: readonly Accepted[]): boolean {
  return types.every((type) => type === 'text/event-stream');
}

function problem({ response, types }: Asked, { status, message, headers = {} }: HttpProblem): void {
  const type = types.find((known) => known.startsWith('application/')) ?? 'application/json';
  const code = status === 405 ? 'METHOD_NOT_ALLOWED' : 'BAD_REQUEST';
  const extensions = { code, retryable: false, requestId: requestIdOf(response) };
  response.status(status).set(headers).set('Content-Type', `${type}; charset=utf-8`);
  response.end(JSON.stringify({ errors: [{ message, extensions }] }));
}

function notAcceptable(): HttpProblem {
  const kinds = 'application/json, application/graphql-response+json, text/event-stream and multipart/mixed';
  return { status: 406, message: `The client takes nothing that this server gives: ${kinds}.` };
}
