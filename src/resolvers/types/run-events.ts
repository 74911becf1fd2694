/** The entries of a run's log, without their relations. */
import { Field, Float, InputType, Int, ObjectType } from 'type-graphql';
import { sampleOrders } from '../../store/run-log.ts';
import { connectionType } from '../connection.ts';
import { TrainingStatusEnum } from '../enums.ts';
import { Node, TrainingEvent } from '../interfaces.ts';
import { listArgs, orderInput } from '../list-args.ts';

@ObjectType({ implements: TrainingEvent })
export class TrainingMetrics extends TrainingEvent {
  @Field(() => Int)
  step!: number;

  @Field(() => Float)
  dLoss!: number;

  @Field(() => Float)
  gLoss!: number;

  @Field(() => Float, { nullable: true })
  l2Loss!: number | null;

  @Field(() => Float, { nullable: true, description: 'Share of the labels of real images that D names.' })
  realAccuracy!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of the labels asked for that D names for generated images.',
  })
  fakeAccuracy!: number | null;

  @Field(() => Float)
  imagesPerSecond!: number;

  @Field(() => Float, { nullable: true })
  etaSeconds!: number | null;
}

@ObjectType({
  implements: [TrainingEvent, Node],
  description: 'A grid drawn from the same latents at every sample step of a run.',
})
export class TrainingSample extends TrainingEvent {
  @Field(() => Int)
  step!: number;

  @Field(() => Int)
  columns!: number;

  @Field(() => Int)
  rows!: number;

  @Field(() => [String], { description: 'What each column was asked for.' })
  labels!: string[];
}

@ObjectType({ implements: TrainingEvent })
export class TrainingStateChanged extends TrainingEvent {
  @Field(() => TrainingStatusEnum)
  status!: string;

  @Field(() => String, { nullable: true })
  reason!: string | null;
}

export const TrainingSampleConnection = connectionType('TrainingSample', () => TrainingSample);

@InputType({ description: 'Entries for which all of this holds.' })
export class TrainingSampleWhere {
  @Field(() => Int, { nullable: true, description: 'At this step or later.' })
  stepFrom?: number | null;

  @Field(() => Int, { nullable: true, description: 'At this step or earlier.' })
  stepTo?: number | null;
}

export const TrainingSampleArgs = listArgs(TrainingSampleWhere, orderInput('TrainingSample', sampleOrders));
export type TrainingSampleArgs = InstanceType<typeof TrainingSampleArgs>;
