/** Training runs: their state, their verbs, and what they have left behind. */
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Float, ID, Info, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId, localId } from '../core/global-id.ts';
import { trainConfig } from '../core/presets.ts';
import { availableActions } from '../core/run-state.ts';
import { samplesOfRuns, eventOf as storedEvent } from '../store/run-log.ts';
import { runList } from '../store/runs.ts';
import type { RunRow } from '../store/tables.ts';
import { connectionOf, nestedConnectionOf, same } from './connection.ts';
import type { Context } from './context.ts';
import { runFilter } from './filters.ts';
import { asPayload, type Payload } from './payload.ts';
import { numberIn, Policy, STATEMENT_COST } from './policy.ts';
import { eventOf } from './run-events.ts';
import { Dataset } from './types/datasets.ts';
import { TrainingMeasures } from './types/measures.ts';
import { Checkpoint, Model } from './types/models.ts';
import { TrainingMetrics, TrainingSampleArgs, TrainingSampleConnection } from './types/run-events.ts';
import {
  StartTrainingInput,
  TrainingRun,
  TrainingRunArgs,
  TrainingRunConnection,
  TrainingRunInput,
  TrainingRunPayload,
} from './types/runs.ts';

const DEFAULT_POINTS = 500;
/** A run that is paused writes a checkpoint first. */
const MOVE_WAIT_MS = 30_000;
/** So many measures and checkpoints a run is taken to have. */
const MANY = 30;

@Resolver(() => TrainingRun)
export class TrainingRunResolver {
  @Query(() => TrainingRunConnection)
  trainingRuns(@Args(() => TrainingRunArgs) args: TrainingRunArgs, @Ctx() context: Context) {
    const list = runList(runFilter(args.where), args.orderBy);
    return connectionOf(context, { list, args, nodeOf: same });
  }

  @Query(() => TrainingRun, { nullable: true })
  trainingRun(@Arg('id', () => ID) id: string, @Ctx() { load }: Context) {
    return load.run.load(localId(id, 'TrainingRun'));
  }

  @Mutation(() => TrainingRunPayload)
  @Policy({ scope: 'train', cost: 100 })
  startTraining(
    @Arg('input', () => StartTrainingInput) input: StartTrainingInput,
    @Ctx() { training, wishId }: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Payload<RunRow>> {
    return asPayload(() => training.start({ ...input, id: wishId(info) }));
  }

  @Mutation(() => TrainingRunPayload)
  @Policy({ scope: 'train', cost: 100, waitMs: () => MOVE_WAIT_MS })
  pauseTraining(@Arg('input', () => TrainingRunInput) { run }: TrainingRunInput, @Ctx() { training }: Context) {
    return asPayload(() => training.pause(run));
  }

  @Mutation(() => TrainingRunPayload)
  @Policy({ scope: 'train', cost: 100 })
  resumeTraining(@Arg('input', () => TrainingRunInput) { run }: TrainingRunInput, @Ctx() { training }: Context) {
    return asPayload(() => training.resume(run));
  }

  @Mutation(() => TrainingRunPayload)
  @Policy({ scope: 'train', cost: 100, waitMs: () => MOVE_WAIT_MS })
  cancelTraining(@Arg('input', () => TrainingRunInput) { run }: TrainingRunInput, @Ctx() { training }: Context) {
    return asPayload(() => training.cancel(run));
  }

  @FieldResolver(() => ID)
  id(@Root() { id }: RunRow) {
    return encodeGlobalId('TrainingRun', id);
  }

  @FieldResolver(() => Dataset)
  dataset(@Root() { datasetId }: RunRow, @Ctx() { load }: Context) {
    return load.dataset.load(datasetId);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'SHA-256 of the packed file that it is trained on: the dataset may have been imported again since.',
  })
  datasetSha256(@Root() { id }: RunRow, @Ctx() { training }: Context) {
    return training.datasetSha256(id);
  }

  @FieldResolver(() => Int, { description: 'Pictures in one step.' })
  batchSize(@Root() { config }: RunRow) {
    return trainConfig.parse(config).batchSize;
  }

  @FieldResolver(() => Float, { description: '0..1' })
  progress(@Root() { step, totalSteps }: RunRow) {
    return step / totalSteps;
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description: 'Place in the queue, 1 is next; null for a run that does not wait.',
  })
  queuePosition(@Root() { id, status }: RunRow, @Ctx() { load }: Context) {
    if (status !== 'QUEUED') return null;
    // It may have been claimed since its row was read.
    return load.queuePlace.load(id).then((place) => place ?? 1);
  }

  @FieldResolver(() => [String], { description: 'What can be asked of it now: pause, resume, cancel.' })
  availableActions(@Root() { status }: RunRow) {
    return availableActions(status);
  }

  @FieldResolver(() => [TrainingMetrics], {
    description: 'At most maxPoints of its metrics; ends and extremes are kept.',
  })
  @Policy({ once: STATEMENT_COST, size: (args) => numberIn(args, 'maxPoints', DEFAULT_POINTS) })
  async metrics(
    @Root() { id }: RunRow,
    @Arg('maxPoints', () => Int, { nullable: true, defaultValue: DEFAULT_POINTS }) maxPoints: number | null,
    @Ctx() { load }: Context,
  ) {
    return (await load.metricsOfRun.load({ id, maxPoints: maxPoints ?? DEFAULT_POINTS })).map(eventOf);
  }

  @FieldResolver(() => [TrainingMeasures], {
    description: 'Its generator measured against the collection, oldest first: see evaluateEvery in its config.',
  })
  @Policy({ once: STATEMENT_COST, size: MANY })
  async measures(@Root() { id }: RunRow, @Ctx() { load }: Context) {
    return (await load.measuresOfRun.load(id)).map(eventOf);
  }

  @FieldResolver(() => TrainingSampleConnection)
  samples(@Root() { id }: RunRow, @Args(() => TrainingSampleArgs) args: TrainingSampleArgs, @Ctx() context: Context) {
    const list = samplesOfRuns(args.where ?? {}, args.orderBy);
    return nestedConnectionOf(context, { list, id, args, nodeOf: (row) => eventOf(storedEvent(row)) });
  }

  @FieldResolver(() => [Checkpoint])
  @Policy({ once: STATEMENT_COST, size: MANY })
  checkpoints(@Root() { id }: RunRow, @Ctx() { load }: Context) {
    return load.checkpointsOfRun.load(id);
  }

  @FieldResolver(() => Model, { nullable: true, description: 'What a completed run has learnt.' })
  model(@Root() { id }: RunRow, @Ctx() { load }: Context) {
    return load.modelOfRun.load(id);
  }
}
