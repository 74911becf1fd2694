/** What the streams beside a run's own tell. */
import { Field, Int, ObjectType } from 'type-graphql';
import { ImportStatusEnum, TrainingStatusEnum } from '../enums.ts';
import { DateTimeScalar } from '../scalars.ts';

@ObjectType()
export abstract class TopicEvent {
  @Field(() => Int, { description: 'Grows by one per stream: ask for what came `after` the last one seen.' })
  seq!: number;

  @Field(() => DateTimeScalar)
  at!: Date;
}

@ObjectType({ description: 'A picture went into the gallery.' })
export class GeneratedImageAdded extends TopicEvent {}

@ObjectType({ description: 'A run began, ended, was paused, or went back into the queue.' })
export class TrainingRunChanged extends TopicEvent {
  @Field(() => TrainingStatusEnum)
  status!: keyof typeof TrainingStatusEnum;

  @Field(() => String, { nullable: true })
  reason!: string | null;
}

@ObjectType({ description: 'How far an import is.' })
export class DatasetImportProgress extends TopicEvent {
  @Field(() => ImportStatusEnum)
  status!: keyof typeof ImportStatusEnum;

  @Field(() => Int, { description: 'Files to look at.' })
  total!: number;

  @Field(() => Int, { description: 'Files looked at.' })
  processed!: number;

  @Field(() => Int, { description: 'Files passed over.' })
  skipped!: number;

  @Field(() => String, { nullable: true })
  error!: string | null;
}
