/** Contact sheets. */
import { ArgsType, Field, ID, Int, ObjectType } from 'type-graphql';

@ArgsType()
export class SheetArgs {
  @Field(() => Int, { nullable: true, description: 'Left out: as many as make it about square.' })
  columns?: number | null;

  @Field(() => Int, { nullable: true, description: 'Side of each picture in pixels, 16..1024; 128 unless told.' })
  cell?: number | null;
}

@ArgsType()
export class ContactSheetArgs extends SheetArgs {
  @Field(() => [ID], { description: '1..100' })
  images!: string[];
}

@ObjectType({ description: 'Pictures beside each other as one, row by row.' })
export class ContactSheet {
  @Field(() => Int)
  width!: number;

  @Field(() => Int)
  height!: number;

  @Field(() => Int)
  columns!: number;

  @Field(() => Int)
  rows!: number;
}
