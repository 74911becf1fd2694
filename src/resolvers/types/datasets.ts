/** Datasets and their imports, without their relations. */
import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { datasetOrders } from '../../store/datasets.ts';
import type { DatasetRow } from '../../store/tables.ts';
import { connectionType } from '../connection.ts';
import { DatasetLayoutEnum, ImportStatusEnum } from '../enums.ts';
import { Node } from '../interfaces.ts';
import { listArgs, orderInput } from '../list-args.ts';
import { UserError } from '../payload.ts';
import { DateTimeScalar } from '../scalars.ts';

@ObjectType({ implements: Node })
export class Dataset extends Node {
  @Field(() => String)
  slug!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { nullable: true })
  licence!: string | null;

  @Field(() => String, { nullable: true })
  source!: string | null;

  @Field(() => Int, { description: 'The largest resolution, in pixels, that can be trained on it.' })
  maxResolution!: number;

  @Field(() => DateTimeScalar)
  createdAt!: Date;
}

export const DatasetConnection = connectionType('Dataset', () => Dataset);

@InputType({ description: 'Entries for which all of this holds.' })
export class DatasetWhere {
  @Field(() => String, { nullable: true, description: 'Contained, in upper or lower case.' })
  name?: string | null;

  @Field(() => [ImportStatusEnum], { nullable: true, description: 'Any of these.' })
  status?: DatasetRow['status'][] | null;
}

export const DatasetArgs = listArgs(DatasetWhere, orderInput('Dataset', datasetOrders));
export type DatasetArgs = InstanceType<typeof DatasetArgs>;

@ObjectType({ description: 'A file that an import passed over, and why.' })
export class ImportIssue {
  @Field(() => String, { description: 'Path below the folder of the dataset.' })
  file!: string;

  @Field(() => String, { description: 'Stable: for programs.' })
  code!: string;

  @Field(() => String)
  message!: string;
}

export const ImportIssueConnection = connectionType('ImportIssue', () => ImportIssue);

@ObjectType({ description: 'The newest import of a dataset: how far it is, and what it passed over.' })
export class DatasetImport {
  @Field(() => ImportStatusEnum)
  status!: string;

  @Field(() => Int, { description: 'Files to look at.' })
  total!: number;

  @Field(() => Int, { description: 'Files looked at so far.' })
  processed!: number;

  @Field(() => Int, { description: 'Files passed over so far.' })
  skipped!: number;

  @Field(() => String, { nullable: true })
  error!: string | null;
}

@InputType({ description: 'path: a folder on the server, under one of the allowed roots.' })
export class ImportDatasetInput {
  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'Absolute, or below one of the allowed roots.' })
  path!: string;

  @Field(() => DatasetLayoutEnum, { defaultValue: DatasetLayoutEnum.AUTO })
  layout!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'The largest resolution that will be trained on it; 128 unless told.',
  })
  maxResolution?: number | null;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 20,
    description: 'Answer once the import has ended, or after so many seconds with it under way (see Dataset.import).',
  })
  waitSeconds?: number | null;
}

@ObjectType()
export class ImportDatasetPayload {
  @Field(() => Dataset, { nullable: true, name: 'dataset' })
  result!: unknown;

  @Field(() => [UserError])
  userErrors!: UserError[];
}
