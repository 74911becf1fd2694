/** Pictures on request, without their relations. */
import { ArgsType, Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { Node } from '../interfaces.ts';
import { SeedScalar } from '../scalars.ts';

@ObjectType({
  implements: Node,
  description:
    'A picture is its recipe: the id holds model, conditions, seed and truncation, so node(id) gives the same picture again. generatedImages lists the kept ones.',
})
export class GeneratedImage extends Node {
  @Field(() => Int)
  width!: number;

  @Field(() => Int)
  height!: number;
}

@ObjectType({ description: 'A seed in a latent. The squares of the weights add up to 1.' })
export class LatentSeed {
  @Field(() => SeedScalar)
  seed!: number;

  @Field(() => Float)
  weight!: number;
}

@ObjectType({ description: 'A combination of labels in a mix. The weights add up to 1.' })
export class MixPart {
  @Field(() => Float)
  weight!: number;
}

@InputType({ description: 'Any combination of the three kinds; each by slug, name or id.' })
export class ConditionsInput {
  @Field(() => String, { nullable: true })
  artist?: string | null;

  @Field(() => String, { nullable: true })
  style?: string | null;

  @Field(() => String, { nullable: true })
  genre?: string | null;
}

@InputType({ description: 'A label, or a combination of labels, with its weight in a mix.' })
export class MixInput {
  @Field(() => String, { nullable: true })
  label?: string | null;

  @Field(() => ConditionsInput, { nullable: true })
  conditions?: ConditionsInput | null;

  @Field(() => Float, { defaultValue: 1, description: '0 or more: what counts is how the weights are to each other.' })
  weight!: number;
}

@ArgsType()
export class MixArgs {
  @Field(() => String, { nullable: true })
  label?: string | null;

  @Field(() => ConditionsInput, { nullable: true })
  conditions?: ConditionsInput | null;

  @Field(() => [MixInput], {
    nullable: true,
    description: 'Several labels or combinations at once, each with a weight; not with `label` or `conditions`.',
  })
  mix?: MixInput[] | null;
}

@ArgsType()
export class VariationsArgs {
  @Field(() => ID, { description: 'A generated picture.' })
  of!: string;

  @Field(() => Float, {
    defaultValue: 0.3,
    description: '0..1: nearer to 0 is nearer to the picture; 1 is another picture with the same labels.',
  })
  strength!: number;

  @Field(() => Int, { defaultValue: 8, description: '1..64' })
  n!: number;

  @Field(() => SeedScalar, { nullable: true, description: 'Of the first variation; the others follow.' })
  seed?: number | null;
}

@ArgsType()
export class GenerateArgs extends MixArgs {
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
