/** Works of a collection, without their relations. */
import { Field, Int, ObjectType } from 'type-graphql';
import { connectionType } from '../connection.ts';
import { Node } from '../interfaces.ts';

@ObjectType({ implements: Node })
export class Artwork extends Node {
  @Field(() => String, { nullable: true })
  title!: string | null;

  @Field(() => Int, { nullable: true })
  year!: number | null;
}

export const ArtworkConnection = connectionType('Artwork', () => Artwork);
