/** Artists, styles and genres: three object types over one kind of row. */
import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId } from '../core/global-id.ts';
import type { LabelKind } from '../core/labels.ts';
import { artworkPage } from '../store/datasets.ts';
import { imagePage } from '../store/images.ts';
import { labelBySlug, labelCount, labelPage } from '../store/labels.ts';
import type { LabelRow } from '../store/tables.ts';
import { type Connection, PageArgs, pageRequest, toConnection } from './connection.ts';
import type { Context } from './context.ts';
import { pictureOf } from './images.ts';
import { Label, labelTypeName } from './interfaces.ts';
import { ArtworkConnection } from './types/artworks.ts';
import { GeneratedImageConnection } from './types/images.ts';
import { Artist, ArtistConnection, Genre, GenreConnection, Style, StyleConnection } from './types/labels.ts';

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
  async artworks(@Root() { kind, id }: LabelRow, @Args(() => PageArgs) args: PageArgs, @Ctx() { db, load }: Context) {
    const page = pageRequest(args);
    const rows =
      page.after === undefined
        ? load.artworkPageOfLabel.load({ kind, id, first: page.first })
        : artworkPage(db, { label: { kind, id } }, page);
    return toConnection(await rows, () => load.artworksOfLabel.load(id));
  }

  @FieldResolver(() => GeneratedImageConnection, { description: 'Kept pictures that were asked for by this label.' })
  async generatedImages(
    @Root() { kind, id }: LabelRow,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { db, load }: Context,
  ) {
    const page = pageRequest(args);
    const found =
      page.after === undefined
        ? await load.imagePageOfLabel.load({ kind, id, first: page.first })
        : await imagePage(db, page, { label: { kind, id } });
    return toConnection({ ...found, rows: found.rows.map(pictureOf) }, () => load.imagesOfLabel.load(id));
  }
}

@Resolver()
export class LabelQueries {
  @Query(() => ArtistConnection)
  artists(@Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
    return labelConnection(context, 'artist', args);
  }

  @Query(() => StyleConnection)
  styles(@Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
    return labelConnection(context, 'style', args);
  }

  @Query(() => GenreConnection)
  genres(@Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
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

/** The labels of a kind, by name. */
async function labelConnection({ db }: Context, kind: LabelKind, args: PageArgs): Promise<Connection<LabelRow>> {
  return toConnection(await labelPage(db, kind, pageRequest(args)), () => labelCount(db, kind));
}
