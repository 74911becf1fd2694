/** Grids of pictures, without their relations. */
import { ArgsType, Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { GridAxis } from '../../services/grids.ts';
import { GridAxisEnum } from '../enums.ts';
import { Label } from '../interfaces.ts';
import { SeedScalar } from '../scalars.ts';
import { ConditionsInput, GeneratedImage } from './images.ts';
import { Model } from './models.ts';

@InputType({ description: 'What changes from row to row, and from column to column.' })
export class GridByInput {
  @Field(() => GridAxisEnum)
  rows!: GridAxis;

  @Field(() => GridAxisEnum)
  columns!: GridAxis;
}

@ArgsType()
export class ImageGridArgs {
  @Field(() => GridByInput)
  gridBy!: GridByInput;

  @Field(() => [String], {
    nullable: true,
    description: 'Labels by slug, name or id. Left out: the six with the most works.',
  })
  rows?: string[] | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Labels by slug, name or id. Left out: the six with the most works.',
  })
  columns?: string[] | null;

  @Field(() => ConditionsInput, { nullable: true, description: 'What all pictures are asked for.' })
  conditions?: ConditionsInput | null;

  @Field(() => SeedScalar, { nullable: true, description: 'The same for all pictures; drawn where it is left out.' })
  seed?: number | null;

  @Field(() => Float, { defaultValue: 1, description: '0..1: nearer to 0 is nearer to the average picture.' })
  truncation!: number;

  @Field(() => ID, { nullable: true, description: 'The default model unless told.' })
  model?: string | null;
}

@ObjectType({ description: 'What stands at a row or column.' })
export class GridHeading {
  @Field(() => Label, { nullable: true, description: 'Null where rows or columns are seeds.' })
  label!: unknown;

  @Field(() => SeedScalar, { nullable: true, description: 'Null where rows or columns are labels.' })
  seed!: number | null;
}

@ObjectType({ description: 'Pictures of every row with every column, all else the same.' })
export class ImageGrid {
  @Field(() => SeedScalar)
  seed!: number;

  @Field(() => Model)
  model!: unknown;

  @Field(() => [GridHeading])
  rows!: unknown[];

  @Field(() => [GridHeading])
  columns!: unknown[];

  @Field(() => [GeneratedImage], { description: 'Row by row.' })
  images!: unknown[];

  @Field(() => Int)
  rowCount!: number;

  @Field(() => Int)
  columnCount!: number;
}
