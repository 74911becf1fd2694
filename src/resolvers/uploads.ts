/** Pictures that users send: announced here, sent to their url by PUT (server/upload-route.ts), then named by their id. */
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId } from '../core/global-id.ts';
import { encodeRecipe } from '../core/recipe.ts';
import { MOST_UPLOAD_BYTES } from '../services/upload-body.ts';
import type { UploadRow } from '../store/upload-tables.ts';
import { connectionOf, PageArgs, same } from './connection.ts';
import type { Context } from './context.ts';
import { PAINTING_COST } from './images.ts';
import { asPayload } from './payload.ts';
import { Policy } from './policy.ts';
import { UrlScalar } from './scalars.ts';
import { GeneratedImage } from './types/images.ts';
import {
  CreateUploadInput,
  CreateUploadPayload,
  DeleteUploadInput,
  DeleteUploadPayload,
  Upload,
  UploadConnection,
} from './types/uploads.ts';

/** Sending, decoding and storing the file, which are paid for when it is announced. */
const UPLOAD_COST = 1_000;

@Resolver(() => Upload)
export class UploadResolver {
  @Query(() => UploadConnection, { description: 'Your uploads, the newest first; for administrators all.' })
  @Policy({ scope: 'generate', cost: 10 })
  uploads(@Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
    return connectionOf(context, { list: context.uploads.listFor(context.viewer), args, nodeOf: same });
  }

  @Query(() => GeneratedImage, {
    description:
      'The very same picture as the one that was uploaded, by the recipe in its file: for files that this server has given out, or another one with the same model.',
  })
  @Policy({ scope: 'generate', cost: PAINTING_COST })
  async imageFromFile(@Arg('upload', () => ID) upload: string, @Ctx() { uploads, generation, viewer, asker }: Context) {
    return generation.byRecipe(encodeRecipe(await uploads.recipe(upload, viewer)), asker);
  }

  @Mutation(() => CreateUploadPayload, {
    description:
      'Announces a picture. Send its bytes by PUT to the url in the answer, within an hour: JPEG, PNG, WebP, AVIF, TIFF or GIF, at most 20 MB and 40 megapixels.',
  })
  @Policy({ scope: 'generate', cost: UPLOAD_COST })
  async createUpload(
    @Arg('input', () => CreateUploadInput) input: CreateUploadInput,
    @Ctx() { uploads, viewer, wishId }: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    const { result, userErrors } = await asPayload(() => uploads.create({ ...input, id: wishId(info) }, viewer));
    return { upload: result, userErrors };
  }

  @Mutation(() => DeleteUploadPayload, {
    description: 'Deletes an upload. Pictures that repaint it can be made no more; those in the gallery stay.',
  })
  @Policy({ scope: 'generate', cost: 100 })
  async deleteUpload(
    @Arg('input', () => DeleteUploadInput) { id }: DeleteUploadInput,
    @Ctx() { uploads, viewer }: Context,
  ) {
    const { result, userErrors } = await asPayload(() => uploads.remove(id, viewer));
    return { id: result === null ? null : encodeGlobalId('Upload', result.id), userErrors };
  }

  @FieldResolver(() => ID)
  id(@Root() { id }: UploadRow) {
    return encodeGlobalId('Upload', id);
  }

  @FieldResolver(() => UrlScalar, {
    nullable: true,
    description: 'Where to PUT the file while it waits: signed, so that no key has to come with it.',
  })
  url(@Root() upload: UploadRow, @Ctx() { uploads, baseUrl }: Context) {
    return upload.status === 'WAITING' ? `${baseUrl}${uploads.addressOf(upload)}` : null;
  }

  @FieldResolver(() => Int, { description: 'The most that its file may have.' })
  maxBytes() {
    return MOST_UPLOAD_BYTES;
  }

  @FieldResolver(() => Boolean, {
    description: 'Whether the file held a recipe, from which imageFromFile makes its picture.',
  })
  hasRecipe(@Root() { recipe }: UploadRow) {
    return recipe !== null;
  }
}
