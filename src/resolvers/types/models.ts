/** Checkpoints and models, without their relations. */
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { ExportFormat } from '../../services/exports.ts';
import { modelOrders } from '../../store/models.ts';
import { connectionType } from '../connection.ts';
import { ExportFormatEnum } from '../enums.ts';
import { Node } from '../interfaces.ts';
import { listArgs, orderInput } from '../list-args.ts';
import { UserError } from '../payload.ts';
import { DateTimeScalar, SeedScalar } from '../scalars.ts';

@ObjectType({
  implements: Node,
  description:
    'sha256 covers the training state alone (weights, moving averages, optimiser slots, step): the same run gives the same hash on every server of the same device type.',
})
export class Checkpoint extends Node {
  @Field(() => Int)
  step!: number;

  @Field(() => String)
  sha256!: string;

  @Field(() => DateTimeScalar)
  createdAt!: Date;

  @Field(() => Float, { description: 'Of its files.' })
  bytes!: number;
}

@ObjectType({ description: 'How a model was trained, by its card: also of models that came from elsewhere.' })
export class ModelProvenance {
  @Field(() => String)
  preset!: string;

  @Field(() => SeedScalar)
  seed!: number;

  @Field(() => Int)
  step!: number;

  @Field(() => Int)
  totalSteps!: number;

  @Field(() => String, { description: 'SHA-256 of the packed training file.' })
  datasetSha256!: string;

  @Field(() => String, { description: 'SHA-256 of the training state that it was made of.' })
  checkpointSha256!: string;

  @Field(() => String)
  device!: string;
}

@ObjectType({
  implements: Node,
  description: 'A generator that can be asked for pictures: one checkpoint of one run.',
})
export class Model extends Node {
  @Field(() => String)
  name!: string;

  @Field(() => Int)
  resolution!: number;

  @Field(() => String, { description: 'SHA-256 of its weights.' })
  sha256!: string;

  @Field(() => Boolean)
  isDefault!: boolean;

  @Field(() => DateTimeScalar)
  createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Since then it paints nothing more.' })
  deletedAt!: Date | null;
}

export const ModelConnection = connectionType('Model', () => Model);

@InputType({ description: 'Entries for which all of this holds.' })
export class ModelWhere {
  @Field(() => String, { nullable: true, description: 'Contained, in upper or lower case.' })
  name?: string | null;

  @Field(() => ID, { nullable: true, description: 'The run that it was learnt in.' })
  run?: string | null;

  @Field(() => Boolean, { nullable: true })
  isDefault?: boolean | null;
}

export const ModelArgs = listArgs(ModelWhere, orderInput('Model', modelOrders));
export type ModelArgs = InstanceType<typeof ModelArgs>;

@ObjectType({ description: 'A file of an export.' })
export class ExportedFile {
  @Field(() => String)
  name!: string;

  @Field(() => Float)
  bytes!: number;

  @Field(() => String)
  sha256!: string;
}

@ObjectType({ description: 'A model as files for others to run. The same export has the same files for ever.' })
export class ModelExport {
  @Field(() => Model)
  model!: unknown;

  @Field(() => ExportFormatEnum)
  format!: string;

  @Field(() => [ExportedFile])
  files!: ExportedFile[];
}

@InputType()
export class ExportModelInput {
  @Field(() => ID)
  model!: string;

  @Field(() => ExportFormatEnum)
  format!: ExportFormat;
}

@ObjectType()
export class ExportModelPayload {
  @Field(() => ModelExport, { nullable: true, name: 'export' })
  result!: unknown;

  @Field(() => [UserError])
  userErrors!: UserError[];
}

@InputType({ description: 'path: a folder on the server, under one of the allowed roots.' })
export class ImportModelInput {
  @Field(() => String, { description: 'Of an exported model (format ARTGAN), or of a checkpoint.' })
  path!: string;

  @Field(() => String, { nullable: true, description: 'Left out: as it was called.' })
  name?: string | null;
}

@InputType()
export class CreateModelInput {
  @Field(() => ID, { description: 'One whose files are kept.' })
  checkpoint!: string;

  @Field(() => String, { nullable: true })
  name?: string | null;
}

@ObjectType()
export class ModelPayload {
  @Field(() => Model, { nullable: true, name: 'model' })
  result!: unknown;

  @Field(() => [UserError])
  userErrors!: UserError[];
}

@InputType()
export class SetDefaultModelInput {
  @Field(() => ID)
  model!: string;
}

@InputType()
export class DeleteModelInput {
  @Field(() => ID)
  model!: string;

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Also where pictures were kept or jobs were done with it: these can still be seen.',
  })
  evenIfUsed!: boolean;
}

@ObjectType()
export class SetDefaultModelPayload {
  @Field(() => Model, { nullable: true, name: 'model' })
  result!: unknown;

  @Field(() => [UserError])
  userErrors!: UserError[];
}
