/** Payloads of mutations: what was asked for, or the user's mistakes as data. Anything else is thrown and masked. */
import { Field, InterfaceType, ObjectType } from 'type-graphql';
import { type AppError, asAppError } from '../core/errors.ts';
import { type Tagged, tagged } from './interfaces.ts';

@InterfaceType('UserError', { resolveType: (value: Tagged) => value.__typename })
export abstract class UserError {
  @Field(() => String)
  message!: string;

  @Field(() => String, { description: 'Stable: for programs.' })
  code!: string;

  @Field(() => [String], { nullable: true, description: 'Where in the input the mistake is.' })
  path!: readonly string[] | null;
}

@ObjectType({ implements: UserError })
export class SimpleUserError extends UserError {}

export interface Payload<Result> {
  readonly result: Result | null;
  readonly userErrors: readonly (UserError & Tagged)[];
}

export async function asPayload<Result>(work: () => Promise<Result>): Promise<Payload<Result>> {
  try {
    return { result: await work(), userErrors: [] };
  } catch (error) {
    const told = asAppError(error);
    if (told === undefined) throw error;
    return { result: null, userErrors: [toUserError(told)] };
  }
}

/** The message holds the suggestions, too. */
function toUserError({ message, code, path }: AppError): UserError & Tagged {
  return tagged('SimpleUserError', { message, code, path: path ?? null });
}
