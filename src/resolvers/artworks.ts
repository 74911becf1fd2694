/** Works of a collection. */
import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId } from '../core/global-id.ts';
import { artworkList } from '../store/artworks.ts';
import type { ArtworkRow } from '../store/tables.ts';
import { connectionOf, same } from './connection.ts';
import type { Context } from './context.ts';
import { type ImageFormat, ImageFormatEnum } from './enums.ts';
import { artworkFilter } from './filters.ts';
import { UrlScalar } from './scalars.ts';
import { Artwork, ArtworkArgs, ArtworkConnection } from './types/artworks.ts';
import { Dataset } from './types/datasets.ts';
import { Artist, Genre, Style } from './types/labels.ts';
import { pictureUrl } from './urls.ts';

@Resolver(() => Artwork)
export class ArtworkResolver {
  @Query(() => ArtworkConnection, { description: 'Works of all collections.' })
  artworks(@Args(() => ArtworkArgs) args: ArtworkArgs, @Ctx() context: Context) {
    const list = artworkList(artworkFilter(args.where), args.orderBy);
    return connectionOf(context, { list, args, nodeOf: same });
  }

  @FieldResolver(() => ID)
  id(@Root() { id }: ArtworkRow) {
    return encodeGlobalId('Artwork', id);
  }

  @FieldResolver(() => Artist, { nullable: true })
  artist(@Root() { artistId }: ArtworkRow, @Ctx() { load }: Context) {
    return artistId === null ? null : load.label.load(artistId);
  }

  @FieldResolver(() => Style, { nullable: true })
  style(@Root() { styleId }: ArtworkRow, @Ctx() { load }: Context) {
    return styleId === null ? null : load.label.load(styleId);
  }

  @FieldResolver(() => Genre, { nullable: true })
  genre(@Root() { genreId }: ArtworkRow, @Ctx() { load }: Context) {
    return genreId === null ? null : load.label.load(genreId);
  }

  @FieldResolver(() => Dataset)
  dataset(@Root() { datasetId }: ArtworkRow, @Ctx() { load }: Context) {
    return load.dataset.load(datasetId);
  }

  @FieldResolver(() => UrlScalar, { description: 'The square that networks are trained on, in its largest size.' })
  url(
    @Root() { id }: ArtworkRow,
    // type-graphql prints arguments from the last to the first.
    @Arg('format', () => ImageFormatEnum, { nullable: true }) format: ImageFormat | null | undefined,
    @Arg('width', () => Int, { nullable: true }) width: number | null | undefined,
    @Ctx() context: Context,
  ) {
    return pictureUrl(context, ['artworks', id], { width, format });
  }
}
