/**
 * How large a document is, before it is validated: validation compares fields with each other, and answers with an error
 * for each mistake. Everything is counted once and the first excess ends it. Fragments count where they are spread.
 */
import {
  type ASTNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { refusal, refusalOf } from './refusals.ts';

export const SHAPE = {
  characters: 20_000,
  tokens: 1_000,
  aliases: 30,
  directives: 30,
  /** On one field, fragment or operation. */
  directivesTogether: 3,
  depth: 12,
  /** Fields and fragments in one pair of braces. */
  breadth: 100,
  /** The same name twice in one pair of braces. */
  repetitions: 20,
  spreads: 30,
  /** All fields and spreads, with those of fragments counted wherever they are spread. */
  fields: 2_000,
} as const;

type Limit = keyof typeof SHAPE;

const WHAT: Readonly<Record<Limit, string>> = {
  characters: 'characters',
  tokens: 'tokens',
  aliases: 'aliases',
  directives: 'directives',
  directivesTogether: 'directives in one place',
  depth: 'levels of fields',
  breadth: 'fields in one selection',
  repetitions: 'repeated fields',
  spreads: 'fragment spreads',
  fields: 'fields',
};

export function tooLarge(limit: Limit) {
  const message = `The query has too many ${WHAT[limit]}: at most ${SHAPE[limit]} are allowed. Ask in several operations.`;
  return refusalOf('QUERY_TOO_COMPLEX', message);
}

interface Extent {
  readonly fields: number;
  readonly depth: number;
}

type Counted = 'aliases' | 'directives' | 'repetitions' | 'spreads';

const NOTHING: Extent = { fields: 0, depth: 0 };

/** @throws Refusal QUERY_TOO_COMPLEX */
export function checkShape(document: DocumentNode): void {
  new Shape(document).check();
}

class Shape {
  readonly #document: DocumentNode;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  /** Known extents; undefined for a fragment that is being measured. */
  readonly #extents = new Map<string, Extent | undefined>();
  readonly #counts: Record<Counted, number> = { aliases: 0, directives: 0, repetitions: 0, spreads: 0 };

  constructor(document: DocumentNode) {
    this.#document = document;
    for (const node of document.definitions)
      if (node.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(node.name.value, node);
  }

  check(): void {
    for (const name of this.#fragments.keys()) this.#fragment(name);
    for (const node of this.#document.definitions) {
      if (node.kind !== Kind.OPERATION_DEFINITION) continue;
      this.#directives(node);
      for (const variable of node.variableDefinitions ?? []) this.#directives(variable);
      const { fields, depth } = this.#selections(node.selectionSet);
      if (fields > SHAPE.fields) throw tooLarge('fields');
      if (depth > SHAPE.depth) throw tooLarge('depth');
    }
  }

  #fragment(name: string): Extent {
    const known = this.#extents.get(name);
    if (known !== undefined) return known;
    if (this.#extents.has(name)) throw circle(name);
    const node = this.#fragments.get(name);
    if (node === undefined) return NOTHING;
    this.#extents.set(name, undefined);
    this.#directives(node);
    const extent = this.#selections(node.selectionSet);
    this.#extents.set(name, extent);
    return extent;
  }

  #selections({ selections }: SelectionSetNode): Extent {
    if (selections.length > SHAPE.breadth) throw tooLarge('breadth');
    const names = new Set<string>();
    let fields = 0;
    let depth = 0;
    for (const node of selections) {
      this.#directives(node);
      if (node.kind === Kind.FIELD) this.#name(node, names);
      const extent = this.#selection(node);
      // Bounded, so that fragments of fragments of fragments do not run out of numbers.
      fields = Math.min(fields + extent.fields, 2 * SHAPE.fields);
      depth = Math.max(depth, extent.depth);
    }
    return { fields, depth };
  }

  #selection(node: SelectionNode): Extent {
    if (node.kind === Kind.FRAGMENT_SPREAD) {
      this.#count('spreads');
      const { fields, depth } = this.#fragment(node.name.value);
      return { fields: fields + 1, depth };
    }
    const below = node.selectionSet === undefined ? NOTHING : this.#selections(node.selectionSet);
    if (node.kind === Kind.INLINE_FRAGMENT) return below;
    // How deep introspection may go, graphql-js itself says (MaxIntrospectionDepthRule).
    const isIntrospection = node.name.value.startsWith('__');
    return { fields: below.fields + 1, depth: isIntrospection ? 1 : below.depth + 1 };
  }

  #name(node: FieldNode, names: Set<string>): void {
    const name = node.alias?.value ?? node.name.value;
    if (node.alias !== undefined) this.#count('aliases');
    if (names.has(name)) this.#count('repetitions');
    names.add(name);
  }

  #directives({ directives = [] }: ASTNode & { readonly directives?: readonly DirectiveNode[] | undefined }): void {
    if (directives.length > SHAPE.directivesTogether) throw tooLarge('directivesTogether');
    for (const _directive of directives) this.#count('directives');
  }

  #count(what: Counted): void {
    this.#counts[what] += 1;
    if (this.#counts[what] > SHAPE[what]) throw tooLarge(what);
  }
}

function circle(name: string) {
  return refusal('GRAPHQL_VALIDATION_FAILED', `Cannot spread fragment "${name.slice(0, 100)}" within itself.`);
}
