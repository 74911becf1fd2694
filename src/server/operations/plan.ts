/**
 * What an operation will take, told from its document and variables before it runs: points, scopes, time, and how long
 * its answer stays true. A field counts once for every entry of the lists above it. Selections on several types of an
 * interface all count: the sum is the bound.
 */
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Scope } from '../../core/access.ts';
import { type FieldArgs, type FieldPolicy, numberIn, policyOf } from '../../resolvers/policy.ts';

export interface Plan {
  readonly cost: number;
  readonly scopes: ReadonlySet<Scope>;
  /** Beyond what every operation may take. */
  readonly waitMs: number;
  /** 0: not to be kept. */
  readonly cacheSeconds: number;
}

export interface Planned {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly operation: OperationDefinitionNode;
  /** Coerced. */
  readonly variables: FieldArgs;
}

const DEFAULT_PAGE = 20;
const MOST_PAGE = 100;
const DEFAULT_SIZE = 10;
/** The pages of all parents are one statement, which may look at every row; a row is read whole. */
const PAGES_COST = 100;
const CONNECTION_COST = 10;
const OBJECT_COST = 2;
/** Answers of introspection are as large as the schema. */
const SCHEMA_COST = 2_000;
const TYPE_COST = 100;
const CONNECTION = /Connection$/;
/** What is in these is as old as they are. */
const PAGE = /(Connection|Edge)$/;

/** The document is valid: every name in it is known. */
export function planOf(planned: Planned): Plan {
  const root = planned.schema.getRootType(planned.operation.operation);
  if (root === undefined || root === null) throw new Error('A valid operation has a root type');
  const walk = new Walk(planned);
  walk.selections(planned.operation.selectionSet, { type: root, times: 1, page: 1, isRoot: true });
  return walk.plan();
}

interface Place {
  readonly type: GraphQLCompositeType;
  /** How often what is selected here is answered. */
  readonly times: number;
  /** Entries of the connection that this is, for its edges and nodes. */
  readonly page: number;
  readonly isRoot: boolean;
}

interface Noted {
  readonly isRoot: boolean;
  readonly isPartOfPage: boolean;
  readonly type: unknown;
}

type AnyField = GraphQLField<unknown, unknown>;

class Walk {
  readonly #planned: Planned;
  readonly #scopes = new Set<Scope>();
  #cost = 0;
  #waitMs = 0;
  #cacheSeconds = Number.POSITIVE_INFINITY;

  constructor(planned: Planned) {
    this.#planned = planned;
  }

  plan(): Plan {
    const isQuery = this.#planned.operation.operation === 'query';
    return {
      cost: Math.max(1, Math.ceil(this.#cost)),
      scopes: this.#scopes,
      waitMs: this.#waitMs,
      cacheSeconds: isQuery && Number.isFinite(this.#cacheSeconds) ? this.#cacheSeconds : 0,
    };
  }

  selections({ selections }: SelectionSetNode, place: Place): void {
    for (const node of selections) {
      if (node.kind === Kind.FIELD) {
        this.#field(node, place);
        continue;
      }
      const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : this.#planned.fragments.get(node.name.value);
      if (fragment === undefined) continue;
      const name = fragment.typeCondition?.name.value;
      const type = name === undefined ? place.type : this.#planned.schema.getType(name);
      if (isCompositeType(type)) this.selections(fragment.selectionSet, { ...place, type });
    }
  }

  #field(node: FieldNode, place: Place): void {
    const name = node.name.value;
    if (name.startsWith('__')) {
      this.#introspection(name, place);
      return;
    }
    const { type: parent } = place;
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
    if (field === undefined) return;
    const policy = policyOf(field);
    const args = this.#argumentsOf(field, node);
    const type = getNamedType(field.type);
    const isConnection = CONNECTION.test(type.name);
    this.#cost += policy.once ?? (isConnection ? PAGES_COST : 0);
    this.#cost += place.times * costOf(policy, args, type.name, isCompositeType(type));
    this.#waitMs = Math.max(this.#waitMs, policy.waitMs?.(args) ?? 0);
    const scope = policy.scope === undefined && place.isRoot ? 'read' : policy.scope;
    if (scope !== undefined && scope !== null) this.#scopes.add(scope);
    this.#note(policy, args, { isRoot: place.isRoot, isPartOfPage: PAGE.test(parent.name), type });
    if (node.selectionSet === undefined || !isCompositeType(type)) return;
    const size = isList(field) ? this.#sizeOf(policy, args, place) : 1;
    const page = isConnection ? pageOf(args) : 1;
    this.selections(node.selectionSet, { type, times: place.times * size, page, isRoot: false });
  }

  #sizeOf({ size }: FieldPolicy, args: FieldArgs, place: Place): number {
    if (CONNECTION.test(place.type.name)) return place.page;
    return typeof size === 'function' ? Math.max(0, size(args)) : (size ?? DEFAULT_SIZE);
  }

  /** The answer stays true for as long as the shortest-lived of its parts. */
  #note({ cacheSeconds }: FieldPolicy, args: FieldArgs, { isRoot, isPartOfPage, type }: Noted): void {
    const own = typeof cacheSeconds === 'function' ? cacheSeconds(args) : cacheSeconds;
    const ofType = isObjectType(type) || isInterfaceType(type) ? policyOf(type).cacheSeconds : undefined;
    const inherited = typeof ofType === 'number' ? ofType : undefined;
    const isOwnThing = isRoot || (isCompositeType(type) && !isPartOfPage);
    const seconds = own ?? inherited ?? (isOwnThing ? 0 : undefined);
    if (seconds !== undefined) this.#cacheSeconds = Math.min(this.#cacheSeconds, seconds);
  }

  #introspection(name: string, { times, isRoot }: Place): void {
    // Clients add it to every selection: whoever reads an object knows its type.
    if (name === '__typename') return;
    if (isRoot) this.#scopes.add('read');
    this.#cost += times * (name === '__schema' ? SCHEMA_COST : TYPE_COST);
    this.#cacheSeconds = 0;
  }

  /** What cannot be coerced is told by the execution. */
  #argumentsOf(field: AnyField, node: FieldNode): FieldArgs {
    if (field.args.length === 0) return {};
    try {
      return getArgumentValues(field, node, this.#planned.variables);
    } catch {
      return {};
    }
  }
}

function costOf({ cost }: FieldPolicy, args: FieldArgs, typeName: string, isComposite: boolean): number {
  if (typeof cost === 'function') return Math.max(0, cost(args));
  return cost ?? (CONNECTION.test(typeName) ? CONNECTION_COST : isComposite ? OBJECT_COST : 1);
}

function isList({ type }: AnyField): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}

function pageOf(args: FieldArgs): number {
  const asked = numberIn(args, 'last', numberIn(args, 'first', DEFAULT_PAGE));
  return Math.min(MOST_PAGE, Math.max(1, asked));
}
