/** Pictures on request and the gallery, without their relations. */
import { ArgsType, Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { imageOrders } from '../../store/images.ts';
import { connectionType } from '../connection.ts';
import { Node } from '../interfaces.ts';
import { listArgs, orderInput } from '../list-args.ts';
import { UserError } from '../payload.ts';
import { DateTimeScalar, SeedScalar } from '../scalars.ts';

@ObjectType({
  implements: Node,
  description:
    'A picture is its recipe: the id holds model, conditions, seed and truncation, so node(id) gives the same picture again. generatedImages lists the kept ones.',
})
export class GeneratedImage extends Node {
  @Field(() => SeedScalar)
  seed!: number;

  @Field(() => Int)
  width!: number;

  @Field(() => Int)
  height!: number;

  @Field(() => String, { description: 'SHA-256 of the PNG in its own size, which `url` serves.' })
  sha256!: string;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When it went into the gallery; null for one that did not.',
  })
  keptAt!: Date | null;

  @Field(() => Float)
  truncation!: number;
}

export const GeneratedImageConnection = connectionType('GeneratedImage', () => GeneratedImage);

@InputType({ description: 'Entries for which all of this holds.' })
export class GeneratedImageWhere {
  @Field(() => String, { nullable: true, description: 'It was asked for by this. By slug or id.' })
  artist?: string | null;

  @Field(() => String, { nullable: true, description: 'It was asked for by this. By slug or id.' })
  style?: string | null;

  @Field(() => String, { nullable: true, description: 'It was asked for by this. By slug or id.' })
  genre?: string | null;

  @Field(() => ID, { nullable: true })
  model?: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'At this moment or later.' })
  keptAfter?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Earlier than this moment.' })
  keptBefore?: Date | null;
}

export const GeneratedImageArgs = listArgs(GeneratedImageWhere, orderInput('GeneratedImage', imageOrders));
export type GeneratedImageArgs = InstanceType<typeof GeneratedImageArgs>;

@InputType({ description: 'Any combination of the three kinds; each by slug, name or id.' })
export class ConditionsInput {
  @Field(() => String, { nullable: true })
  artist?: string | null;

  @Field(() => String, { nullable: true })
  style?: string | null;

  @Field(() => String, { nullable: true })
  genre?: string | null;
}

@ArgsType()
export class GenerateArgs {
  @Field(() => String, { nullable: true })
  label?: string | null;

  @Field(() => ConditionsInput, { nullable: true })
  conditions?: ConditionsInput | null;

  @Field(() => Int, { defaultValue: 8, description: '1..64' })
  n!: number;

  @Field(() => SeedScalar, {
    nullable: true,
    description: 'Of the first picture; the others have the seeds that follow.',
  })
  seed?: number | null;

  @Field(() => Float, { defaultValue: 1, description: '0..1: nearer to 0 is nearer to the average picture.' })
  truncation!: number;

  @Field(() => ID, { nullable: true, description: 'The default model unless told.' })
  model?: string | null;
}

@InputType()
export class KeepImagesInput {
  @Field(() => [ID])
  images!: string[];
}

@ObjectType()
export class KeepImagesPayload {
  @Field(() => [GeneratedImage], { name: 'images' })
  result!: unknown[];

  @Field(() => [UserError])
  userErrors!: UserError[];
}
