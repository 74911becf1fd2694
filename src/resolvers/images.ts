/** Pictures on request. A picture's id is its recipe. */
import { Arg, Args, Ctx, FieldResolver, Float, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId } from '../core/global-id.ts';
import type { Conditions, LabelKind } from '../core/labels.ts';
import { leadingConditions, type Part } from '../core/mix.ts';
import { decodeRecipe, seedOf, truncationOf } from '../core/recipe.ts';
import type { Picture } from '../services/generation.ts';
import { imageOriginal } from '../services/originals.ts';
import { mediaType } from '../services/pictures.ts';
import { labelKey } from '../store/labels.ts';
import type { ImageRow } from '../store/tables.ts';
import type { Context } from './context.ts';
import { type ImageFormat, ImageFormatEnum } from './enums.ts';
import { type FieldArgs, numberIn, Policy, STATEMENT_COST } from './policy.ts';
import { DateTimeScalar, SeedScalar, UrlScalar } from './scalars.ts';
import { GenerateArgs, GeneratedImage, LatentSeed, MixPart, VariationsArgs } from './types/images.ts';
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
/** Of a mix, as a rule. */
const FEW_PARTS = 4;

const picturesOf = (args: FieldArgs) => Math.min(MOST_PICTURES, Math.max(1, numberIn(args, 'n', 8)));

/** A kept picture's row as the picture that it is: the id holds what the row does not. */
export function pictureOf({ id, width, height, sha256 }: ImageRow): Picture {
  const recipe = decodeRecipe(id);
  if (recipe === undefined) throw new Error(`The gallery holds a picture whose id is no recipe: ${id}`);
  return { id, recipe, width, height, sha256 };
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
  generate(@Args(() => GenerateArgs) args: GenerateArgs, @Ctx() { generation, asker }: Context) {
    return generation.generate(args, asker);
  }

  @Query(() => [GeneratedImage], {
    description:
      'Pictures near another one: with the same labels, its latent turned towards that of other seeds. Without a seed the server draws one.',
  })
  @Policy({
    scope: 'generate',
    cost: (args) => PAINTING_COST * picturesOf(args),
    size: picturesOf,
    cacheSeconds: ({ seed }) => (seed === undefined ? 0 : SAME_SECONDS),
  })
  variations(@Args(() => VariationsArgs) args: VariationsArgs, @Ctx() { generation, asker }: Context) {
    return generation.variations(args, asker);
  }
}

@Resolver(() => GeneratedImage)
export class GeneratedImageResolver {
  @FieldResolver(() => ID)
  id(@Root() { id }: Picture) {
    return encodeGlobalId('GeneratedImage', id);
  }

  @FieldResolver(() => SeedScalar, {
    description: 'The one that weighs most in `latent`; 0 for a repainted upload.',
  })
  seed(@Root() { recipe }: Picture) {
    return seedOf(recipe);
  }

  @FieldResolver(() => Float)
  truncation(@Root() { recipe }: Picture) {
    return truncationOf(recipe);
  }

  @FieldResolver(() => [LatentSeed], {
    description: 'What its latent is made of: one seed, or a weighted sum of several. Empty for a repainted upload.',
  })
  latent(@Root() { recipe: { source } }: Picture) {
    return source.kind === 'latent' ? source.latent : [];
  }

  @FieldResolver(() => String, { nullable: true, description: 'SHA-256 of the upload that it repaints.' })
  uploadSha256(@Root() { recipe: { source } }: Picture) {
    return source.kind === 'upload' ? source.sha256 : null;
  }

  @FieldResolver(() => [MixPart], { description: 'What it was asked for: a combination of labels, or several.' })
  @Policy({ size: FEW_PARTS })
  mix(@Root() { recipe }: Picture) {
    return recipe.mix;
  }

  @FieldResolver(() => String, { description: 'SHA-256 of the PNG in its own size, which `url` serves.' })
  async sha256(@Root() { id, sha256 }: Picture, @Ctx() { painting, asker }: Context) {
    return sha256 ?? (await painting.png(id, asker)).sha256;
  }

  @FieldResolver(() => DateTimeScalar, {
    nullable: true,
    description: 'When it went into the gallery; null for one that did not.',
  })
  @Policy({ once: STATEMENT_COST })
  async keptAt(@Root() { id }: Picture, @Ctx() { load }: Context) {
    return (await load.keptImage.load(id))?.keptAt ?? null;
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
  model(@Root() { recipe }: Picture, @Ctx() { load }: Context) {
    return load.model.load(recipe.modelId);
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
    @Ctx() { delivery, painting, asker }: Context,
  ) {
    const encoding = { format: formats[format ?? 'PNG'] };
    const { body } = await delivery.bytes(imageOriginal(painting, id), encoding, asker);
    return `data:${mediaType(encoding.format)};base64,${body.toString('base64')}`;
  }
}

@Resolver(() => MixPart)
export class MixPartResolver {
  @FieldResolver(() => Artist, { nullable: true })
  artist(@Root() { conditions }: Part, @Ctx() context: Context) {
    return labelIn(context, conditions, 'artist');
  }

  @FieldResolver(() => Style, { nullable: true })
  style(@Root() { conditions }: Part, @Ctx() context: Context) {
    return labelIn(context, conditions, 'style');
  }

  @FieldResolver(() => Genre, { nullable: true })
  genre(@Root() { conditions }: Part, @Ctx() context: Context) {
    return labelIn(context, conditions, 'genre');
  }
}

const formats = { PNG: 'png', WEBP: 'webp', JPEG: 'jpeg', AVIF: 'avif' } as const;

/** The label of a kind that it was asked for, the heaviest of a mix. */
function labelOf(context: Context, { recipe }: Picture, kind: LabelKind) {
  return labelIn(context, leadingConditions(recipe.mix), kind);
}

function labelIn({ load }: Context, conditions: Conditions, kind: LabelKind) {
  const slug = conditions[kind];
  return slug === undefined ? null : load.labelBySlug.load(labelKey({ kind, slug }));
}
