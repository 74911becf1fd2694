/** The gallery: its lists, what they are asked for by, and what is done with kept pictures. */
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { imageOrders } from '../../store/images.ts';
import { connectionType } from '../connection.ts';
import { listArgs, orderInput } from '../list-args.ts';
import { UserError } from '../payload.ts';
import { DateTimeScalar, SeedScalar, UrlScalar } from '../scalars.ts';
import { GeneratedImage } from './images.ts';

export const GeneratedImageConnection = connectionType('GeneratedImage', () => GeneratedImage);

@InputType({ description: 'Entries for which all of this holds.' })
export class GeneratedImageWhere {
  @Field(() => String, {
    nullable: true,
    description: 'It was asked for by this artist, style or genre: the first that has this slug or id.',
  })
  label?: string | null;

  @Field(() => String, { nullable: true, description: 'It was asked for by this. By slug or id.' })
  artist?: string | null;

  @Field(() => String, { nullable: true, description: 'It was asked for by this. By slug or id.' })
  style?: string | null;

  @Field(() => String, { nullable: true, description: 'It was asked for by this. By slug or id.' })
  genre?: string | null;

  @Field(() => ID, { nullable: true })
  model?: string | null;

  @Field(() => SeedScalar, { nullable: true })
  seed?: number | null;

  @Field(() => [SeedScalar], { nullable: true, description: 'Any of these, 100 at most.' })
  seeds?: number[] | null;

  @Field(() => Boolean, { nullable: true })
  favourite?: boolean | null;

  @Field(() => String, { nullable: true, description: 'In upper or lower case.' })
  tag?: string | null;

  @Field(() => [String], { nullable: true, description: 'All of these, 10 at most.' })
  tags?: string[] | null;

  @Field(() => String, { nullable: true, description: 'By slug or id.' })
  collection?: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'At this moment or later.' })
  keptAfter?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Earlier than this moment.' })
  keptBefore?: Date | null;
}

export const GeneratedImageArgs = listArgs(GeneratedImageWhere, orderInput('GeneratedImage', imageOrders));
export type GeneratedImageArgs = InstanceType<typeof GeneratedImageArgs>;

@InputType()
export class KeepImagesInput {
  @Field(() => [ID])
  images!: string[];

  @Field(() => Boolean, { defaultValue: false, description: 'Marks them as favourites.' })
  favourite!: boolean;

  @Field(() => [String], { nullable: true })
  tags?: string[] | null;

  @Field(() => ID, { nullable: true, description: 'Puts them there, too. By slug or id.' })
  collection?: string | null;
}

@ObjectType()
export class KeepImagesPayload {
  @Field(() => [GeneratedImage], { name: 'images' })
  result!: unknown[];

  @Field(() => [UserError])
  userErrors!: UserError[];
}

@InputType()
export class UpdateImagesInput {
  @Field(() => [ID], { description: 'Kept pictures, 1,000 at most.' })
  images!: string[];

  @Field(() => Boolean, { nullable: true, description: 'Left as it is unless told.' })
  favourite?: boolean | null;

  @Field(() => [String], { nullable: true })
  addTags?: string[] | null;

  @Field(() => [String], { nullable: true })
  removeTags?: string[] | null;
}

@ObjectType()
export class UpdateImagesPayload {
  @Field(() => [GeneratedImage], { name: 'images' })
  result!: unknown[];

  @Field(() => [UserError])
  userErrors!: UserError[];
}

@InputType()
export class DeleteImagesInput {
  @Field(() => [ID], { description: '1,000 at most. Those that are not in the gallery are passed over.' })
  images!: string[];
}

@ObjectType()
export class DeleteImagesPayload {
  @Field(() => [ID], { name: 'deletedIds', description: 'Of those that were there.' })
  result!: string[];

  @Field(() => [UserError])
  userErrors!: UserError[];
}

@InputType({ description: 'Pictures by what they have, or some pictures; the whole gallery unless told.' })
export class ExportImagesInput {
  @Field(() => GeneratedImageWhere, { nullable: true })
  where?: GeneratedImageWhere | null;

  @Field(() => [ID], { nullable: true, description: 'Kept pictures, 1,000 at most; not with `where`.' })
  images?: string[] | null;
}

@ObjectType({
  description:
    'A ZIP with manifest.jsonl and every PNG. It is made while it is read, of what is in the gallery then and was when it was asked for.',
})
export class GeneratedImageExport {
  @Field(() => UrlScalar)
  url!: string;

  @Field(() => Int, { description: 'Pictures that it will hold.' })
  count!: number;
}

@ObjectType()
export class ExportImagesPayload {
  @Field(() => GeneratedImageExport, { nullable: true, name: 'export' })
  result!: unknown;

  @Field(() => [UserError])
  userErrors!: UserError[];
}
