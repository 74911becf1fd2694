/** Arguments of lists: which entries (`where`) and in which order (`orderBy`), beside those that choose the page. */
import { ArgsType, type ClassType, Field, InputType, registerEnumType } from 'type-graphql';
import { DIRECTIONS, type Direction, type OrderBy, type Orders } from '../store/order.ts';
import { PageArgs } from './connection.ts';

const SortDirectionEnum = enumOf(DIRECTIONS);
registerEnumType(SortDirectionEnum, {
  name: 'SortDirection',
  description: 'Entries without a value come last in both directions.',
});

/** The input `<name>OrderBy` with the enum `<name>OrderField` of all orders that the store has for a list. */
export function orderInput<Name extends string>(name: string, orders: Orders<Name>): ClassType<OrderBy<Name>> {
  const { usual, keys } = orders;
  const fields = enumOf(Object.keys(keys));
  registerEnumType(fields, { name: `${name}OrderField` });

  @InputType(`${name}OrderBy`, { description: `${usual.field} ${usual.direction} unless told.` })
  class OrderInput {
    @Field(() => fields)
    field!: Name;

    @Field(() => SortDirectionEnum, { defaultValue: SortDirectionEnum['ASC'] })
    direction!: Direction;
  }
  return OrderInput;
}

export interface ListArgs<Where, By> extends PageArgs {
  readonly where?: Where | null;
  readonly orderBy?: By | null;
}

export function listArgs<Where extends object, By extends object>(
  where: ClassType<Where>,
  orderBy: ClassType<By>,
): ClassType<ListArgs<Where, By>> {
  @ArgsType()
  class ArgsOfList extends PageArgs implements ListArgs<Where, By> {
    @Field(() => where, { nullable: true })
    where?: Where | null;

    @Field(() => orderBy, { nullable: true })
    orderBy?: By | null;
  }
  return ArgsOfList;
}

function enumOf(values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(values.map((value) => [value, value]));
}
