/** Datasets, their imports, and what an import passed over. */
import { Arg, Args, Ctx, FieldResolver, Float, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { encodeGlobalId } from '../core/global-id.ts';
import type { LabelKind } from '../core/labels.ts';
import { datasetBySlug, datasetCount, datasetPage, importIssuePage } from '../store/datasets.ts';
import { labelPage } from '../store/labels.ts';
import type { DatasetRow, LabelRow } from '../store/tables.ts';
import { type Connection, PageArgs, pageRequest, toConnection } from './connection.ts';
import type { Context } from './context.ts';
import { asPayload, type Payload } from './payload.ts';
import {
  Dataset,
  DatasetConnection,
  DatasetImport,
  ImportDatasetInput,
  ImportDatasetPayload,
  ImportIssueConnection,
} from './types/datasets.ts';
import { ArtistConnection, GenreConnection, StyleConnection } from './types/labels.ts';

@Resolver(() => Dataset)
export class DatasetResolver {
  @Query(() => DatasetConnection)
  async datasets(@Args(() => PageArgs) args: PageArgs, @Ctx() { db }: Context) {
    return toConnection(await datasetPage(db, pageRequest(args)), () => datasetCount(db));
  }

  @Query(() => Dataset, { nullable: true })
  dataset(@Arg('slug', () => String) slug: string, @Ctx() { db }: Context) {
    return datasetBySlug(db, slug);
  }

  @Mutation(() => ImportDatasetPayload)
  importDataset(
    @Arg('input', () => ImportDatasetInput) input: ImportDatasetInput,
    @Ctx() { imports }: Context,
  ): Promise<Payload<DatasetRow>> {
    const { name, path, layout, maxResolution, waitSeconds } = input;
    const options = { maxResolution: maxResolution ?? undefined, waitSeconds: waitSeconds ?? undefined };
    return asPayload(() => imports.importDataset({ name, path, layout, ...options }));
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
  artists(@Root() { id }: DatasetRow, @Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
    return labelsOf(context, { kind: 'artist', id }, args);
  }

  @FieldResolver(() => StyleConnection)
  styles(@Root() { id }: DatasetRow, @Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
    return labelsOf(context, { kind: 'style', id }, args);
  }

  @FieldResolver(() => GenreConnection)
  genres(@Root() { id }: DatasetRow, @Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
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
  async issues(@Root() { id }: DatasetRow, @Args(() => PageArgs) args: PageArgs, @Ctx() { db, load }: Context) {
    const page = pageRequest(args);
    const rows =
      page.after === undefined
        ? load.issuePageOfDataset.load({ kind: 'issue', id, first: page.first })
        : importIssuePage(db, id, page);
    return toConnection(await rows, () => load.issuesOfDataset.load(id));
  }
}

/** The labels of a kind that works of a dataset have, by name. */
async function labelsOf(
  { db, load }: Context,
  { kind, id }: { readonly kind: LabelKind; readonly id: string },
  args: PageArgs,
): Promise<Connection<LabelRow>> {
  const page = pageRequest(args);
  const rows =
    page.after === undefined
      ? load.labelPageOfDataset.load({ kind, id, first: page.first })
      : labelPage(db, kind, page, { datasetId: id });
  return toConnection(await rows, () => load.labelsOfDataset[kind].load(id));
}
