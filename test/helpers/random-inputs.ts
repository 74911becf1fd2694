/** Random values for arguments of every type: literals, variables, input objects, lists, enums, ids and cursors that exist. */
import {
  type GraphQLField,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import type { Dice } from './dice.ts';

/** What there is to ask for. */
export interface Values {
  readonly ids: readonly string[];
  /** Slugs and names. */
  readonly texts: readonly string[];
  readonly cursors: readonly string[];
}

const PAGES = [1, 2, 5, 10, 20, 50, 100] as const;
const WHOLE = [0, 1, 2, 3, 5, 8, 64, 100, 256, 500, 1900, 10_000, -1] as const;
const MOMENTS = ['2000-01-01T00:00:00Z', '2100-12-31T23:59:59.999Z'] as const;
const CURSORS = ['after', 'before'];
const NULL_CHANCE = 0.04;

export class RandomInputs {
  readonly #dice: Dice;
  readonly #values: Values;
  readonly #definitions: string[] = [];
  readonly variables: Record<string, unknown> = {};

  constructor(dice: Dice, values: Values) {
    this.#dice = dice;
    this.#values = values;
  }

  get definitions(): string {
    return this.#definitions.join(', ');
  }

  /** In brackets; empty where there are none. */
  argumentsOf(field: GraphQLField<unknown, unknown>): string {
    const pageBy = this.#dice.one(['first', 'first', 'first', 'last', 'none']);
    const given = field.args.filter((arg) => {
      if (isRequiredArgument(arg)) return true;
      // A page is asked for from one end.
      if (arg.name === 'first' || arg.name === 'last') return arg.name === pageBy;
      return this.#dice.happens(CURSORS.includes(arg.name) ? 0.15 : 0.35);
    });
    if (given.length === 0) return '';
    return `(${given.map(({ name, type }) => `${name}: ${this.#given(type, name)}`).join(', ')})`;
  }

  /** A variable that is true or false. */
  flag(): string {
    return this.#variable('Boolean!', this.#dice.happens(0.5));
  }

  #given(type: GraphQLInputType, name: string): string {
    const value = this.#value(type, name);
    return this.#dice.happens(0.3) ? this.#variable(String(type), value) : literal(value, type);
  }

  #variable(type: string, value: unknown): string {
    const name = `v${this.#definitions.length}`;
    const isDefault = !type.endsWith('!') && typeof value === 'number' && this.#dice.happens(0.2);
    this.#definitions.push(isDefault ? `$${name}: ${type} = ${value}` : `$${name}: ${type}`);
    if (!isDefault) this.variables[name] = value;
    return `$${name}`;
  }

  #value(type: GraphQLInputType, name: string): unknown {
    if (isNonNullType(type)) return this.#present(type.ofType, name);
    return this.#dice.happens(NULL_CHANCE) ? null : this.#present(type, name);
  }

  #present(type: GraphQLInputType, name: string): unknown {
    if (isNonNullType(type)) return this.#present(type.ofType, name);
    if (isListType(type)) {
      const { ofType } = type;
      return Array.from({ length: this.#dice.one([0, 1, 2, 3, 5, 20, 100]) }, () => this.#value(ofType, name));
    }
    if (isEnumType(type)) return this.#dice.one(type.getValues()).name;
    if (!isInputObjectType(type)) return this.#leaf(type.name, name);
    const fields = Object.values(type.getFields()).filter(
      (field) => isRequiredInputField(field) || this.#dice.happens(0.4),
    );
    return Object.fromEntries(fields.map((field) => [field.name, this.#value(field.type, field.name)]));
  }

  #leaf(type: string, name: string): unknown {
    switch (type) {
      case 'ID':
        return this.#dice.happens(0.9) ? this.#dice.one(this.#values.ids) : this.#text();
      case 'Int':
        return name === 'first' || name === 'last' ? this.#dice.one(PAGES) : this.#whole(name);
      case 'Float':
        return this.#dice.one([0, 0.25, 0.7, 1]);
      case 'Boolean':
        return this.#dice.happens(0.5);
      case 'Seed':
        return this.#dice.below(2 ** 31);
      case 'DateTime':
        return this.#dice.one(MOMENTS);
      case 'String':
        return CURSORS.includes(name) && this.#values.cursors.length > 0
          ? this.#dice.one(this.#values.cursors)
          : this.#text();
      default:
        throw new Error(`No value is known for the type ${type}`);
    }
  }

  #whole(name: string): number {
    return name === 'n' ? this.#dice.one([1, 2, 4, 8, 16, 64]) : this.#dice.one(WHOLE);
  }

  #text(): string {
    return this.#dice.happens(0.8)
      ? this.#dice.one(this.#values.texts)
      : this.#dice.one(['', 'a', '%', '\\', '"', 'é', '’', 'x'.repeat(300), '🖼️']);
  }
}

/** As GraphQL writes it. */
function literal(value: unknown, type: GraphQLInputType): string {
  if (isNonNullType(type)) return literal(value, type.ofType);
  if (value === null || value === undefined) return 'null';
  if (isListType(type) && Array.isArray(value)) return `[${value.map((one) => literal(one, type.ofType)).join(', ')}]`;
  if (isEnumType(type)) return String(value);
  if (!isInputObjectType(type)) return JSON.stringify(value);
  const fields = type.getFields();
  const parts = Object.entries(value).map(([name, part]) => {
    const field = fields[name];
    return field === undefined ? '' : `${name}: ${literal(part, field.type)}`;
  });
  return `{ ${parts.join(', ')} }`;
}
