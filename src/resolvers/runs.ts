/** Training runs: their state, their verbs, and what they have left behind. */
import { Arg, Args, Ctx, FieldResolver, Float, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId, localId } from '../core/global-id.ts';
import { trainConfig } from '../core/presets.ts';
import { availableActions } from '../core/run-state.ts';
import { samplePage } from '../store/run-log.ts';
import { runCount, runPage } from '../store/runs.ts';
import type { RunRow } from '../store/tables.ts';
import { PageArgs, pageRequest, toConnection } from './connection.ts';
import type { Context } from './context.ts';
import { asPayload, type Payload } from './payload.ts';
import { eventOf } from './run-events.ts';
import { Dataset } from './types/datasets.ts';
import { TrainingMeasures } from './types/measures.ts';
import { Checkpoint, Model } from './types/models.ts';
import { TrainingMetrics, TrainingSampleConnection } from './types/run-events.ts';
import {
  StartTrainingInput,
  TrainingRun,
  TrainingRunConnection,
  TrainingRunInput,
  TrainingRunPayload,
} from './types/runs.ts';

const DEFAULT_POINTS = 500;

@Resolver(() => TrainingRun)
export class TrainingRunResolver {
  @Query(() => TrainingRunConnection)
  async trainingRuns(@Args(() => PageArgs) args: PageArgs, @Ctx() { db }: Context) {
    return toConnection(await runPage(db, pageRequest(args)), () => runCount(db));
  }

  @Query(() => TrainingRun, { nullable: true })
  trainingRun(@Arg('id', () => ID) id: string, @Ctx() { load }: Context) {
    return load.run.load(localId(id, 'TrainingRun'));
  }

  @Mutation(() => TrainingRunPayload)
  startTraining(
    @Arg('input', () => StartTrainingInput) input: StartTrainingInput,
    @Ctx() { training }: Context,
  ): Promise<Payload<RunRow>> {
    return asPayload(() => training.start(input));
  }

  @Mutation(() => TrainingRunPayload)
  pauseTraining(@Arg('input', () => TrainingRunInput) { run }: TrainingRunInput, @Ctx() { training }: Context) {
    return asPayload(() => training.pause(run));
  }

  @Mutation(() => TrainingRunPayload)
  resumeTraining(@Arg('input', () => TrainingRunInput) { run }: TrainingRunInput, @Ctx() { training }: Context) {
    return asPayload(() => training.resume(run));
  }

  @Mutation(() => TrainingRunPayload)
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
  async measures(@Root() { id }: RunRow, @Ctx() { load }: Context) {
    return (await load.measuresOfRun.load(id)).map(eventOf);
  }

  @FieldResolver(() => TrainingSampleConnection)
  async samples(@Root() { id }: RunRow, @Args(() => PageArgs) args: PageArgs, @Ctx() { db, load }: Context) {
    const page = pageRequest(args);
    const found =
      page.after === undefined
        ? await load.samplePageOfRun.load({ kind: 'sample', id, first: page.first })
        : await samplePage(db, id, page);
    return toConnection({ ...found, rows: found.rows.map(eventOf) }, () => load.samplesOfRun.load(id));
  }

  @FieldResolver(() => [Checkpoint])
  checkpoints(@Root() { id }: RunRow, @Ctx() { load }: Context) {
    return load.checkpointsOfRun.load(id);
  }

  @FieldResolver(() => Model, { nullable: true, description: 'What a completed run has learnt.' })
  model(@Root() { id }: RunRow, @Ctx() { load }: Context) {
    return load.modelOfRun.load(id);
  }
}
