/** Training runs, without their relations. */
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { RunStatus } from '../../core/run-state.ts';
import { runOrders } from '../../store/runs.ts';
import { connectionType } from '../connection.ts';
import { TrainingStatusEnum } from '../enums.ts';
import { Node } from '../interfaces.ts';
import { listArgs, orderInput } from '../list-args.ts';
import { UserError } from '../payload.ts';
import { DateTimeScalar, JsonScalar, SeedScalar } from '../scalars.ts';

@ObjectType({ implements: Node })
export class TrainingRun extends Node {
  @Field(() => String)
  name!: string;

  @Field(() => TrainingStatusEnum)
  status!: string;

  @Field(() => String)
  preset!: string;

  @Field(() => JsonScalar, { description: 'The preset with all changes: everything that decides how it trains.' })
  config!: unknown;

  @Field(() => Int)
  resolution!: number;

  @Field(() => SeedScalar)
  seed!: number;

  @Field(() => Int)
  step!: number;

  @Field(() => Int)
  totalSteps!: number;

  @Field(() => Float, { nullable: true })
  imagesPerSecond!: number | null;

  @Field(() => Float, { nullable: true })
  etaSeconds!: number | null;

  @Field(() => String, { nullable: true, description: 'e.g. "GPU: NVIDIA H100", "CPU"' })
  device!: string | null;

  @Field(() => String, { nullable: true })
  error!: string | null;

  @Field(() => DateTimeScalar)
  createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true })
  startedAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true })
  finishedAt!: Date | null;
}

export const TrainingRunConnection = connectionType('TrainingRun', () => TrainingRun);

@InputType({ description: 'Entries for which all of this holds.' })
export class TrainingRunWhere {
  @Field(() => String, { nullable: true, description: 'Contained, in upper or lower case.' })
  name?: string | null;

  @Field(() => [TrainingStatusEnum], { nullable: true, description: 'Any of these.' })
  status?: RunStatus[] | null;

  @Field(() => String, { nullable: true, description: 'By slug or id.' })
  dataset?: string | null;

  @Field(() => String, { nullable: true })
  preset?: string | null;
}

export const TrainingRunArgs = listArgs(TrainingRunWhere, orderInput('TrainingRun', runOrders));
export type TrainingRunArgs = InstanceType<typeof TrainingRunArgs>;

@InputType()
export class StartTrainingInput {
  @Field(() => String, { description: 'Slug, name or id.' })
  dataset!: string;

  @Field(() => String, { nullable: true })
  name?: string | null;

  @Field(() => String, { defaultValue: 'studio' })
  preset!: string;

  @Field(() => Int)
  steps!: number;

  @Field(() => Int, { defaultValue: 64, description: 'Side of the pictures in pixels.' })
  resolution!: number;

  @Field(() => Int, { nullable: true })
  batchSize?: number | null;

  @Field(() => SeedScalar, { nullable: true })
  seed?: number | null;

  @Field(() => JsonScalar, {
    nullable: true,
    description: 'Fields of the preset to change, by name: see Query.presets.',
  })
  config?: unknown;
}

@InputType()
export class TrainingRunInput {
  @Field(() => ID)
  run!: string;
}

@ObjectType()
export class TrainingRunPayload {
  @Field(() => TrainingRun, { nullable: true, name: 'run' })
  result!: unknown;

  @Field(() => [UserError])
  userErrors!: UserError[];
}
