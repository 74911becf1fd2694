/** A span for each operation, in OpenTelemetry's words, where there is somebody to send them to. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { PreparedOperation } from './operations/prepare.ts';
import type { Answer } from './operations/run.ts';
import type { Visit } from './visit.ts';

export interface Traces extends AsyncDisposable {
  during(prepared: PreparedOperation, visit: Visit, work: () => Promise<Answer>): Promise<Answer>;
}

const MOST_SHUTDOWN_MS = 2_000;

export const noTraces: Traces = {
  during: (_prepared, _visit, work) => work(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** `endpoint`: of an OTLP collector, e.g. `http://localhost:4318`. */
export async function startTraces(endpoint: string | undefined): Promise<Traces> {
  if (endpoint === undefined) return noTraces;
  // Only who wants traces pays for loading them.
  const [{ BatchSpanProcessor, NodeTracerProvider }, { OTLPTraceExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'artgan' }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
  });
  const tracer = provider.getTracer('artgan');
  return {
    during: (prepared, visit, work) => inSpan(tracer, { prepared, visit }, work),
    [Symbol.asyncDispose]: () => shutDown(provider),
  };
}

/** What is left is sent; a collector that does not answer is not waited for. */
async function shutDown(provider: { shutdown(): Promise<void> }): Promise<void> {
  const late = new AbortController();
  const tooLate = delay(MOST_SHUTDOWN_MS, undefined, { signal: late.signal }).catch(() => undefined);
  // One that is not there has nothing to do with the end of the server.
  await Promise.race([provider.shutdown().catch(() => undefined), tooLate]);
  late.abort();
}

interface Traced {
  readonly prepared: PreparedOperation;
  readonly visit: Visit;
}

/** Attributes as https://opentelemetry.io/docs/specs/semconv/graphql/graphql-spans/ names them; no text, no variables. */
function inSpan(tracer: Tracer, { prepared, visit }: Traced, work: () => Promise<Answer>): Promise<Answer> {
  const { operation, operationName, plan } = prepared;
  const name = operationName === undefined ? operation.operation : `${operation.operation} ${operationName}`;
  const attributes = {
    'graphql.operation.type': operation.operation,
    'graphql.operation.name': operationName ?? '',
    'artgan.cost': plan.cost,
    'artgan.request_id': visit.requestId,
  };
  return tracer.startActiveSpan(name, { kind: SpanKind.SERVER, attributes }, async (span: Span) => {
    try {
      const answer = await work();
      if (answer.result.errors !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
      return answer;
    } finally {
      span.end();
    }
  });
}
