/** Runs prepared queries and mutations: Apollo Server executes, within a time, and the answer says what it has cost. */
import { setMaxListeners } from 'node:events';
import {
  ApolloServer,
  type ApolloServerPlugin,
  type GraphQLRequest,
  type GraphQLRequestListener,
} from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { type DocumentNode, type FormattedExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql';
import { AppError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Context, Services } from '../../resolvers/context.ts';
import { formatted } from '../../resolvers/errors.ts';
import type { ContextOf, Visit } from '../visit.ts';
import type { Budgets } from './budgets.ts';
import type { Documents } from './documents.ts';
import { once } from './idempotency.ts';
import type { PreparedOperation } from './prepare.ts';
import { Refusal } from './refusals.ts';

export interface RunnerParts {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly documents: Documents;
  readonly budgets: Budgets;
  readonly timeoutMs: number;
  readonly contextOf: ContextOf;
}

export interface Answer {
  readonly result: FormattedExecutionResult;
  /** The answer of an earlier request with the same Idempotency-Key. */
  readonly replayed: boolean;
}

export class OperationRunner implements AsyncDisposable {
  readonly #parts: RunnerParts;
  readonly #apollo: ApolloServer<Context>;

  private constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#apollo = apolloServer(parts);
  }

  static async start(parts: RunnerParts): Promise<OperationRunner> {
    const runner = new OperationRunner(parts);
    await runner.#apollo.start();
    return runner;
  }

  /** @throws Refusal where its Idempotency-Key does not fit */
  async run(prepared: PreparedOperation, visit: Visit): Promise<Answer> {
    const { timeoutMs, budgets } = this.#parts;
    const limitMs = timeoutMs + prepared.plan.waitMs;
    const { result, replayed } = await within(limitMs, visit, (signal) => this.#answer(prepared, { ...visit, signal }));
    const budget = budgets.status(visit.viewer);
    const cost = { requested: prepared.plan.cost, ...(budget === undefined ? {} : { budget }) };
    return { result: { ...result, extensions: { ...result.extensions, cost } }, replayed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#apollo.stop();
  }

  async #answer(prepared: PreparedOperation, visit: Visit): Promise<Answer> {
    const { db, log } = this.#parts.services;
    const { viewer, requestId, idempotencyKey: key } = visit;
    if (key === undefined || prepared.operation.operation !== 'mutation')
      return { result: await this.#execute(prepared, visit), replayed: false };
    try {
      // It is brought to its end without its client, too, who will come back for the answer.
      const run = (wish: string) => this.#execute(prepared, { ...visit, signal: undefined, idempotencyKey: wish });
      return await once({ db, viewer, key, prepared, run });
    } catch (error) {
      if (error instanceof Refusal) throw error;
      const originalError = error instanceof Error ? error : new Error(String(error));
      const wrapped = new GraphQLError(originalError.message, { originalError });
      return { result: { errors: [formatted(wrapped, { log, requestId })] }, replayed: false };
    }
  }

  async #execute({ document, operationName, variables }: PreparedOperation, visit: Visit) {
    const request: GraphQLRequest = {
      query: document.text,
      variables,
      ...(operationName === undefined ? {} : { operationName }),
    };
    const contextValue = this.#parts.contextOf(visit);
    const { body } = await this.#apollo.executeOperation(request, { contextValue });
    if (body.kind === 'incremental') throw new Error('Answers in parts are not switched on');
    return body.singleResult as FormattedExecutionResult;
  }
}

/** A mutation that takes too long goes on where it does not heed the signal; the waiting for it ends. */
async function within(limitMs: number, visit: Visit, work: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
  const { signal: left } = visit;
  const stop = new AbortController();
  // AbortSignal.any would take longer than the rest of this.
  const leave = () => stop.abort(left?.reason);
  if (left?.aborted === true) leave();
  left?.addEventListener('abort', leave);
  // Each picture of the answer waits by itself.
  setMaxListeners(0, stop.signal);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Answer>((resolve) => {
    timer = setTimeout(() => {
      resolve({ result: timedOut(limitMs, visit.requestId), replayed: false });
      stop.abort(new AppError('TIMEOUT', 'The time for this operation is up.'));
    }, limitMs);
  });
  try {
    return await Promise.race([work(stop.signal), late]);
  } finally {
    clearTimeout(timer);
    left?.removeEventListener('abort', leave);
  }
}

function timedOut(limitMs: number, requestId: string): FormattedExecutionResult {
  const message = `The operation took longer than ${limitMs} ms. Ask for less at once, or again later.`;
  return { errors: [{ message, extensions: { code: 'TIMEOUT', retryable: true, requestId } }] };
}

function apolloServer({ schema, services: { log }, documents }: RunnerParts): ApolloServer<Context> {
  return new ApolloServer<Context>({
    schema,
    // What runs has been read, measured and validated before (prepare.ts); Apollo takes it from there.
    documentStore: {
      get: (key): Promise<DocumentNode | undefined> => Promise.resolve(documents.bySha256(key.slice(-64))?.ast),
      set: () => Promise.resolve(),
      delete: () => Promise.resolve(true),
    },
    persistedQueries: false,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    logger: {
      debug: (message) => log.debug({}, String(message)),
      info: (message) => log.info({}, String(message)),
      warn: (message) => log.warn({}, String(message)),
      error: (message) => log.error({}, String(message)),
    },
    plugins: [ApolloServerPluginLandingPageDisabled(), ApolloServerPluginCacheControlDisabled(), tellErrors(log)],
  });
}

/** Apollo's `formatError` does not know whose error it is. */
function tellErrors(log: Log): ApolloServerPlugin<Context> {
  const listener: GraphQLRequestListener<Context> = {
    willSendResponse: ({ errors, response, contextValue: { requestId } }) => {
      if (errors !== undefined && response.body.kind === 'single')
        response.body.singleResult.errors = errors.map((error) => formatted(error, { log, requestId }));
      return Promise.resolve();
    },
  };
  return { requestDidStart: () => Promise.resolve(listener) };
}
