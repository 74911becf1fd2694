/** Datasets, their imports, and what an import passed over. */
import { Arg, Args, Ctx, FieldResolver, Float, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId } from '../core/global-id.ts';
import type { LabelKind } from '../core/labels.ts';
import { DEFAULT_WAIT_SECONDS } from '../services/importing.ts';
import { datasetBySlug, datasetList, issuesOfDatasets } from '../store/datasets.ts';
import { labelsOfDatasets } from '../store/labels.ts';
import type { DatasetRow, LabelRow } from '../store/tables.ts';
import { type Connection, connectionOf, nestedConnectionOf, PageArgs, same } from './connection.ts';
import type { Context } from './context.ts';
import { labelFilter } from './filters.ts';
import { asPayload, type Payload } from './payload.ts';
import { fieldIn, Policy } from './policy.ts';
import {
  Dataset,
  DatasetArgs,
  DatasetConnection,
  DatasetImport,
  ImportDatasetInput,
  ImportDatasetPayload,
  ImportIssueConnection,
} from './types/datasets.ts';
import { ArtistConnection, GenreConnection, LabelArgs, StyleConnection } from './types/labels.ts';

/** Left out: as the import itself waits. */
function waitSecondsIn(input: unknown): number {
  const seconds = fieldIn(input, 'waitSeconds');
  return typeof seconds === 'number' ? Math.max(0, seconds) : DEFAULT_WAIT_SECONDS;
}

@Resolver(() => Dataset)
export class DatasetResolver {
  @Query(() => DatasetConnection)
  datasets(@Args(() => DatasetArgs) args: DatasetArgs, @Ctx() context: Context) {
    const list = datasetList(args.where ?? {}, args.orderBy);
    return connectionOf(context, { list, args, nodeOf: same });
  }

  @Query(() => Dataset, { nullable: true })
  dataset(@Arg('slug', () => String) slug: string, @Ctx() { db }: Context) {
    return datasetBySlug(db, slug);
  }

  @Mutation(() => ImportDatasetPayload)
  @Policy({ scope: 'train', cost: 500, waitMs: ({ input }) => 1_000 * waitSecondsIn(input) })
  importDataset(
    @Arg('input', () => ImportDatasetInput) input: ImportDatasetInput,
    @Ctx() { imports, signal }: Context,
  ): Promise<Payload<DatasetRow>> {
    const { name, path, layout, maxResolution, waitSeconds } = input;
    const options = { maxResolution: maxResolution ?? undefined, waitSeconds: waitSeconds ?? undefined };
    return asPayload(() => imports.importDataset({ name, path, layout, ...options }, { signal }));
  }

  @FieldResolver(() => ID)
  id(@Root() { id }: DatasetRow) {
    return encodeGlobalId('Dataset', id);
  }

  @FieldResolver(() => Int)
  artworkCount(@Root() { id }: DatasetRow, @Ctx() { load }: Context) {
    return load.artworksOfDataset.load(id);
  }

  @FieldResolver(() => String, { nullable: true, description: 'SHA-256 of the packed training file.' })
  sha256(@Root() { packSha256 }: DatasetRow) {
    return packSha256;
  }

  @FieldResolver(() => DatasetImport)
  import(@Root() dataset: DatasetRow) {
    return dataset;
  }

  @FieldResolver(() => ArtistConnection)
  artists(@Root() { id }: DatasetRow, @Args(() => LabelArgs) args: LabelArgs, @Ctx() context: Context) {
    return labelsOf(context, { kind: 'artist', id }, args);
  }

  @FieldResolver(() => StyleConnection)
  styles(@Root() { id }: DatasetRow, @Args(() => LabelArgs) args: LabelArgs, @Ctx() context: Context) {
    return labelsOf(context, { kind: 'style', id }, args);
  }

  @FieldResolver(() => GenreConnection)
  genres(@Root() { id }: DatasetRow, @Args(() => LabelArgs) args: LabelArgs, @Ctx() context: Context) {
    return labelsOf(context, { kind: 'genre', id }, args);
  }
}

@Resolver(() => DatasetImport)
export class DatasetImportResolver {
  @FieldResolver(() => Float, { description: '0..1' })
  progress(@Root() { status, total, processed }: DatasetRow) {
    return status === 'READY' ? 1 : total === 0 ? 0 : processed / total;
  }

  @FieldResolver(() => ImportIssueConnection)
  issues(@Root() { id }: DatasetRow, @Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
    return nestedConnectionOf(context, { list: issuesOfDatasets, id, args, nodeOf: same });
  }
}

function labelsOf(
  context: Context,
  { kind, id }: { readonly kind: LabelKind; readonly id: string },
  args: LabelArgs,
): Connection<LabelRow> {
  const list = labelsOfDatasets(kind, labelFilter(args.where), args.orderBy);
  return nestedConnectionOf(context, { list, id, args, nodeOf: same });
}
