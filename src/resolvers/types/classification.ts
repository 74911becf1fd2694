/** What a discriminator says of a picture, without its relations. */
import { ArgsType, Field, Float, ID, ObjectType } from 'type-graphql';
import type { LabelKind } from '../../core/labels.ts';
import { LabelKindEnum } from '../enums.ts';
import { MixArgs } from './images.ts';

@ObjectType({ description: 'How likely the picture has a label.' })
export class LabelProbability {
  @Field(() => Float, { description: '0..1' })
  probability!: number;
}

@ObjectType({ description: 'What the discriminator says of one kind of label.' })
export class KindClassification {
  @Field(() => LabelKindEnum)
  kind!: LabelKind;

  @Field(() => Float, { description: 'How likely the picture is a generated one, 0..1.' })
  fake!: number;
}

@ObjectType({ description: 'What the discriminator of a model says of a picture.' })
export class Classification {
  @Field(() => [KindClassification], { description: 'Of each kind that the model knows.' })
  kinds!: KindClassification[];
}

@ArgsType()
export class ClassifyArgs {
  @Field(() => ID, { nullable: true, description: 'An upload of yours.' })
  upload?: string | null;

  @Field(() => ID, { nullable: true, description: 'A generated picture.' })
  image?: string | null;

  @Field(() => ID, { nullable: true, description: 'A work of a collection.' })
  artwork?: string | null;

  @Field(() => ID, { nullable: true, description: 'The default model unless told.' })
  model?: string | null;
}

@ArgsType()
export class ReconstructArgs extends MixArgs {
  @Field(() => ID, { description: 'An upload of yours.' })
  upload!: string;

  @Field(() => ID, { nullable: true, description: 'The default model unless told.' })
  model?: string | null;
}
