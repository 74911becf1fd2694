/** Generators that can be asked for pictures. */
import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId } from '../core/global-id.ts';
import { LABEL_KINDS } from '../core/labels.ts';
import type { ModelExport as ModelExportFiles } from '../services/exports.ts';
import { labelKey } from '../store/labels.ts';
import { modelList } from '../store/models.ts';
import type { CheckpointRow, ModelRow } from '../store/tables.ts';
import { connectionOf, same } from './connection.ts';
import type { Context } from './context.ts';
import { modelFilter } from './filters.ts';
import { Label, labelTypeName, tagged } from './interfaces.ts';
import { asPayload, type Payload } from './payload.ts';
import { COUNT_COST, Policy, STATEMENT_COST } from './policy.ts';
import { UrlScalar } from './scalars.ts';
import {
  Checkpoint,
  CreateModelInput,
  DeleteModelInput,
  ExportModelInput,
  ExportModelPayload,
  ImportModelInput,
  Model,
  ModelArgs,
  ModelConnection,
  ModelExport,
  ModelPayload,
  ModelProvenance,
  SetDefaultModelInput,
  SetDefaultModelPayload,
} from './types/models.ts';
import { TrainingRun } from './types/runs.ts';
import { exportUrl } from './urls.ts';

/** Weights are read, checked and written. */
const FILES_WAIT_MS = 240_000;
/** So many labels a model is taken to know. */
const MANY_LABELS = 60;

@Resolver(() => Checkpoint)
export class CheckpointResolver {
  @FieldResolver(() => ID)
  id(@Root() { id }: CheckpointRow) {
    return encodeGlobalId('Checkpoint', id);
  }

  @FieldResolver(() => TrainingRun)
  run(@Root() { runId }: CheckpointRow, @Ctx() { load }: Context) {
    return load.run.load(runId);
  }

  @FieldResolver(() => Model, { nullable: true, description: 'What was made of it, by its run or by createModel.' })
  model(@Root() { id }: CheckpointRow, @Ctx() { load }: Context) {
    return load.modelOfCheckpoint.load(id);
  }

  @FieldResolver(() => Boolean, { description: 'Whether its files are there, for createModel.' })
  isKept(@Root() { dir }: CheckpointRow) {
    return dir !== null;
  }
}

@Resolver(() => ModelExport)
export class ModelExportResolver {
  @FieldResolver(() => UrlScalar, { description: 'Of the file that a program opens, e.g. `tf.loadGraphModel(url)`.' })
  url(@Root() { model, format, files }: ModelExportFiles, @Ctx() context: Context) {
    return exportUrl(context, { model: model.id, format, file: files[0]?.name ?? '' });
  }
}

@Resolver(() => Model)
export class ModelResolver {
  @Query(() => ModelConnection)
  models(@Args(() => ModelArgs) args: ModelArgs, @Ctx() context: Context) {
    const list = modelList(modelFilter(args.where), args.orderBy);
    return connectionOf(context, { list, args, nodeOf: same });
  }

  @Mutation(() => SetDefaultModelPayload, { description: 'Makes a model the one that answers when none is named.' })
  @Policy({ scope: 'train', cost: 100 })
  setDefaultModel(
    @Arg('input', () => SetDefaultModelInput) { model }: SetDefaultModelInput,
    @Ctx() { models }: Context,
  ): Promise<Payload<ModelRow>> {
    return asPayload(() => models.setDefault(model));
  }

  @Mutation(() => ExportModelPayload, {
    description: 'Writes a model for others to run, and says where its files are.',
  })
  @Policy({ scope: 'train', cost: 2_000, waitMs: () => FILES_WAIT_MS })
  exportModel(
    @Arg('input', () => ExportModelInput) { model, format }: ExportModelInput,
    @Ctx() { exports }: Context,
  ): Promise<Payload<ModelExportFiles>> {
    return asPayload(() => exports.export(model, format));
  }

  @Mutation(() => ModelPayload, { description: 'Takes in a model, or a checkpoint, of another server.' })
  @Policy({ scope: 'train', cost: 2_000, waitMs: () => FILES_WAIT_MS })
  importModel(
    @Arg('input', () => ImportModelInput) input: ImportModelInput,
    @Ctx() { modelImports }: Context,
  ): Promise<Payload<ModelRow>> {
    return asPayload(() => modelImports.import(input));
  }

  @Mutation(() => ModelPayload, { description: 'Makes a model of a checkpoint, e.g. of the one with the lowest KID.' })
  @Policy({ scope: 'train', cost: 2_000, waitMs: () => FILES_WAIT_MS })
  createModel(
    @Arg('input', () => CreateModelInput) input: CreateModelInput,
    @Ctx() { modelImports }: Context,
  ): Promise<Payload<ModelRow>> {
    return asPayload(() => modelImports.create(input));
  }

  @Mutation(() => ModelPayload, {
    description: 'Deletes the files of a model that is neither the default nor in use. What is known of it stays.',
  })
  @Policy({ scope: 'train', cost: 500 })
  deleteModel(
    @Arg('input', () => DeleteModelInput) input: DeleteModelInput,
    @Ctx() { modelDeletion }: Context,
  ): Promise<Payload<ModelRow>> {
    return asPayload(() => modelDeletion.delete(input));
  }

  @FieldResolver(() => ID)
  id(@Root() { id }: ModelRow) {
    return encodeGlobalId('Model', id);
  }

  @FieldResolver(() => TrainingRun, { nullable: true, description: 'Null for the model that ships.' })
  run(@Root() { runId }: ModelRow, @Ctx() { load }: Context) {
    return runId === null ? null : load.run.load(runId);
  }

  @FieldResolver(() => Checkpoint, { nullable: true })
  checkpoint(@Root() { checkpointId }: ModelRow, @Ctx() { load }: Context) {
    return checkpointId === null ? null : load.checkpoint.load(checkpointId);
  }

  @FieldResolver(() => ModelProvenance)
  provenance(@Root() model: ModelRow, @Ctx() { models }: Context) {
    const { provenance, config } = models.cardOf(model);
    return { ...provenance, preset: config.preset };
  }

  @FieldResolver(() => Boolean, {
    description: 'Whether it can classify and reconstruct: models of older versions cannot.',
  })
  hasDiscriminator(@Root() model: ModelRow, @Ctx() { models }: Context) {
    return models.cardOf(model).discriminator !== undefined;
  }

  @FieldResolver(() => Int, { description: 'Kept pictures that it has painted.' })
  @Policy({ once: COUNT_COST })
  imageCount(@Root() { id }: ModelRow, @Ctx() { load }: Context) {
    return load.imagesOfModel.load(id);
  }

  @FieldResolver(() => [Label], { description: 'Everything that it can be asked for: artists, styles, genres.' })
  @Policy({ once: STATEMENT_COST, size: MANY_LABELS })
  async labels(@Root() model: ModelRow, @Ctx() { load, models }: Context) {
    const { labels } = models.cardOf(model);
    const keys = LABEL_KINDS.flatMap((kind) => labels[kind].map(({ slug }) => labelKey({ kind, slug })));
    const rows = await Promise.all(keys.map((key) => load.labelBySlug.load(key)));
    return rows.flatMap((row) => (row === undefined ? [] : [tagged(labelTypeName(row.kind), row)]));
  }
}
