/** What holds for every field that does something: how the user's mistakes are thrown, and what no argument may hold. */
import { GraphQLError, type GraphQLFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import { AppError } from '../core/errors.ts';

type Resolver = GraphQLFieldResolver<unknown, unknown>;

/**
 * graphql-js takes every error that has a `path` for one of its own, with the place in the query, and an AppError's path
 * is a place in the input: so each field throws it inside a GraphQLError.
 */
export function guardFields(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const takes = field.args.length > 0;
      if (field.resolve !== undefined) field.resolve = guarded(field.resolve, takes);
      if (field.subscribe !== undefined) field.subscribe = guarded(field.subscribe, takes);
    }
  }
  return schema;
}

function guarded(resolve: Resolver, takesArguments: boolean): Resolver {
  return (source, args, context, info) => {
    try {
      if (takesArguments) refuseNul(args, []);
      const value = resolve(source, args, context, info);
      return value instanceof Promise ? value.catch(rethrow) : value;
    } catch (error) {
      return rethrow(error);
    }
  };
}

function rethrow(error: unknown): never {
  throw error instanceof AppError ? new GraphQLError(error.message, { originalError: error }) : error;
}

/** PostgreSQL stores every character but this one. @throws AppError INVALID_INPUT */
function refuseNul(value: unknown, path: readonly string[]): void {
  if (typeof value === 'string' && value.includes('\0'))
    throw new AppError('INVALID_INPUT', 'A text may not hold the character U+0000.', { path });
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) refuseNul(part, [...path, name]);
}
