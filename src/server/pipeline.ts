/**
 * What every transport does with a request: prepare it, run it or watch it, and say what came of it in the log and the
 * metrics. Nothing about operations is decided outside of here.
 */
import type { FormattedExecutionResult, GraphQLFormattedError, OperationDefinitionNode } from 'graphql';
import type { Log } from '../core/log.ts';
import { formatted } from '../resolvers/errors.ts';
import type { Meters } from './meters.ts';
import type { OperationRequest, PreparedOperation, Preparer } from './operations/prepare.ts';
import { Refusal } from './operations/refusals.ts';
import type { Answer, OperationRunner } from './operations/run.ts';
import type { StreamHub } from './streams/hub.ts';
import type { Outlet } from './streams/outlet.ts';
import type { Traces } from './traces.ts';
import type { Visit } from './visit.ts';

export type Transport = 'http' | 'websocket' | 'sse' | 'multipart';

export interface PipelineParts {
  readonly preparer: Preparer;
  readonly runner: OperationRunner;
  readonly hub: StreamHub;
  readonly log: Log;
  readonly meters: Meters;
  readonly traces: Traces;
}

export type Prepared = PreparedOperation | { readonly errors: readonly GraphQLFormattedError[] };
export type Watching = { readonly leave: () => void } | { readonly result: FormattedExecutionResult };

export class Pipeline {
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /** `check`: what the transport has against the kind of operation. */
  prepare(request: OperationRequest, visit: Visit, check?: (operation: OperationDefinitionNode) => void): Prepared {
    try {
      return this.#parts.preparer.prepare(request, visit.viewer, check);
    } catch (error) {
      return { errors: this.refused(error, visit) };
    }
  }

  /** A query or a mutation, to its answer. */
  async run(prepared: PreparedOperation, visit: Visit, transport: Transport): Promise<Answer> {
    const { runner, traces } = this.#parts;
    const start = performance.now();
    const work = () => runner.run(prepared, visit);
    const answer = await traces.during(prepared, visit, work).catch((error: unknown): Answer => {
      return { result: { errors: this.refused(error, visit) }, replayed: false };
    });
    this.#note(prepared, visit, { transport, ms: performance.now() - start, errors: answer.result.errors ?? [] });
    return answer;
  }

  /** A subscription, until the way out is taken; or the answer with which it could not begin. */
  async watch(
    prepared: PreparedOperation,
    visit: Visit,
    { outlet, transport }: { readonly outlet: Outlet; readonly transport: Transport },
  ): Promise<Watching> {
    const start = performance.now();
    const opened = await this.#parts.hub.open(prepared, visit, outlet);
    const errors = 'errors' in opened ? opened.errors : [];
    this.#note(prepared, visit, { transport, ms: performance.now() - start, errors });
    return 'errors' in opened ? { result: { errors: opened.errors } } : opened;
  }

  /** What the client is told. */
  refused(error: unknown, { requestId }: Pick<Visit, 'requestId'>): GraphQLFormattedError[] {
    const { log, meters } = this.#parts;
    if (!(error instanceof Refusal)) throw error;
    const errors = error.errors.map((one) => formatted(one, { log, requestId }));
    const [first] = errors;
    meters.refused(codeOf(first));
    log.debug({ requestId, code: codeOf(first) }, 'An operation was refused');
    return errors;
  }

  #note(
    { operation, operationName, plan }: PreparedOperation,
    { requestId, viewer }: Visit,
    { transport, ms, errors }: { transport: Transport; ms: number; errors: readonly GraphQLFormattedError[] },
  ): void {
    const { log, meters } = this.#parts;
    const type = operation.operation;
    const code = errors.length === 0 ? 'OK' : codeOf(errors[0]);
    meters.ran({ transport, type, code, seconds: ms / 1000, cost: plan.cost });
    const key = viewer.kind === 'key' ? viewer.id : undefined;
    const line = {
      requestId,
      transport,
      type,
      operation: operationName,
      cost: plan.cost,
      ms: Math.round(ms),
      code,
      key,
    };
    log[type === 'mutation' ? 'info' : 'debug'](line, 'Operation');
  }
}

export function codeOf(error: GraphQLFormattedError | undefined): string {
  return String(error?.extensions?.['code'] ?? 'UNKNOWN');
}
