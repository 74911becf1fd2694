/** Pictures that users send, without their relations. */
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionType } from '../connection.ts';
import { UploadStatusEnum } from '../enums.ts';
import { Node } from '../interfaces.ts';
import { UserError } from '../payload.ts';
import { DateTimeScalar } from '../scalars.ts';

@ObjectType({
  implements: Node,
  description:
    'A picture of yours. What is stored of it is written anew: upright, in sRGB, on white, at most 1,024 pixels long, without metadata.',
})
export class Upload extends Node {
  @Field(() => UploadStatusEnum)
  status!: keyof typeof UploadStatusEnum;

  @Field(() => String, { nullable: true, description: 'As it was announced.' })
  filename!: string | null;

  @Field(() => Int, { nullable: true, description: 'Of the stored picture, in pixels.' })
  width!: number | null;

  @Field(() => Int, { nullable: true, description: 'Of the stored picture, in pixels.' })
  height!: number | null;

  @Field(() => String, { nullable: true, description: 'SHA-256 of the stored picture, a PNG.' })
  sha256!: string | null;

  @Field(() => Int, { nullable: true, description: 'Of the stored picture.' })
  bytes!: number | null;

  @Field(() => DateTimeScalar)
  createdAt!: Date;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Until then it waits for its file; null once that is here, to stay.',
  })
  expiresAt!: Date | null;
}

export const UploadConnection = connectionType('Upload', () => Upload);

@InputType()
export class CreateUploadInput {
  @Field(() => String, { nullable: true, description: 'For you to know it by.' })
  filename?: string | null;

  @Field(() => Int, { nullable: true, description: 'Of the file: another number is refused.' })
  bytes?: number | null;

  @Field(() => String, { nullable: true, description: 'Of the file, in hexadecimal: another one is refused.' })
  sha256?: string | null;
}

@InputType()
export class DeleteUploadInput {
  @Field(() => ID)
  id!: string;
}

@ObjectType()
export class CreateUploadPayload {
  @Field(() => Upload, { nullable: true })
  upload!: unknown;

  @Field(() => [UserError])
  userErrors!: readonly UserError[];
}

@ObjectType()
export class DeleteUploadPayload {
  @Field(() => ID, { nullable: true, description: 'Of the upload that was deleted.' })
  id!: string | null;

  @Field(() => [UserError])
  userErrors!: readonly UserError[];
}
