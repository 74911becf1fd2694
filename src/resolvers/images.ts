/** Pictures on request and the gallery of kept ones. A picture's id is its recipe. */
import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId } from '../core/global-id.ts';
import type { LabelKind } from '../core/labels.ts';
import { decodeRecipe } from '../core/recipe.ts';
import type { Picture } from '../services/generation.ts';
import { imageList } from '../store/images.ts';
import { labelKey } from '../store/labels.ts';
import type { ImageRow } from '../store/tables.ts';
import { connectionOf } from './connection.ts';
import type { Context } from './context.ts';
import { type ImageFormat, ImageFormatEnum } from './enums.ts';
import { imageFilter } from './filters.ts';
import { asPayload, type Payload } from './payload.ts';
import { type FieldArgs, lengthIn, numberIn, Policy } from './policy.ts';
import { UrlScalar } from './scalars.ts';
import {
  GenerateArgs,
  GeneratedImage,
  GeneratedImageArgs,
  GeneratedImageConnection,
  KeepImagesInput,
  KeepImagesPayload,
} from './types/images.ts';
import { Artist, Genre, Style } from './types/labels.ts';
import { Model } from './types/models.ts';
import { pictureUrl } from './urls.ts';

/** Of one picture, so that one operation may ask for no more than 64. */
export const PAINTING_COST = 120;
const ENCODING_COST = 80;
const AVIF_COST = 300;
/** The same model and seed paint the same picture. */
const SAME_SECONDS = 3_600;
const MOST_PICTURES = 64;

const picturesOf = (args: FieldArgs) => Math.min(MOST_PICTURES, Math.max(1, numberIn(args, 'n', 8)));

/** A kept picture's row as the picture that it is: the id holds what the row does not. */
export function pictureOf(row: ImageRow): Picture {
  const recipe = decodeRecipe(row.id);
  if (recipe === undefined) throw new Error(`The gallery holds a picture whose id is no recipe: ${row.id}`);
  return { ...recipe, id: row.id, width: row.width, height: row.height, sha256: row.sha256, keptAt: row.keptAt };
}

@Resolver()
export class ImageQueries {
  @Query(() => [GeneratedImage], {
    description:
      'Pictures for a label (an artist, a style or a genre, by name or slug) or for a combination of them. Without a seed the server draws one and returns it.',
  })
  @Policy({
    scope: 'generate',
    cost: (args) => PAINTING_COST * picturesOf(args),
    size: picturesOf,
    cacheSeconds: ({ seed, model }) => (seed === undefined || model === undefined ? 0 : SAME_SECONDS),
  })
  generate(@Args(() => GenerateArgs) args: GenerateArgs, @Ctx() { generation, signal }: Context) {
    return generation.generate(args, signal);
  }

  @Query(() => GeneratedImageConnection, { description: 'The gallery: pictures that were kept, the newest first.' })
  generatedImages(@Args(() => GeneratedImageArgs) args: GeneratedImageArgs, @Ctx() context: Context) {
    const list = imageList(imageFilter(args.where), args.orderBy);
    return connectionOf(context, { list, args, nodeOf: pictureOf });
  }

  @Mutation(() => KeepImagesPayload, { description: 'Puts pictures into the gallery; kept ones stay as they are.' })
  @Policy({ scope: 'generate', cost: ({ input }) => PAINTING_COST * lengthIn(input, 'images') })
  async keepImages(
    @Arg('input', () => KeepImagesInput) { images }: KeepImagesInput,
    @Ctx() { generation }: Context,
  ): Promise<Payload<Picture[]>> {
    const { result, userErrors } = await asPayload(() => generation.keep(images));
    return { result: (result ?? []).map(pictureOf), userErrors };
  }
}

@Resolver(() => GeneratedImage)
export class GeneratedImageResolver {
  @FieldResolver(() => ID)
  id(@Root() { id }: Picture) {
    return encodeGlobalId('GeneratedImage', id);
  }

  @FieldResolver(() => Artist, { nullable: true })
  artist(@Root() picture: Picture, @Ctx() context: Context) {
    return labelOf(context, picture, 'artist');
  }

  @FieldResolver(() => Style, { nullable: true })
  style(@Root() picture: Picture, @Ctx() context: Context) {
    return labelOf(context, picture, 'style');
  }

  @FieldResolver(() => Genre, { nullable: true })
  genre(@Root() picture: Picture, @Ctx() context: Context) {
    return labelOf(context, picture, 'genre');
  }

  @FieldResolver(() => Model)
  model(@Root() { modelId }: Picture, @Ctx() { load }: Context) {
    return load.model.load(modelId);
  }

  @FieldResolver(() => UrlScalar)
  url(
    @Root() { id }: Picture,
    // type-graphql prints arguments from the last to the first.
    @Arg('width', () => Int, { nullable: true }) width: number | null | undefined,
    @Arg('format', () => ImageFormatEnum, { nullable: true, defaultValue: ImageFormatEnum.PNG })
    format: ImageFormat | null,
    @Ctx() context: Context,
  ) {
    return pictureUrl(context, ['images', id], { format, width });
  }

  @FieldResolver(() => String, { description: 'The picture itself, for places that cannot load a URL.' })
  @Policy({ cost: ({ format }) => (format === 'AVIF' ? AVIF_COST : ENCODING_COST) })
  async dataUri(
    @Root() { id }: Picture,
    @Arg('format', () => ImageFormatEnum, { nullable: true, defaultValue: ImageFormatEnum.PNG })
    format: ImageFormat | null,
    @Ctx() { generation, signal }: Context,
  ) {
    const { body, type } = await generation.bytes(id, { format: formats[format ?? 'PNG'] }, signal);
    return `data:${type};base64,${body.toString('base64')}`;
  }
}

const formats = { PNG: 'png', WEBP: 'webp', JPEG: 'jpeg', AVIF: 'avif' } as const;

function labelOf({ load }: Context, { conditions }: Picture, kind: LabelKind) {
  const slug = conditions[kind];
  return slug === undefined ? null : load.labelBySlug.load(labelKey({ kind, slug }));
}
