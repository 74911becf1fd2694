/**
 * Random queries that are valid by the schema: arguments of every kind, by literals and by variables, pages within pages,
 * fragments, inline fragments on interfaces, aliases and directives. The same seed and the same values give the same ones.
 */
import {
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isLeafType,
  isObjectType,
} from 'graphql';
import { Dice } from './dice.ts';
import { RandomInputs, type Values } from './random-inputs.ts';

export interface RandomQuery {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** How large a query grows: from a few fields to more than the server takes. */
const APPETITES = [4, 8, 16, 30, 60, 120] as const;
const DEEPEST = 11;
const MOST_FRAGMENTS = 8;
/** The server takes no more than 30. */
const MOST_ALIASES = 25;

type AnyField = GraphQLField<unknown, unknown>;

export class RandomQueries {
  readonly #schema: GraphQLSchema;
  readonly #dice: Dice;
  readonly #values: Values;

  /** `values`: what arguments may hold, so that queries find something. */
  constructor(schema: GraphQLSchema, seed: number, values: Values) {
    this.#schema = schema;
    this.#dice = new Dice(seed);
    this.#values = values;
  }

  next(): RandomQuery {
    const root = this.#schema.getQueryType();
    if (root === null || root === undefined) throw new Error('The schema has no queries');
    return new Draft(this.#schema, this.#dice, this.#values).of(root);
  }
}

/** Names that one selection gives its answers: fields that are merged there must not contradict each other. */
type Names = Set<string>;

interface Fragment {
  readonly name: string;
  readonly type: string;
  readonly names: Names;
}

class Draft {
  readonly #schema: GraphQLSchema;
  readonly #dice: Dice;
  readonly #inputs: RandomInputs;
  readonly #fragments: (Fragment & { readonly text: string })[] = [];
  #fieldsLeft: number;
  #aliases = 0;

  constructor(schema: GraphQLSchema, dice: Dice, values: Values) {
    this.#schema = schema;
    this.#dice = dice;
    this.#inputs = new RandomInputs(dice, values);
    this.#fieldsLeft = dice.one(APPETITES);
  }

  of(root: GraphQLObjectType): RandomQuery {
    const selection = this.#selection(root, 1, new Set());
    const definitions = this.#inputs.definitions;
    const head = definitions === '' ? 'query Random' : `query Random(${definitions})`;
    const fragments = this.#fragments.map(({ name, type, text }) => `fragment ${name} on ${type} ${text}`);
    return { query: [`${head} ${selection}`, ...fragments].join('\n'), variables: this.#inputs.variables };
  }

  #selection(type: GraphQLCompositeType, depth: number, names: Names): string {
    return `{ ${this.#parts(type, depth, names).join(' ')} }`;
  }

  #parts(type: GraphQLCompositeType, depth: number, names: Names): string[] {
    const parts: string[] = [];
    const wanted = 1 + this.#dice.below(depth === 1 ? 3 : 6);
    for (let i = 0; i < wanted && this.#fieldsLeft > 0; i++) {
      const part = this.#part(type, depth, names);
      if (part !== undefined) parts.push(part);
    }
    if (parts.length > 0) return parts;
    // A selection is never empty.
    names.add('__typename');
    return ['__typename'];
  }

  #part(type: GraphQLCompositeType, depth: number, names: Names): string | undefined {
    if (isAbstractType(type) && this.#dice.happens(0.6)) return this.#onOneOf(type, depth, names);
    if (this.#dice.happens(0.06)) return this.#inline(type, depth, names);
    if (this.#dice.happens(0.08)) return this.#spread(type, depth, names);
    if (this.#dice.happens(0.05) && !names.has('__typename')) {
      names.add('__typename');
      return '__typename';
    }
    return isObjectType(type) || isInterfaceType(type)
      ? this.#field(Object.values(type.getFields()), depth, names)
      : undefined;
  }

  #onOneOf(type: Parameters<GraphQLSchema['getPossibleTypes']>[0], depth: number, names: Names): string {
    const concrete = this.#dice.one(this.#schema.getPossibleTypes(type));
    return `... on ${concrete.name} { ${this.#parts(concrete, depth, names).join(' ')} }`;
  }

  #inline(type: GraphQLCompositeType, depth: number, names: Names): string {
    const condition = this.#dice.happens(0.5) ? ` on ${type.name}` : '';
    return `...${condition}${this.#directive()} { ${this.#parts(type, depth, names).join(' ')} }`;
  }

  /** A fragment that is there and fits, or a new one. */
  #spread(type: GraphQLCompositeType, depth: number, names: Names): string | undefined {
    const fits = (known: Fragment) => known.type === type.name && ![...known.names].some((name) => names.has(name));
    const fragment = this.#fragments.find(fits) ?? this.#newFragment(type, depth, names);
    if (fragment === undefined) return undefined;
    for (const name of fragment.names) names.add(name);
    return `...${fragment.name}${this.#directive()}`;
  }

  /** One that contradicts nothing in the selection that it is for. */
  #newFragment(type: GraphQLCompositeType, depth: number, names: Names): Fragment | undefined {
    if (this.#fragments.length >= MOST_FRAGMENTS) return undefined;
    const all: Names = new Set(names);
    // Written before it has a name: no fragment spreads itself.
    const text = this.#selection(type, depth, all);
    const own = new Set([...all].filter((name) => !names.has(name)));
    const fragment = { name: `part${this.#fragments.length}`, type: type.name, names: own, text };
    this.#fragments.push(fragment);
    return fragment;
  }

  #field(fields: readonly AnyField[], depth: number, names: Names): string | undefined {
    const possible = depth < DEEPEST ? fields : fields.filter(({ type }) => isLeafType(getNamedType(type)));
    if (possible.length === 0) return undefined;
    const field = this.#dice.one(possible);
    const name = this.#nameFor(field.name, names);
    if (name === undefined) return undefined;
    names.add(name);
    this.#fieldsLeft -= 1;
    const alias = name === field.name ? '' : `${name}: `;
    const type = getNamedType(field.type);
    const below = isCompositeType(type) ? ` ${this.#selection(type, depth + 1, new Set())}` : '';
    return `${alias}${field.name}${this.#inputs.argumentsOf(field)}${this.#directive()}${below}`;
  }

  /** Its own, or an alias where that is taken, and now and then anyhow. */
  #nameFor(own: string, names: Names): string | undefined {
    if (!names.has(own) && !this.#dice.happens(0.05)) return own;
    if (this.#aliases >= MOST_ALIASES) return names.has(own) ? undefined : own;
    this.#aliases += 1;
    return `other${this.#aliases}`;
  }

  #directive(): string {
    if (!this.#dice.happens(0.03)) return '';
    return this.#dice.happens(0.5) ? ` @include(if: ${this.#inputs.flag()})` : ' @skip(if: false)';
  }
}
