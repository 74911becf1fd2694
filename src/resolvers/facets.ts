/** Facets of lists of the gallery, all that are asked for in one statement. */
import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { AppError } from '../core/errors.ts';
import type { LabelKind } from '../core/labels.ts';
import type { Facet, FacetValue } from '../store/gallery-facets.ts';
import type { Context } from './context.ts';
import type { GalleryScope } from './gallery-loaders.ts';
import { labelTypeName, tagged } from './interfaces.ts';
import { type FieldArgs, numberIn, Policy } from './policy.ts';
import {
  CollectionFacet,
  FacetArgs,
  FavouriteFacet,
  GeneratedImageFacets,
  LabelFacet,
  ModelFacet,
  TagFacet,
  USUAL_FACETS,
} from './types/facets.ts';

const MOST = 100;
/** Of one list: what is not counted is looked at. */
const FACET_COST = 100;
const POLICY = {
  cost: FACET_COST,
  size: (args: FieldArgs) => Math.min(MOST, Math.max(1, numberIn(args, 'first', USUAL_FACETS))),
};

@Resolver(() => GeneratedImageFacets)
export class FacetsResolver {
  @FieldResolver(() => [LabelFacet])
  @Policy(POLICY)
  artists(@Root() scope: GalleryScope, @Args(() => FacetArgs) args: FacetArgs, @Ctx() context: Context) {
    return labels(context, scope, { kind: 'artist', ...args });
  }

  @FieldResolver(() => [LabelFacet])
  @Policy(POLICY)
  styles(@Root() scope: GalleryScope, @Args(() => FacetArgs) args: FacetArgs, @Ctx() context: Context) {
    return labels(context, scope, { kind: 'style', ...args });
  }

  @FieldResolver(() => [LabelFacet])
  @Policy(POLICY)
  genres(@Root() scope: GalleryScope, @Args(() => FacetArgs) args: FacetArgs, @Ctx() context: Context) {
    return labels(context, scope, { kind: 'genre', ...args });
  }

  @FieldResolver(() => [ModelFacet])
  @Policy(POLICY)
  async models(@Root() scope: GalleryScope, @Args(() => FacetArgs) { first }: FacetArgs, @Ctx() context: Context) {
    const values = await read(context, scope, { facet: 'model', first });
    return Promise.all(
      values.map(async ({ id, ...value }) => ({ ...value, model: await context.load.model.load(id) })),
    );
  }

  @FieldResolver(() => [TagFacet])
  @Policy(POLICY)
  async tags(@Root() scope: GalleryScope, @Args(() => FacetArgs) { first }: FacetArgs, @Ctx() context: Context) {
    const values = await read(context, scope, { facet: 'tag', first });
    const all = values.map(async ({ id, ...value }) => ({
      ...value,
      tag: (await context.load.gallerySet.load(id))?.name,
    }));
    return (await Promise.all(all)).filter(({ tag }) => tag !== undefined);
  }

  @FieldResolver(() => [CollectionFacet])
  @Policy(POLICY)
  async collections(@Root() scope: GalleryScope, @Args(() => FacetArgs) { first }: FacetArgs, @Ctx() context: Context) {
    const values = await read(context, scope, { facet: 'collection', first });
    const all = values.map(async ({ id, ...value }) => ({
      ...value,
      collection: await context.load.gallerySet.load(id),
    }));
    return (await Promise.all(all)).filter(({ collection }) => collection !== undefined);
  }

  @FieldResolver(() => FavouriteFacet)
  @Policy({ cost: FACET_COST })
  async favourites(@Root() scope: GalleryScope, @Ctx() context: Context) {
    const [value] = await read(context, scope, { facet: 'favourite', first: 1 });
    return value ?? { count: 0, isExact: true };
  }
}

async function labels(
  context: Context,
  scope: GalleryScope,
  { kind, first }: { readonly kind: LabelKind; readonly first: number },
) {
  const values = await read(context, scope, { facet: kind, first });
  const rows = await Promise.all(
    values.map(async ({ id, ...value }) => ({ ...value, row: await context.load.label.load(id) })),
  );
  return rows.flatMap(({ row, ...value }) =>
    row === undefined ? [] : [{ ...value, label: tagged(labelTypeName(kind), row) }],
  );
}

function read(
  { load }: Context,
  scope: GalleryScope,
  { facet, first }: { readonly facet: Facet; readonly first: number },
): Promise<readonly FacetValue[]> {
  if (!Number.isInteger(first) || first < 1 || first > MOST)
    throw new AppError('INVALID_INPUT', `first must be from 1 to ${MOST}, not ${first}.`, { path: ['first'] });
  return load.facet.load({ ...scope, facet, first });
}
