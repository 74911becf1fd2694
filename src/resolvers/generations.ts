/** Jobs that paint many pictures: made, watched, cancelled, and taken home as a ZIP. */
import type { GraphQLResolveInfo } from 'graphql';
import {
  Arg,
  Args,
  Ctx,
  FieldResolver,
  Float,
  ID,
  Info,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { mayUse, viewerId } from '../core/access.ts';
import { encodeGlobalId } from '../core/global-id.ts';
import {
  type CursorArgument,
  decodeCursor,
  encodeCursor,
  foreignCursor,
  type Page,
  type PageRequest,
  windowOf,
} from '../core/paging.ts';
import type { GenerationProgress as Progress, TopicEntry } from '../core/topics.ts';
import type { Picture } from '../services/generation.ts';
import type { StreamPlace } from '../services/stream-place.ts';
import type { GenerationRow } from '../store/generation-tables.ts';
import { generationList } from '../store/generations.ts';
import { connectionOf, PageArgs, pageRequest, same, toConnection } from './connection.ts';
import type { Context } from './context.ts';
import { asPayload, type Payload } from './payload.ts';
import { Policy, STATEMENT_COST } from './policy.ts';
import { UrlScalar } from './scalars.ts';
import { GeneratedImageConnection } from './types/gallery.ts';
import {
  CreateGenerationInput,
  DeleteGenerationPayload,
  Generation,
  GenerationArgs,
  GenerationConnection,
  GenerationInput,
  GenerationPayload,
  GenerationProgress,
} from './types/generations.ts';
import { MixPart } from './types/images.ts';
import { Model } from './types/models.ts';
import { fileUrl } from './urls.ts';

/** Of a row's write, and of a look at the disk; the pictures wait their turn elsewhere. */
const JOB_COST = 200;
const FEW_PARTS = 4;
const IMAGES = 'generation.images';

@Resolver(() => Generation)
export class GenerationResolver {
  @Query(() => GenerationConnection, { description: 'Your jobs, the newest first; all there are for an admin.' })
  @Policy({ scope: 'generate' })
  generations(@Args(() => GenerationArgs) { where, orderBy, ...args }: GenerationArgs, @Ctx() context: Context) {
    const owner = mayUse(context.viewer, 'admin') ? null : viewerId(context.viewer);
    return connectionOf(context, { list: generationList({ ...where, owner }, orderBy), args, nodeOf: same });
  }

  @Query(() => Generation, { nullable: true })
  @Policy({ scope: 'generate', cost: STATEMENT_COST })
  generation(@Arg('id', () => ID) id: string, @Ctx() { jobs, viewer }: Context) {
    return jobs.find(id, viewer, ['id']);
  }

  @Mutation(() => GenerationPayload, {
    description: 'Queues up to 100,000 pictures. They are painted beside other requests, also after a restart.',
  })
  @Policy({ scope: 'generate', cost: JOB_COST })
  createGeneration(
    @Arg('input', () => CreateGenerationInput) input: CreateGenerationInput,
    @Ctx() { jobs, viewer, wishId }: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Payload<GenerationRow>> {
    return asPayload(() => jobs.create({ ...input, id: wishId(info) }, viewer));
  }

  @Mutation(() => GenerationPayload, { description: 'No more pictures are painted; those that are there stay.' })
  @Policy({ scope: 'generate', cost: JOB_COST })
  cancelGeneration(
    @Arg('input', () => GenerationInput) { generation }: GenerationInput,
    @Ctx() { jobs, viewer }: Context,
  ): Promise<Payload<GenerationRow>> {
    return asPayload(() => jobs.cancel(generation, viewer));
  }

  @Mutation(() => DeleteGenerationPayload, { description: 'Deletes a job that is over, with its pictures.' })
  @Policy({ scope: 'generate', cost: JOB_COST })
  deleteGeneration(
    @Arg('input', () => GenerationInput) { generation }: GenerationInput,
    @Ctx() { jobs, viewer }: Context,
  ): Promise<Payload<string>> {
    return asPayload(async () => encodeGlobalId('Generation', (await jobs.delete(generation, viewer)).id));
  }

  @FieldResolver(() => ID)
  id(@Root() { id }: GenerationRow) {
    return encodeGlobalId('Generation', id);
  }

  @FieldResolver(() => Model)
  model(@Root() { modelId }: GenerationRow, @Ctx() { load }: Context) {
    return load.model.load(modelId);
  }

  @FieldResolver(() => [MixPart], { description: 'What all pictures are asked for.' })
  @Policy({ size: FEW_PARTS })
  mix(@Root() { mix }: GenerationRow) {
    return mix;
  }

  @FieldResolver(() => Float, { description: '0..1' })
  progress(@Root() { done, n }: GenerationRow) {
    return done / n;
  }

  @FieldResolver(() => Float, { nullable: true, description: 'By the pace of late.' })
  etaSeconds(@Root() { done, n, picturesPerSecond, status }: GenerationRow) {
    return status === 'RUNNING' && picturesPerSecond !== null && picturesPerSecond > 0
      ? (n - done) / picturesPerSecond
      : null;
  }

  @FieldResolver(() => Int, { nullable: true, description: 'Whose turn is next: 1; null for a job that is over.' })
  queuePosition(@Root() { id }: GenerationRow, @Ctx() { load }: Context) {
    return load.generationPlace.load(id);
  }

  @FieldResolver(() => GeneratedImageConnection, { description: 'The pictures that are there, in their order.' })
  async images(@Root() job: GenerationRow, @Args(() => PageArgs) args: PageArgs, @Ctx() { jobs }: Context) {
    const page = await imagesOf(job, pageRequest(args), (from, to) => jobs.pictures(job, from, to));
    return toConnection(
      () => Promise.resolve(page),
      () => Promise.resolve(job.done),
    );
  }

  @FieldResolver(() => UrlScalar, {
    description:
      'A ZIP of the pictures that are there when it is opened, with job.json and manifest.jsonl: file, seed, SHA-256 and id of each.',
  })
  zipUrl(@Root() { id }: GenerationRow, @Ctx() context: Context) {
    return fileUrl(context, `/generations/${id}.zip`);
  }
}

interface Subscribed {
  readonly args: StreamPlace & { readonly generation: string };
  readonly context: Context;
}

@Resolver(() => GenerationProgress)
export class GenerationProgressResolver {
  @FieldResolver(() => Generation, { nullable: true, description: 'Null once it is deleted.' })
  generation(@Root() { generationId }: Progress, @Ctx() { load }: Context) {
    return load.generation.load(generationId);
  }

  @Subscription(() => GenerationProgress, {
    description: 'Replays what a job has told after seq `after`, then follows it to its end.',
    subscribe: ({ args, context }: Subscribed) => context.jobs.progress(args.generation, context.viewer, args),
  })
  @Policy({ scope: 'generate' })
  generationProgress(
    @Root() { seq, at, body }: TopicEntry<Progress>,
    // type-graphql prints arguments from the last to the first.
    @Arg('minIntervalMs', () => Int, { nullable: true }) _minIntervalMs: number | null | undefined,
    @Arg('after', () => Int, { nullable: true }) _after: number | null | undefined,
    @Arg('generation', () => ID) _generation: string,
  ) {
    return { ...body, status: body.generationStatus, seq, at };
  }
}

/** A cursor is the picture's number. */
async function imagesOf(
  { done }: GenerationRow,
  request: PageRequest,
  read: (from: number, to: number) => Promise<Picture[]>,
): Promise<Page<Picture>> {
  const { size, after, before, backward } = windowOf(request);
  const numberIn = (cursor: string, argument: CursorArgument) => {
    const [number] = decodeCursor(cursor, { order: IMAGES, count: 1, argument });
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
    throw foreignCursor(argument);
  };
  const low = after === undefined ? 0 : numberIn(after, 'after') + 1;
  const high = before === undefined ? done : Math.min(done, numberIn(before, 'before'));
  const from = Math.max(0, backward ? Math.max(low, high - size) : low);
  const to = Math.max(from, backward ? high : Math.min(high, low + size));
  const rows = await read(from, to);
  return {
    rows,
    cursors: rows.map((_row, i) => encodeCursor(IMAGES, [from + i])),
    hasNextPage: () => Promise.resolve(to < done),
    hasPreviousPage: () => Promise.resolve(from > 0 && done > 0),
  };
}
