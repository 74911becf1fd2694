/** The gallery: kept pictures, looked through, marked, thrown away and taken home. */
import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId } from '../core/global-id.ts';
import type { Picture } from '../services/generation.ts';
import type { GalleryParent } from '../store/gallery-way.ts';
import { imageList, imagesOf } from '../store/images.ts';
import type { ImageRow } from '../store/tables.ts';
import { type Connection, connectionOf, nestedConnectionOf } from './connection.ts';
import type { Context } from './context.ts';
import { imageFilter } from './filters.ts';
import type { GalleryScope } from './gallery-loaders.ts';
import { PAINTING_COST, pictureOf } from './images.ts';
import { asPayload, type Payload } from './payload.ts';
import { COUNT_COST, lengthIn, Policy, STATEMENT_COST } from './policy.ts';
import { Collection } from './types/collections.ts';
import { GeneratedImageFacets } from './types/facets.ts';
import {
  DeleteImagesInput,
  DeleteImagesPayload,
  ExportImagesInput,
  ExportImagesPayload,
  GeneratedImageArgs,
  GeneratedImageConnection,
  KeepImagesInput,
  KeepImagesPayload,
  UpdateImagesInput,
  UpdateImagesPayload,
} from './types/gallery.ts';
import { GeneratedImage } from './types/images.ts';
import { fileUrl } from './urls.ts';

/** Points of a write, and of each row that it writes. */
export const WRITE_COST = 100;
export const ROW_COST = 5;
/** So many collections or tags a picture is taken to be in. */
const FEW_SETS = 5;

type GalleryConnection = Connection<Picture> & { readonly scope?: GalleryScope };

/** Kept pictures: of the whole gallery, or of a row that they hang on. */
export async function galleryConnection(
  context: Context,
  args: GeneratedImageArgs,
  parent?: { readonly kind: GalleryParent; readonly id: string },
): Promise<GalleryConnection> {
  const picked = await context.load.pickedImages.load(imageFilter(args.where));
  const common = { args, nodeOf: pictureOf };
  const connection =
    parent === undefined
      ? connectionOf(context, { ...common, list: imageList(picked, args.orderBy) })
      : nestedConnectionOf(context, {
          ...common,
          list: imagesOf(parent.kind, picked, args.orderBy),
          id: parent.id,
        });
  // Not spread: what it knows is asked for only where it is selected.
  return Object.assign(connection, { scope: { picked, kind: parent?.kind, id: parent?.id ?? '' } });
}

@Resolver(() => GeneratedImageConnection)
export class GalleryConnectionResolver {
  @FieldResolver(() => GeneratedImageFacets, {
    nullable: true,
    description:
      'What else to ask for, and how many pictures there are of it. Null for lists of pictures that were not kept.',
  })
  facets(@Root() { scope }: GalleryConnection) {
    return scope ?? null;
  }
}

@Resolver()
export class GalleryResolver {
  @Query(() => GeneratedImageConnection, { description: 'The gallery: pictures that were kept, the newest first.' })
  @Policy({ once: COUNT_COST })
  generatedImages(@Args(() => GeneratedImageArgs) args: GeneratedImageArgs, @Ctx() context: Context) {
    return galleryConnection(context, args);
  }

  @Mutation(() => KeepImagesPayload, { description: 'Puts pictures into the gallery; kept ones stay as they are.' })
  @Policy({ scope: 'generate', cost: ({ input }) => PAINTING_COST * lengthIn(input, 'images') })
  async keepImages(
    @Arg('input', () => KeepImagesInput) input: KeepImagesInput,
    @Ctx() { gallery, asker }: Context,
  ): Promise<Payload<Picture[]>> {
    return asPictures(() => gallery.keep(input, asker));
  }

  @Mutation(() => UpdateImagesPayload, { description: 'Marks kept pictures as favourites and tags them.' })
  @Policy({ scope: 'generate', cost: ({ input }) => WRITE_COST + ROW_COST * lengthIn(input, 'images') })
  async updateImages(
    @Arg('input', () => UpdateImagesInput) input: UpdateImagesInput,
    @Ctx() { gallery }: Context,
  ): Promise<Payload<Picture[]>> {
    return asPictures(() => gallery.update(input));
  }

  @Mutation(() => DeleteImagesPayload, {
    description: 'Takes pictures out of the gallery, and their files off the disk.',
  })
  @Policy({ scope: 'generate', cost: ({ input }) => WRITE_COST + ROW_COST * lengthIn(input, 'images') })
  async deleteImages(
    @Arg('input', () => DeleteImagesInput) { images }: DeleteImagesInput,
    @Ctx() { gallery }: Context,
  ): Promise<Payload<string[]>> {
    const { result, userErrors } = await asPayload(() => gallery.delete(images));
    return { result: (result ?? []).map((id) => encodeGlobalId('GeneratedImage', id)), userErrors };
  }

  @Mutation(() => ExportImagesPayload, {
    description: 'An address that pictures of the gallery can be had at, as a ZIP.',
  })
  @Policy({ scope: 'generate', cost: WRITE_COST + COUNT_COST })
  exportImages(
    @Arg('input', () => ExportImagesInput) { where, images }: ExportImagesInput,
    @Ctx() context: Context,
  ): Promise<Payload<{ url: string; count: number }>> {
    return asPayload(async () => {
      const request = { where: where ? imageFilter(where) : undefined, images };
      const { id, count } = await context.galleryExports.start(request);
      return { url: fileUrl(context, `/gallery/${id}.zip`), count };
    });
  }
}

async function asPictures(work: () => Promise<ImageRow[]>): Promise<Payload<Picture[]>> {
  const { result, userErrors } = await asPayload(work);
  return { result: (result ?? []).map(pictureOf), userErrors };
}

@Resolver(() => GeneratedImage)
export class KeptImageResolver {
  @FieldResolver(() => Boolean, { description: 'False for one that was not kept.' })
  @Policy({ once: STATEMENT_COST })
  async favourite(@Root() { id }: Picture, @Ctx() { load }: Context) {
    return (await load.setsOfImage.load(id)).isFavourite;
  }

  @FieldResolver(() => [String], { description: 'By name.' })
  @Policy({ once: STATEMENT_COST, size: FEW_SETS })
  async tags(@Root() { id }: Picture, @Ctx() { load }: Context) {
    const { sets } = await load.setsOfImage.load(id);
    return sets.filter(({ kind }) => kind === 'tag').map(({ name }) => name);
  }

  @FieldResolver(() => [Collection], { description: 'By name.' })
  @Policy({ once: STATEMENT_COST, size: FEW_SETS })
  async collections(@Root() { id }: Picture, @Ctx() { load }: Context) {
    const { sets } = await load.setsOfImage.load(id);
    return sets.filter(({ kind }) => kind === 'collection');
  }
}
