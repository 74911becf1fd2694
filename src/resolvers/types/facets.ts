/** What the pictures of a list have in common, and how many have it. */
import { ArgsType, Field, Int, ObjectType } from 'type-graphql';
import { Label } from '../interfaces.ts';
import { Collection } from './collections.ts';
import { Model } from './models.ts';

export const USUAL_FACETS = 20;

@ArgsType()
export class FacetArgs {
  @Field(() => Int, { defaultValue: USUAL_FACETS, description: '1..100, the biggest first.' })
  first!: number;
}

@ObjectType()
abstract class FacetCount {
  @Field(() => Int)
  count!: number;

  @Field(() => Boolean, {
    description:
      'False where there are at least so many: of labels and one set all are counted, of other filters the first 500.',
  })
  isExact!: boolean;
}

@ObjectType()
export class LabelFacet extends FacetCount {
  @Field(() => Label)
  label!: unknown;
}

@ObjectType()
export class ModelFacet extends FacetCount {
  @Field(() => Model)
  model!: unknown;
}

@ObjectType()
export class TagFacet extends FacetCount {
  @Field(() => String)
  tag!: unknown;
}

@ObjectType()
export class CollectionFacet extends FacetCount {
  @Field(() => Collection)
  collection!: unknown;
}

@ObjectType()
export class FavouriteFacet extends FacetCount {}

@ObjectType({
  description: 'Of all pictures of the list, whichever page was read: what they have, and how many have it.',
})
export class GeneratedImageFacets {}
