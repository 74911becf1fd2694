/** The entries of a run's log as the types that clients see, and the subscription that follows it. */
import { Arg, Ctx, FieldResolver, ID, Int, Resolver, Root, Subscription } from 'type-graphql';
import { unreachable } from '../core/errors.ts';
import type { RunEvent } from '../core/events.ts';
import { encodeGlobalId } from '../core/global-id.ts';
import type { StreamPlace } from '../services/stream-place.ts';
import type { Context } from './context.ts';
import { type ImageFormat, ImageFormatEnum } from './enums.ts';
import { type Tagged, TrainingEvent, tagged } from './interfaces.ts';
import { UrlScalar } from './scalars.ts';
import { TrainingSample } from './types/run-events.ts';
import { TrainingRun } from './types/runs.ts';
import { pictureUrl } from './urls.ts';

/** An event of the log, flat, with the name of its type. */
export type EventSource = ReturnType<typeof eventOf>;

export function eventOf({ runId, seq, at, body }: RunEvent): Tagged & { runId: string; seq: number; at: Date } {
  const common = { runId, seq, at };
  switch (body.type) {
    case 'metrics':
      return tagged('TrainingMetrics', { ...body, ...common });
    case 'sample':
      return tagged('TrainingSample', { ...body, ...common });
    case 'measures':
      return tagged('TrainingMeasures', { ...body, ...common });
    case 'state':
      return tagged('TrainingStateChanged', { ...body, ...common });
    default:
      return unreachable(body);
  }
}

@Resolver(() => TrainingEvent)
export class TrainingEventResolver {
  @FieldResolver(() => TrainingRun)
  run(@Root() { runId }: EventSource, @Ctx() { load }: Context) {
    return load.run.load(runId);
  }
}

@Resolver(() => TrainingSample)
export class TrainingSampleResolver {
  @FieldResolver(() => ID)
  id(@Root() { id }: { id: string }) {
    return encodeGlobalId('TrainingSample', id);
  }

  @FieldResolver(() => UrlScalar)
  url(
    @Root() { id }: { id: string },
    @Arg('format', () => ImageFormatEnum, { nullable: true }) format: ImageFormat | null | undefined,
    @Ctx() context: Context,
  ) {
    return pictureUrl(context, ['samples', id], { format });
  }
}

@Resolver()
export class TrainingSubscriptions {
  @Subscription(() => TrainingEvent, {
    description:
      "Replays what came after seq `after` (0: from the start), then follows live; completes after the run's last event.",
    subscribe: ({ args, context }: { args: StreamPlace & { run: string }; context: Context }) =>
      context.training.follow(args.run, args),
  })
  trainingProgress(
    @Root() event: RunEvent,
    // type-graphql prints arguments from the last to the first.
    @Arg('minIntervalMs', () => Int, {
      nullable: true,
      description: 'Metrics come at most this often; samples, measures and states always.',
    })
    _minIntervalMs: number | null | undefined,
    @Arg('after', () => Int, { nullable: true }) _after: number | null | undefined,
    @Arg('run', () => ID) _run: string,
  ) {
    return eventOf(event);
  }
}
