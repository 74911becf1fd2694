/** A GraphQL request as HTTP carries it (GraphQL over HTTP, https://graphql.github.io/graphql-over-http/draft/). */
import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import type { GraphQLFormattedError } from 'graphql';
import type { OperationRequest } from '../operations/prepare.ts';

/** An answer with a status of its own, before there is an operation. */
export interface HttpProblem {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Accepted =
  | 'application/json'
  | 'application/graphql-response+json'
  | 'text/event-stream'
  | 'multipart/mixed';

/** Headers that a page of another site cannot set without asking first. */
const PREFLIGHT_HEADERS = ['apollo-require-preflight', 'x-apollo-operation-name'];
/** Nothing that we take is nested deeper; what is, would run over the stack of whoever walks through it. */
const MOST_NESTING = 64;

/** @returns the media types that the client takes and we can give, the best first; `explicit` where it names JSON itself. */
export function acceptedBy(request: Request): { readonly types: readonly Accepted[]; readonly namesJson: boolean } {
  const header = request.headers.accept;
  if (header === undefined || header.trim() === '') return { types: ['application/json'], namesJson: false };
  const ranges = header
    .split(',')
    .map((range) => {
      const [name = '', ...parameters] = range.split(';').map((text) => text.trim().toLowerCase());
      const quality = parameters.find((text) => text.startsWith('q='))?.slice(2);
      return { name, quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  const types = ranges.flatMap(({ name }) => typesOf(name));
  const namesJson = ranges.some(({ name }) => name === 'application/json');
  return { types: [...new Set(types)], namesJson };
}

function typesOf(range: string): Accepted[] {
  switch (range) {
    case '*/*':
    case 'application/*':
      return ['application/json'];
    case 'text/*':
      return ['text/event-stream'];
    case 'application/json':
    case 'application/graphql-response+json':
    case 'text/event-stream':
    case 'multipart/mixed':
      return [range];
    default:
      return [];
  }
}

/** What the request asks for, or why it cannot be read. Its body was parsed before. */
export function operationIn(request: Request): OperationRequest | HttpProblem {
  if (request.method === 'GET') {
    if (!isPreflighted(request)) return simpleRequest();
    return fromQuery(new URLSearchParams(request.url.split('?', 2)[1] ?? ''));
  }
  if (request.method !== 'POST')
    return { status: 405, message: 'GraphQL is asked by GET or POST.', headers: { Allow: 'GET, POST' } };
  if (!isJson(request))
    return { status: 415, message: 'Send the request as JSON, with the header "content-type: application/json".' };
  return fromObject(request.body as unknown);
}

/** Readers of bodies know alphabets that nobody needs, UTF-7 for one: JSON is UTF-8. */
export function isJson({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const [type, ...parameters] = (headers['content-type'] ?? '').split(';').map((text) => text.trim().toLowerCase());
  const charset = parameters.find((text) => text.startsWith('charset='));
  return type === 'application/json' && [undefined, 'charset=utf-8', 'charset="utf-8"'].includes(charset);
}

export function isProblem(read: object): read is HttpProblem {
  return 'status' in read;
}

/** A picture or a form on another site can make a browser send simple requests; those that are not, it asks about first. */
function isPreflighted({ headers }: Request): boolean {
  if (PREFLIGHT_HEADERS.some((name) => headers[name] !== undefined && headers[name] !== '')) return true;
  // EventSource can set no header, but browsers say where it is from.
  const isEventStream = headers.accept?.includes('text/event-stream') === true;
  return isEventStream && ['same-origin', 'none'].includes(String(headers['sec-fetch-site']));
}

function simpleRequest(): HttpProblem {
  const message = `A GET needs the header "${PREFLIGHT_HEADERS[0]}: 1", so that no other site can send it for its visitors.`;
  return { status: 400, message };
}

function fromQuery(parameters: URLSearchParams): OperationRequest | HttpProblem {
  const value: Record<string, unknown> = {};
  for (const name of ['query', 'operationName'] as const) {
    const text = parameters.get(name);
    if (text !== null) value[name] = text;
  }
  for (const name of ['variables', 'extensions'] as const) {
    const text = parameters.get(name);
    if (text === null || text === '') continue;
    try {
      value[name] = JSON.parse(text);
    } catch {
      return { status: 400, message: `${name} must be JSON.` };
    }
  }
  return fromObject(value);
}

function fromObject(body: unknown): OperationRequest | HttpProblem {
  if (Array.isArray(body)) return { status: 400, message: 'One request carries one operation: batches are not taken.' };
  if (!isRecord(body)) return { status: 400, message: 'The body must be a JSON object with a query.' };
  if (isTooDeep(body)) return { status: 400, message: `The request is nested deeper than ${MOST_NESTING} levels.` };
  const { query, operationName, variables, extensions } = body;
  if (!isOptional(query, (value) => typeof value === 'string'))
    return { status: 400, message: 'query must be a text.' };
  if (!isOptional(operationName, (value) => typeof value === 'string'))
    return { status: 400, message: 'operationName must be a text.' };
  if (!isOptional(variables, isRecord)) return { status: 400, message: 'variables must be an object.' };
  if (!isOptional(extensions, isRecord)) return { status: 400, message: 'extensions must be an object.' };
  if (typeof query !== 'string' && !isRecord(extensions))
    return { status: 400, message: 'The request holds no query.' };
  return {
    // Clients of persisted queries leave the text out, or empty.
    query: typeof query === 'string' && query !== '' ? query : undefined,
    operationName: typeof operationName === 'string' && operationName !== '' ? operationName : undefined,
    variables: isRecord(variables) ? variables : undefined,
    extensions: isRecord(extensions) ? extensions : undefined,
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOptional(value: unknown, fits: (value: unknown) => boolean): boolean {
  return value === undefined || value === null || fits(value);
}

/** Level by level, not by recursion. */
export function isTooDeep(value: unknown, most = MOST_NESTING): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}

/** The status that says what the first of the errors is. */
export function statusOf(errors: readonly GraphQLFormattedError[]): number {
  switch (errors[0]?.extensions?.['code']) {
    case 'UNAUTHENTICATED':
      return 401;
    case 'FORBIDDEN':
      return 403;
    case 'RATE_LIMITED':
    case 'TOO_MANY_STREAMS':
      return 429;
    case 'IDEMPOTENCY_KEY_REUSED':
      return 422;
    case 'IDEMPOTENCY_KEY_IN_USE':
      return 409;
    case 'TIMEOUT':
      return 504;
    case 'PERSISTED_QUERY_NOT_FOUND':
      return 200;
    case 'METHOD_NOT_ALLOWED':
      return 405;
    case 'INTERNAL_SERVER_ERROR':
      return 500;
    case 'OVERLOADED':
    case 'DATABASE_UNAVAILABLE':
      return 503;
    default:
      return 400;
  }
}
