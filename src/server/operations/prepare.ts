/**
 * The one way in: whatever the transport, a request becomes an operation that may run, or is refused before anything runs.
 * In the order of what a check costs: key, size, tokens, shape, validation, variables, scopes, points, budget.
 */
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import { mayUse, type Scope, type Viewer } from '../../core/access.ts';
import type { Budgets } from './budgets.ts';
import type { Documents, ValidDocument } from './documents.ts';
import type { PersistedQueries } from './persisted.ts';
import { type Plan, planOf } from './plan.ts';
import { coded, type Refusal, refusal, refusalOf } from './refusals.ts';

export interface OperationRequest {
  readonly query: string | undefined;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>> | undefined;
  readonly extensions: Readonly<Record<string, unknown>> | undefined;
}

export interface PreparedOperation {
  readonly document: ValidDocument;
  readonly operation: OperationDefinitionNode;
  readonly operationName: string | undefined;
  /** As they were sent. */
  readonly variables: Readonly<Record<string, unknown>>;
  readonly plan: Plan;
}

export interface PreparerParts {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly persisted: PersistedQueries;
  readonly budgets: Budgets;
  readonly mostCost: number;
}

const MOST_COERCION_ERRORS = 5;

export class Preparer {
  readonly #parts: PreparerParts;

  constructor(parts: PreparerParts) {
    this.#parts = parts;
  }

  /** `check`: what the transport itself has against the operation, before its points are taken. @throws Refusal */
  prepare(
    request: OperationRequest,
    viewer: Viewer,
    check: (operation: OperationDefinitionNode) => void = () => undefined,
  ): PreparedOperation {
    if (viewer.kind === 'nobody') throw keyNeeded();
    const { documents, persisted, budgets, mostCost } = this.#parts;
    const read = (text: string) => documents.read(text, (ast) => this.#weigh(ast, request));
    const document = persisted.read(request, { read });
    const operation = getOperationAST(document.ast, request.operationName);
    if (operation === undefined || operation === null) throw notFound(request.operationName);
    check(operation);
    const variables = request.variables ?? {};
    const plan = this.#plan(document, operation, variables);
    for (const scope of plan.scopes) if (!mayUse(viewer, scope)) throw forbidden(scope);
    if (plan.cost > mostCost) throw tooCostly(plan.cost, mostCost);
    budgets.spend(viewer, plan.cost);
    return { document, operation, operationName: operation.name?.value, variables, plan };
  }

  /** Validation takes longer than all else: what costs too much anyhow is not worth it. Mistakes are left to it. */
  #weigh(ast: DocumentNode, { operationName, variables = {} }: OperationRequest): void {
    const { schema, mostCost } = this.#parts;
    const operation = getOperationAST(ast, operationName);
    if (operation === undefined || operation === null) return;
    const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables, { maxErrors: 1 });
    if (coerced === undefined || !schema.getRootType(operation.operation)) return;
    const { cost } = planOf({ schema, operation, fragments: fragmentsOf({ ast }), variables: coerced });
    if (cost > mostCost) throw tooCostly(cost, mostCost);
  }

  #plan(document: ValidDocument, operation: OperationDefinitionNode, variables: Record<string, unknown>): Plan {
    const { schema, documents } = this.#parts;
    const options = { maxErrors: MOST_COERCION_ERRORS };
    const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables, options);
    if (errors !== undefined) throw coded(documents.told(errors), 'BAD_USER_INPUT');
    return planOf({ schema, operation, fragments: fragmentsOf(document), variables: coerced });
  }
}

function fragmentsOf({ ast }: Pick<ValidDocument, 'ast'>): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of ast.definitions) if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  return fragments;
}

function notFound(name: string | undefined): Refusal {
  const message =
    name === undefined
      ? 'The document holds several operations: say which by operationName.'
      : `The document holds no operation "${name.slice(0, 100)}".`;
  return refusal('OPERATION_RESOLUTION_FAILURE', message);
}

function keyNeeded(): Refusal {
  const message = 'This server wants an API key: the header "authorization: Bearer <key>", or connectionParams.apiKey.';
  return refusalOf('UNAUTHENTICATED', message);
}

function forbidden(scope: Scope): Refusal {
  return refusalOf('FORBIDDEN', `This API key may not do that: it lacks the scope ${scope.toUpperCase()}.`);
}

function tooCostly(cost: number, most: number): Refusal {
  const message = `The operation costs ${cost} points, and one may cost ${most}. Ask for shorter pages or fewer fields.`;
  return refusalOf('QUERY_TOO_COMPLEX', message);
}
