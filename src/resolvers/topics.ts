/** Streams beside a run's own: pictures kept, runs changing, imports going on. */
import { Arg, Ctx, FieldResolver, ID, Int, Resolver, Root, Subscription } from 'type-graphql';
import { decodeRecipe } from '../core/recipe.ts';
import type { ImportProgress, KeptImage, RunChange, TopicEntry } from '../core/topics.ts';
import { pictureOf as recipePicture } from '../services/generation.ts';
import type { StreamPlace } from '../services/stream-place.ts';
import type { Context } from './context.ts';
import { pictureOf } from './images.ts';
import { Dataset } from './types/datasets.ts';
import { GeneratedImage } from './types/images.ts';
import { TrainingRun } from './types/runs.ts';
import { DatasetImportProgress, GeneratedImageAdded, TrainingRunChanged } from './types/topics.ts';

interface Subscribed<Args> {
  readonly args: Args;
  readonly context: Context;
}

/** An entry of a topic, flat. */
const flat = <Body extends object>({ seq, at, body }: { seq: number; at: Date; body: Body }) => ({ ...body, seq, at });

@Resolver(() => GeneratedImageAdded)
export class GeneratedImageAddedResolver {
  @FieldResolver(() => GeneratedImage, {
    description: 'Its keptAt is null where it was deleted meanwhile: its recipe is known all the same.',
  })
  async image(@Root() { imageId }: KeptImage, @Ctx() { load }: Context) {
    const row = await load.keptImage.load(imageId);
    if (row !== undefined) return pictureOf(row);
    const recipe = decodeRecipe(imageId);
    const model = recipe === undefined ? undefined : await load.model.load(recipe.modelId);
    if (recipe === undefined || model === undefined) throw new Error(`The log tells of no picture: ${imageId}`);
    return recipePicture(recipe, model);
  }

  @Subscription(() => GeneratedImageAdded, {
    description: 'Pictures as they go into the gallery: from now on, or what came after seq `after`. Does not end.',
    subscribe: ({ args, context }: Subscribed<StreamPlace>) => context.topics.keptImages(args),
  })
  generatedImageAdded(
    @Root() entry: TopicEntry<KeptImage>,
    @Arg('after', () => Int, { nullable: true }) _after: number | null | undefined,
  ) {
    return flat(entry);
  }
}

@Resolver(() => TrainingRunChanged)
export class TrainingRunChangedResolver {
  @FieldResolver(() => TrainingRun)
  run(@Root() { runId }: RunChange, @Ctx() { load }: Context) {
    return load.run.load(runId);
  }

  @Subscription(() => TrainingRunChanged, {
    description: 'Every change of state of any run: from now on, or what came after seq `after`. Does not end.',
    subscribe: ({ args, context }: Subscribed<StreamPlace>) => context.topics.runChanges(args),
  })
  trainingRunChanged(
    @Root() entry: TopicEntry<RunChange>,
    @Arg('after', () => Int, { nullable: true }) _after: number | null | undefined,
  ) {
    return flat(entry);
  }
}

@Resolver(() => DatasetImportProgress)
export class DatasetImportProgressResolver {
  @FieldResolver(() => Dataset, { nullable: true, description: 'Null where a failed import has left nothing behind.' })
  dataset(@Root() { datasetId }: ImportProgress, @Ctx() { load }: Context) {
    return load.dataset.load(datasetId);
  }

  @Subscription(() => DatasetImportProgress, {
    description: 'Replays what the newest import of a dataset has told after seq `after`, then follows it to its end.',
    subscribe: ({ args, context }: Subscribed<StreamPlace & { dataset: string }>) =>
      context.topics.importProgress(args.dataset, args),
  })
  datasetImportProgress(
    @Root() entry: TopicEntry<ImportProgress>,
    // type-graphql prints arguments from the last to the first.
    @Arg('minIntervalMs', () => Int, { nullable: true }) _minIntervalMs: number | null | undefined,
    @Arg('after', () => Int, { nullable: true }) _after: number | null | undefined,
    @Arg('dataset', () => ID, { description: 'Its slug, id or name.' }) _dataset: string,
  ) {
    return { ...flat(entry), status: entry.body.importStatus };
  }
}
