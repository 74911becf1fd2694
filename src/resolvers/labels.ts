/** Artists, styles and genres: three object types over one kind of row. */
import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId } from '../core/global-id.ts';
import type { LabelKind } from '../core/labels.ts';
import { artworksOfLabels } from '../store/artworks.ts';
import { labelBySlug, labelList } from '../store/labels.ts';
import type { LabelRow } from '../store/tables.ts';
import { type Connection, connectionOf, nestedConnectionOf, same } from './connection.ts';
import type { Context } from './context.ts';
import { artworkFilter, labelFilter } from './filters.ts';
import { galleryConnection } from './gallery.ts';
import { Label, labelTypeName } from './interfaces.ts';
import { Policy } from './policy.ts';
import { ArtworkArgs, ArtworkConnection } from './types/artworks.ts';
import { GeneratedImageArgs, GeneratedImageConnection } from './types/gallery.ts';
import {
  Artist,
  ArtistConnection,
  Genre,
  GenreConnection,
  LABEL_SECONDS,
  LabelArgs,
  Style,
  StyleConnection,
} from './types/labels.ts';

@Resolver(() => Label)
export class LabelResolver {
  @FieldResolver(() => ID)
  id(@Root() { kind, id }: LabelRow) {
    return encodeGlobalId(labelTypeName(kind), id);
  }

  @FieldResolver(() => Int, { description: 'Works of all datasets that have this label.' })
  artworkCount(@Root() { id }: LabelRow, @Ctx() { load }: Context) {
    return load.artworksOfLabel.load(id);
  }

  @FieldResolver(() => ArtworkConnection)
  artworks(@Root() { kind, id }: LabelRow, @Args(() => ArtworkArgs) args: ArtworkArgs, @Ctx() { load }: Context) {
    const list = artworksOfLabels(kind, artworkFilter(args.where), args.orderBy);
    // All of them are counted as artworkCount is.
    const count = args.where ? undefined : () => load.artworksOfLabel.load(id);
    return nestedConnectionOf({ load }, { list, id, args, nodeOf: same, count });
  }

  @FieldResolver(() => GeneratedImageConnection, { description: 'Kept pictures that were asked for by this label.' })
  generatedImages(
    @Root() { kind, id }: LabelRow,
    @Args(() => GeneratedImageArgs) args: GeneratedImageArgs,
    @Ctx() context: Context,
  ) {
    return galleryConnection(context, args, { kind, id });
  }
}

@Resolver()
export class LabelQueries {
  @Query(() => ArtistConnection)
  @Policy({ cacheSeconds: LABEL_SECONDS })
  artists(@Args(() => LabelArgs) args: LabelArgs, @Ctx() context: Context) {
    return labelConnection(context, 'artist', args);
  }

  @Query(() => StyleConnection)
  @Policy({ cacheSeconds: LABEL_SECONDS })
  styles(@Args(() => LabelArgs) args: LabelArgs, @Ctx() context: Context) {
    return labelConnection(context, 'style', args);
  }

  @Query(() => GenreConnection)
  @Policy({ cacheSeconds: LABEL_SECONDS })
  genres(@Args(() => LabelArgs) args: LabelArgs, @Ctx() context: Context) {
    return labelConnection(context, 'genre', args);
  }

  @Query(() => Artist, { nullable: true })
  artist(@Arg('slug', () => String) slug: string, @Ctx() { db }: Context) {
    return labelBySlug(db, 'artist', slug);
  }

  @Query(() => Style, { nullable: true })
  style(@Arg('slug', () => String) slug: string, @Ctx() { db }: Context) {
    return labelBySlug(db, 'style', slug);
  }

  @Query(() => Genre, { nullable: true })
  genre(@Arg('slug', () => String) slug: string, @Ctx() { db }: Context) {
    return labelBySlug(db, 'genre', slug);
  }
}

function labelConnection(context: Context, kind: LabelKind, args: LabelArgs): Connection<LabelRow> {
  const list = labelList(kind, labelFilter(args.where), args.orderBy);
  return connectionOf(context, { list, args, nodeOf: same });
}
