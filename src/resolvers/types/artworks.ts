/** Works of a collection, without their relations. */
import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { artworkOrders } from '../../store/artworks.ts';
import { connectionType } from '../connection.ts';
import { Node } from '../interfaces.ts';
import { listArgs, orderInput } from '../list-args.ts';

@ObjectType({ implements: Node })
export class Artwork extends Node {
  @Field(() => String, { nullable: true })
  title!: string | null;

  @Field(() => Int, { nullable: true })
  year!: number | null;
}

export const ArtworkConnection = connectionType('Artwork', () => Artwork);

@InputType({ description: 'Entries for which all of this holds.' })
export class ArtworkWhere {
  @Field(() => String, { nullable: true, description: 'Contained, in upper or lower case.' })
  title?: string | null;

  @Field(() => String, { nullable: true, description: 'By slug or id.' })
  artist?: string | null;

  @Field(() => String, { nullable: true, description: 'By slug or id.' })
  style?: string | null;

  @Field(() => String, { nullable: true, description: 'By slug or id.' })
  genre?: string | null;

  @Field(() => String, { nullable: true, description: 'By slug or id.' })
  dataset?: string | null;

  @Field(() => Int, { nullable: true, description: 'This year or later.' })
  yearFrom?: number | null;

  @Field(() => Int, { nullable: true, description: 'This year or earlier.' })
  yearTo?: number | null;
}

export const ArtworkArgs = listArgs(ArtworkWhere, orderInput('Artwork', artworkOrders));
export type ArtworkArgs = InstanceType<typeof ArtworkArgs>;
