/** Jobs that paint many pictures, without their relations. */
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { generationOrders } from '../../store/generations.ts';
import { connectionType } from '../connection.ts';
import { GenerationStatusEnum } from '../enums.ts';
import { Node } from '../interfaces.ts';
import { listArgs, orderInput } from '../list-args.ts';
import { UserError } from '../payload.ts';
import { DateTimeScalar, SeedScalar } from '../scalars.ts';
import { ConditionsInput, MixInput } from './images.ts';
import { TopicEvent } from './topics.ts';

type Status = keyof typeof GenerationStatusEnum;

@ObjectType({
  implements: Node,
  description:
    'A job that paints many pictures: those that `generate` gives for the same request, one seed after another.',
})
export class Generation extends Node {
  @Field(() => String, { nullable: true })
  name!: string | null;

  @Field(() => GenerationStatusEnum)
  status!: Status;

  @Field(() => Int, { description: 'Pictures asked for.' })
  n!: number;

  @Field(() => Int, { description: 'Pictures that are there: the first so many.' })
  done!: number;

  @Field(() => SeedScalar, { description: 'Of the first picture.' })
  seed!: number;

  @Field(() => Float)
  truncation!: number;

  @Field(() => Float, { description: 'Of the files so far.' })
  bytes!: number;

  @Field(() => String, { nullable: true, description: 'Why it failed, or what it waits for.' })
  error!: string | null;

  @Field(() => Float, { nullable: true })
  picturesPerSecond!: number | null;

  @Field(() => DateTimeScalar)
  createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true })
  startedAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true })
  finishedAt!: Date | null;
}

export const GenerationConnection = connectionType('Generation', () => Generation);

@InputType({ description: 'Entries for which all of this holds.' })
export class GenerationWhere {
  @Field(() => [GenerationStatusEnum], { nullable: true, description: 'Any of these.' })
  status?: Status[] | null;
}

export const GenerationArgs = listArgs(GenerationWhere, orderInput('Generation', generationOrders));
export type GenerationArgs = InstanceType<typeof GenerationArgs>;

@InputType()
export class CreateGenerationInput {
  @Field(() => String, { nullable: true, description: 'An artist, a style or a genre, by name, slug or id.' })
  label?: string | null;

  @Field(() => ConditionsInput, { nullable: true })
  conditions?: ConditionsInput | null;

  @Field(() => [MixInput], { nullable: true })
  mix?: MixInput[] | null;

  @Field(() => Int, { description: '1..100,000' })
  n!: number;

  @Field(() => SeedScalar, {
    nullable: true,
    description: 'Of the first picture; the others follow. Drawn unless told.',
  })
  seed?: number | null;

  @Field(() => Float, { defaultValue: 1, description: '0..1: nearer to 0 is nearer to the average picture.' })
  truncation!: number;

  @Field(() => ID, { nullable: true, description: 'The default model unless told.' })
  model?: string | null;

  @Field(() => String, { nullable: true, description: 'For you to know it by.' })
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Such as a UUID. The same key with the same request is the same job, for as long as that is there.',
  })
  idempotencyKey?: string | null;
}

@InputType()
export class GenerationInput {
  @Field(() => ID)
  generation!: string;
}

@ObjectType()
export class GenerationPayload {
  @Field(() => Generation, { nullable: true, name: 'generation' })
  result!: unknown;

  @Field(() => [UserError])
  userErrors!: UserError[];
}

@ObjectType()
export class DeleteGenerationPayload {
  @Field(() => ID, { nullable: true, name: 'deletedId' })
  result!: string | null;

  @Field(() => [UserError])
  userErrors!: UserError[];
}

@ObjectType({ description: 'How far a job is.' })
export class GenerationProgress extends TopicEvent {
  @Field(() => GenerationStatusEnum)
  status!: Status;

  @Field(() => Int, { description: 'Pictures asked for.' })
  n!: number;

  @Field(() => Int, { description: 'Pictures that are there.' })
  done!: number;

  @Field(() => String, { nullable: true })
  error!: string | null;
}
