/** What a page shows of a picture before it has the file, and how it has the browser choose the file's format. */
import { Arg, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { AppError } from '../core/errors.ts';
import type { Picture } from '../services/generation.ts';
import type { ArtworkRow } from '../store/tables.ts';
import type { Context } from './context.ts';
import { Policy, STATEMENT_COST } from './policy.ts';
import { UrlScalar } from './scalars.ts';
import { Artwork } from './types/artworks.ts';
import { GeneratedImage } from './types/images.ts';
import { negotiatedUrl } from './urls.ts';

/** Decoding to 32 pixels and 0.4 ms of arithmetic. */
const THUMBHASH_COST = 60;

const WHAT = 'A blurred picture in some 25 bytes, base64: ThumbHash (https://evanw.github.io/thumbhash).';

@Resolver(() => GeneratedImage)
export class PlaceholderResolver {
  @FieldResolver(() => String, {
    description: WHAT,
  })
  @Policy({ cost: THUMBHASH_COST })
  thumbhash(@Root() { id }: Picture, @Ctx() { thumbhashes, asker }: Context) {
    return thumbhashes.ofImage(id, asker);
  }

  @FieldResolver(() => UrlScalar, {
    description: 'An address that names no format: the request says by its Accept header which one it likes best.',
  })
  negotiatedUrl(
    @Root() { id }: Picture,
    @Arg('width', () => Int, { nullable: true }) width: number | null | undefined,
    @Ctx() context: Context,
  ) {
    return negotiatedUrl(context, ['images', id], width);
  }
}

@Resolver(() => Artwork)
export class ArtworkPlaceholderResolver {
  @FieldResolver(() => String, { description: WHAT })
  @Policy({ cost: THUMBHASH_COST, once: STATEMENT_COST })
  async thumbhash(@Root() artwork: ArtworkRow, @Ctx() { thumbhashes, load, asker }: Context) {
    const dataset = await load.dataset.load(artwork.datasetId);
    if (dataset === undefined) throw new AppError('NOT_FOUND', 'The collection of this work has gone.');
    return thumbhashes.ofArtwork(artwork, dataset, asker);
  }
}
