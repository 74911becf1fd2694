/** Collections of kept pictures, without their pictures. */
import { ArgsType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { collectionOrders } from '../../store/gallery-sets.ts';
import { connectionType, PageArgs } from '../connection.ts';
import { Node } from '../interfaces.ts';
import { orderInput } from '../list-args.ts';
import { UserError } from '../payload.ts';
import { DateTimeScalar } from '../scalars.ts';

@ObjectType({ implements: Node, description: 'Kept pictures that belong together. A picture may be in many.' })
export class Collection extends Node {
  @Field(() => String)
  slug!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { nullable: true })
  description!: string | null;

  @Field(() => DateTimeScalar)
  createdAt!: Date;
}

export const CollectionConnection = connectionType('Collection', () => Collection);

const CollectionOrderBy = orderInput('Collection', collectionOrders);

@ArgsType()
export class CollectionArgs extends PageArgs {
  @Field(() => CollectionOrderBy, { nullable: true })
  orderBy?: InstanceType<typeof CollectionOrderBy> | null;
}

@InputType()
export class CreateCollectionInput {
  @Field(() => String, { description: 'Its slug is made of it.' })
  name!: string;

  @Field(() => String, { nullable: true })
  description?: string | null;

  @Field(() => [ID], { nullable: true, description: 'Kept pictures to begin with, 1,000 at most.' })
  images?: string[] | null;
}

@InputType()
export class UpdateCollectionInput {
  @Field(() => ID, { description: 'Its slug or id.' })
  collection!: string;

  @Field(() => String, { nullable: true, description: 'The slug stays as it is.' })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'Left as it is unless told; null takes it away.' })
  description?: string | null;
}

@InputType()
export class DeleteCollectionInput {
  @Field(() => ID, { description: 'Its slug or id.' })
  collection!: string;
}

@InputType()
export class CollectionImagesInput {
  @Field(() => ID, { description: 'Its slug or id.' })
  collection!: string;

  @Field(() => [ID], { description: 'Kept pictures, 1,000 at most.' })
  images!: string[];
}

@ObjectType()
export class CollectionPayload {
  @Field(() => Collection, { nullable: true, name: 'collection' })
  result!: unknown;

  @Field(() => [UserError])
  userErrors!: UserError[];
}

@ObjectType()
export class DeleteCollectionPayload {
  @Field(() => ID, { nullable: true, name: 'deletedId' })
  result!: string | null;

  @Field(() => [UserError])
  userErrors!: UserError[];
}
