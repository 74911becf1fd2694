/** Documents that may be run: measured, parsed, validated, and remembered by the SHA-256 of their text. */
import { createHash } from 'node:crypto';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { coded, refusal, reworded } from './refusals.ts';
import { checkShape, SHAPE, tooLarge } from './shape.ts';

export interface ValidDocument {
  readonly sha256: string;
  readonly text: string;
  readonly ast: DocumentNode;
}

export interface DocumentOptions {
  readonly schema: GraphQLSchema;
  readonly introspection: boolean;
  /** Whether an unknown name is answered with the nearest known ones. */
  readonly suggestions: boolean;
}

/** So many errors tell enough. */
const MOST_ERRORS = 5;
const REMEMBERED = 1_000;
/** Trees take up to 200 times what their text does. */
const REMEMBERED_CHARACTERS = 400_000;

export class Documents {
  readonly #options: DocumentOptions;
  readonly #valid = new LRUCache<string, ValidDocument>({
    max: REMEMBERED,
    maxSize: REMEMBERED_CHARACTERS,
    sizeCalculation: ({ text }) => Math.max(1, text.length),
  });

  constructor(options: DocumentOptions) {
    this.#options = options;
  }

  /** `weigh` looks at one that is new, before it is validated. @throws Refusal with what is wrong, or the first few of it. */
  read(text: string, weigh: (ast: DocumentNode) => void = () => undefined): ValidDocument {
    if (text.length > SHAPE.characters) throw tooLarge('characters');
    const sha256 = sha256Of(text);
    const known = this.#valid.get(sha256);
    if (known !== undefined) return known;
    const ast = parsed(text);
    checkShape(ast);
    weigh(ast);
    this.#validate(ast);
    const document = { sha256, text, ast };
    this.#valid.set(sha256, document);
    return document;
  }

  /** One that was read not long ago. */
  bySha256(sha256: string): ValidDocument | undefined {
    return this.#valid.get(sha256);
  }

  /** Errors of graphql-js, with the nearest known names or without. */
  told(errors: readonly GraphQLError[]): readonly GraphQLError[] {
    return this.#options.suggestions ? errors : errors.map(withoutSuggestion);
  }

  #validate(ast: DocumentNode): void {
    const { schema, introspection } = this.#options;
    const rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
    const found = validate(schema, ast, rules, { maxErrors: MOST_ERRORS });
    if (found.length === 0) return;
    // What graphql-js adds when it stops says nothing that helps.
    const errors = found.filter(({ message }) => !message.startsWith('Too many validation errors'));
    throw coded(this.told(errors).map(withIntrospectionCode), 'GRAPHQL_VALIDATION_FAILED');
  }
}

export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function parsed(text: string): DocumentNode {
  try {
    return parse(text, { maxTokens: SHAPE.tokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    // graphql-js writes "more that".
    if (/more tha[nt] \d+ tokens/.test(error.message)) throw tooLarge('tokens');
    throw coded([error], 'GRAPHQL_PARSE_FAILED');
  }
}

function withoutSuggestion(error: GraphQLError): GraphQLError {
  return reworded(error, error.message.replace(/ Did you mean [\s\S]*$/, ''));
}

function withIntrospectionCode(error: GraphQLError): GraphQLError {
  if (!error.message.startsWith('GraphQL introspection has been disabled')) return error;
  const message = 'Introspection is switched off on this server (INTROSPECTION=on switches it on).';
  const [told] = refusal('INTROSPECTION_DISABLED', message, { nodes: error.nodes ?? null }).errors;
  return told ?? error;
}
