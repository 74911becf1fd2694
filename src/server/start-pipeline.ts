/** Puts together what operations pass through. */
import type { GraphQLSchema } from 'graphql';
import type { Config } from '../config.ts';
import type { Closers } from '../core/closers.ts';
import type { Services } from '../resolvers/context.ts';
import { signsUrls } from './gate.ts';
import type { Meters } from './meters.ts';
import { Budgets } from './operations/budgets.ts';
import { Documents } from './operations/documents.ts';
import {
  allowList,
  automaticPersistedQueries,
  noPersistedQueries,
  type PersistedQueries,
} from './operations/persisted.ts';
import { Preparer } from './operations/prepare.ts';
import { OperationRunner } from './operations/run.ts';
import { Pipeline } from './pipeline.ts';
import { StreamHub } from './streams/hub.ts';
import { startTraces } from './traces.ts';
import { contextsOf } from './visit.ts';

export interface StartParts {
  readonly config: Pick<Config, 'surface' | 'limits' | 'telemetry'>;
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly meters: Meters;
  /** Closes what is started here. */
  readonly parts: Closers;
}

/** @throws AppError INVALID_CONFIG where the allow-list cannot be read */
export async function startPipeline({ config, schema, services, meters, parts }: StartParts) {
  const { surface, limits, telemetry } = config;
  const { access, log } = services;
  const contextOf = contextsOf(services, () => signsUrls({ access, publicPictures: surface.publicPictures }));
  const documents = new Documents({ schema, introspection: surface.introspection, suggestions: surface.suggestions });
  const budgets = new Budgets({ capacity: limits.budget, refillPerSecond: limits.budgetRefill });
  const persisted = await persistedQueries(surface);
  const preparer = new Preparer({ schema, documents, persisted, budgets, mostCost: limits.cost });
  const traces = parts.use(await startTraces(telemetry.otlpEndpoint));
  const timeoutMs = limits.operationTimeoutMs;
  const shared = { schema, services, contextOf };
  const runner = parts.use(await OperationRunner.start({ ...shared, documents, budgets, timeoutMs }));
  const hub = new StreamHub({ ...shared, delivered: (count, lagMs) => meters.delivered(count, lagMs) });
  return { pipeline: new Pipeline({ preparer, runner, hub, log, meters, traces }), hub };
}

function persistedQueries({
  persistedQueries,
  manifest,
}: Config['surface']): PersistedQueries | Promise<PersistedQueries> {
  if (persistedQueries === 'off') return noPersistedQueries();
  return persistedQueries === 'apq' || manifest === undefined ? automaticPersistedQueries() : allowList(manifest);
}
