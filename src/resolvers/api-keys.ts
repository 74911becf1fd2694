/** API keys: who has one, making and revoking them, and who asks. */
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { mayUse, SCOPES } from '../core/access.ts';
import { encodeGlobalId } from '../core/global-id.ts';
import { keyById, keyList } from '../store/api-keys.ts';
import type { ApiKeyRow } from '../store/tables.ts';
import { connectionOf, PageArgs, same } from './connection.ts';
import type { Context } from './context.ts';
import { asPayload } from './payload.ts';
import { Policy } from './policy.ts';
import {
  ApiKey,
  ApiKeyConnection,
  CreateApiKeyInput,
  CreateApiKeyPayload,
  RevokeApiKeyInput,
  RevokeApiKeyPayload,
  ViewerInfo,
} from './types/api-keys.ts';

@Resolver(() => ApiKey)
export class ApiKeyResolver {
  @Query(() => ViewerInfo, { description: 'Who asks, and what they may do.' })
  @Policy({ scope: null })
  async viewer(@Ctx() { db, viewer }: Context) {
    const apiKey = viewer.kind === 'key' ? await keyById(db, viewer.id) : undefined;
    return { scopes: SCOPES.filter((scope) => mayUse(viewer, scope)), apiKey: apiKey ?? null };
  }

  @Query(() => ApiKeyConnection, { description: 'All keys, revoked ones too, the newest first.' })
  @Policy({ scope: 'admin', cost: 10 })
  apiKeys(@Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
    return connectionOf(context, { list: keyList, args, nodeOf: same });
  }

  @Mutation(() => CreateApiKeyPayload, {
    description: 'Makes a key. With the first one the server wants a key from everybody.',
  })
  @Policy({ scope: 'admin', cost: 10 })
  async createApiKey(
    @Arg('input', () => CreateApiKeyInput) input: CreateApiKeyInput,
    @Ctx() { access, wishId }: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    const { result, userErrors } = await asPayload(() => access.create({ ...input, id: wishId(info) }));
    return { apiKey: result?.row ?? null, key: result?.key ?? null, userErrors };
  }

  @Mutation(() => RevokeApiKeyPayload, { description: 'Ends a key and every stream that it has open.' })
  @Policy({ scope: 'admin', cost: 10 })
  async revokeApiKey(@Arg('input', () => RevokeApiKeyInput) { id }: RevokeApiKeyInput, @Ctx() { access }: Context) {
    const { result, userErrors } = await asPayload(() => access.revoke(id));
    return { apiKey: result, userErrors };
  }

  @FieldResolver(() => ID)
  id(@Root() { id }: ApiKeyRow) {
    return encodeGlobalId('ApiKey', id);
  }
}
