/** The schema, built once from the resolvers. */
import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchema, type PubSub } from 'type-graphql';
import { AnimationResolver } from './animations.ts';
import { ApiKeyResolver } from './api-keys.ts';
import { ArtworkResolver } from './artworks.ts';
import { ClassificationResolver, KindClassificationResolver, LabelProbabilityResolver } from './classification.ts';
import { CollectionResolver } from './collections.ts';
import { DatasetImportResolver, DatasetResolver } from './datasets.ts';
import { FacetsResolver } from './facets.ts';
import { GalleryConnectionResolver, GalleryResolver, KeptImageResolver } from './gallery.ts';
import { GenerationProgressResolver, GenerationResolver } from './generations.ts';
import { ImageGridResolver } from './grids.ts';
import { guardFields } from './guard.ts';
import { GeneratedImageResolver, ImageQueries, MixPartResolver } from './images.ts';
import { LabelQueries, LabelResolver } from './labels.ts';
import { CheckpointResolver, ModelExportResolver, ModelResolver } from './models.ts';
import { NodeQueries } from './node.ts';
import { SimpleUserError } from './payload.ts';
import { ArtworkPlaceholderResolver, PlaceholderResolver } from './placeholders.ts';
import { PresetQueries } from './presets.ts';
import { TrainingEventResolver, TrainingSampleResolver, TrainingSubscriptions } from './run-events.ts';
import { TrainingRunResolver } from './runs.ts';
import { ContactSheetResolver, PageSheetResolver } from './sheets.ts';
import { DatasetImportProgressResolver, GeneratedImageAddedResolver, TrainingRunChangedResolver } from './topics.ts';
import { Artist, Genre, Style } from './types/labels.ts';
import { TrainingMeasures } from './types/measures.ts';
import { TrainingMetrics, TrainingSample, TrainingStateChanged } from './types/run-events.ts';
import { UploadResolver } from './uploads.ts';

const resolvers = [
  AnimationResolver,
  ApiKeyResolver,
  ArtworkPlaceholderResolver,
  ArtworkResolver,
  CheckpointResolver,
  ClassificationResolver,
  CollectionResolver,
  ContactSheetResolver,
  DatasetImportProgressResolver,
  DatasetImportResolver,
  DatasetResolver,
  FacetsResolver,
  GalleryConnectionResolver,
  GalleryResolver,
  GeneratedImageAddedResolver,
  GeneratedImageResolver,
  GenerationProgressResolver,
  GenerationResolver,
  ImageGridResolver,
  ImageQueries,
  KindClassificationResolver,
  KeptImageResolver,
  LabelProbabilityResolver,
  LabelQueries,
  LabelResolver,
  MixPartResolver,
  ModelExportResolver,
  ModelResolver,
  NodeQueries,
  PageSheetResolver,
  PlaceholderResolver,
  PresetQueries,
  TrainingEventResolver,
  TrainingRunChangedResolver,
  TrainingRunResolver,
  TrainingSampleResolver,
  TrainingSubscriptions,
  UploadResolver,
] as const;

/** type-graphql wants one; streams are our own iterators, because its topics lose events and mix up subscribers. */
const noPubSub: PubSub = {
  publish: () => {
    throw new Error('Streams do not go through type-graphql topics');
  },
  subscribe: () => {
    throw new Error('Streams do not go through type-graphql topics');
  },
};

export async function makeSchema(): Promise<GraphQLSchema> {
  const schema = await buildSchema({
    resolvers,
    // Types that only ever stand behind an interface.
    orphanedTypes: [
      Artist,
      Style,
      Genre,
      SimpleUserError,
      TrainingMeasures,
      TrainingMetrics,
      TrainingSample,
      TrainingStateChanged,
    ],
    // Inputs are checked by the services, for every way in.
    validate: false,
    pubSub: noPubSub,
  });
  return guardFields(schema);
}
