/** Collections of kept pictures. */
import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId, localId } from '../core/global-id.ts';
import { collectionList, findCollection } from '../store/gallery-sets.ts';
import type { GallerySetRow } from '../store/gallery-tables.ts';
import { connectionOf, same } from './connection.ts';
import type { Context } from './context.ts';
import { galleryConnection, ROW_COST, WRITE_COST } from './gallery.ts';
import { asPayload, type Payload } from './payload.ts';
import { lengthIn, Policy, STATEMENT_COST } from './policy.ts';
import {
  Collection,
  CollectionArgs,
  CollectionConnection,
  CollectionImagesInput,
  CollectionPayload,
  CreateCollectionInput,
  DeleteCollectionInput,
  DeleteCollectionPayload,
  UpdateCollectionInput,
} from './types/collections.ts';
import { GeneratedImageArgs, GeneratedImageConnection } from './types/gallery.ts';

/** All of its entries go. */
const DELETE_COST = 2_000;

@Resolver(() => Collection)
export class CollectionResolver {
  @Query(() => CollectionConnection, { description: 'Collections of kept pictures, by name.' })
  collections(@Args(() => CollectionArgs) { orderBy, ...args }: CollectionArgs, @Ctx() context: Context) {
    return connectionOf(context, { list: collectionList(orderBy), args, nodeOf: same });
  }

  @Query(() => Collection, { nullable: true })
  @Policy({ cost: STATEMENT_COST })
  async collection(@Arg('slug', () => String, { description: 'Or its id.' }) slug: string, @Ctx() { db }: Context) {
    return (await findCollection(db, localId(slug, 'Collection'))) ?? null;
  }

  @Mutation(() => CollectionPayload)
  @Policy({ scope: 'generate', cost: ({ input }) => WRITE_COST + ROW_COST * lengthIn(input, 'images') })
  createCollection(
    @Arg('input', () => CreateCollectionInput) input: CreateCollectionInput,
    @Ctx() { collections }: Context,
  ): Promise<Payload<GallerySetRow>> {
    return asPayload(() => collections.create(input));
  }

  @Mutation(() => CollectionPayload, { description: 'Gives a collection another name or description.' })
  @Policy({ scope: 'generate', cost: WRITE_COST })
  updateCollection(
    @Arg('input', () => UpdateCollectionInput) input: UpdateCollectionInput,
    @Ctx() { collections }: Context,
  ): Promise<Payload<GallerySetRow>> {
    return asPayload(() => collections.update(input));
  }

  @Mutation(() => DeleteCollectionPayload, { description: 'Deletes a collection; its pictures stay in the gallery.' })
  @Policy({ scope: 'generate', cost: DELETE_COST })
  deleteCollection(
    @Arg('input', () => DeleteCollectionInput) { collection }: DeleteCollectionInput,
    @Ctx() { collections }: Context,
  ): Promise<Payload<string>> {
    return asPayload(async () => globalId(await collections.delete(collection)));
  }

  @Mutation(() => CollectionPayload, { description: 'Puts kept pictures into a collection; those in it stay.' })
  @Policy({ scope: 'generate', cost: ({ input }) => WRITE_COST + ROW_COST * lengthIn(input, 'images') })
  addToCollection(
    @Arg('input', () => CollectionImagesInput) input: CollectionImagesInput,
    @Ctx() { collections }: Context,
  ): Promise<Payload<GallerySetRow>> {
    return asPayload(() => collections.add(input));
  }

  @Mutation(() => CollectionPayload, { description: 'Takes pictures out of a collection; they stay in the gallery.' })
  @Policy({ scope: 'generate', cost: ({ input }) => WRITE_COST + ROW_COST * lengthIn(input, 'images') })
  removeFromCollection(
    @Arg('input', () => CollectionImagesInput) input: CollectionImagesInput,
    @Ctx() { collections }: Context,
  ): Promise<Payload<GallerySetRow>> {
    return asPayload(() => collections.remove(input));
  }

  @FieldResolver(() => ID)
  id(@Root() row: GallerySetRow) {
    return globalId(row);
  }

  @FieldResolver(() => GeneratedImageConnection)
  images(
    @Root() { id }: GallerySetRow,
    @Args(() => GeneratedImageArgs) args: GeneratedImageArgs,
    @Ctx() context: Context,
  ) {
    return galleryConnection(context, args, { kind: 'collection', id: String(id) });
  }
}

const globalId = ({ id }: GallerySetRow) => encodeGlobalId('Collection', String(id));
