/** Checkpoints and models, without their relations. */
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionType } from '../connection.ts';
import { Node } from '../interfaces.ts';
import { UserError } from '../payload.ts';
import { DateTimeScalar } from '../scalars.ts';

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
}

export const ModelConnection = connectionType('Model', () => Model);

@InputType()
export class SetDefaultModelInput {
  @Field(() => ID)
  model!: string;
}

@ObjectType()
export class SetDefaultModelPayload {
  @Field(() => Model, { nullable: true, name: 'model' })
  result!: unknown;

  @Field(() => [UserError])
  userErrors!: UserError[];
}
