/** Grids of pictures: styles by artists, genres by seeds. */
import { Args, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import { seedAt } from '../core/recipe.ts';
import type { Heading, PictureGrid } from '../services/grids.ts';
import { labelKey } from '../store/labels.ts';
import type { Context } from './context.ts';
import { PAINTING_COST } from './images.ts';
import { labelTypeName, tagged } from './interfaces.ts';
import { type FieldArgs, listOf, Policy, STATEMENT_COST } from './policy.ts';
import { GridHeading, ImageGrid, ImageGridArgs } from './types/grids.ts';
import { GeneratedImage } from './types/images.ts';

/** Of one side, where nothing is named. */
const USUAL_SIDE = 6;
const MOST_CELLS = 64;

const sideOf = (asked: unknown) => (Array.isArray(asked) ? listOf(asked).length : USUAL_SIDE);
const cellsOf = ({ rows, columns }: FieldArgs) => Math.min(MOST_CELLS, sideOf(rows) * sideOf(columns));

@Resolver(() => ImageGrid)
export class ImageGridResolver {
  @Query(() => ImageGrid, {
    description: 'A picture for each pair, e.g. of styles and artists, all from the same seed; at most 64 pictures.',
  })
  @Policy({ scope: 'generate', cost: (args) => PAINTING_COST * cellsOf(args) })
  imageGrid(@Args(() => ImageGridArgs) args: ImageGridArgs, @Ctx() { generation, asker }: Context) {
    return generation.grid(args, asker);
  }

  @FieldResolver(() => [GridHeading])
  @Policy({ once: STATEMENT_COST, size: USUAL_SIDE })
  rows(@Root() { rows, seed }: PictureGrid, @Ctx() context: Context) {
    return Promise.all(rows.map((heading) => headingOf(context, heading, seed)));
  }

  @FieldResolver(() => [GridHeading])
  @Policy({ once: STATEMENT_COST, size: USUAL_SIDE })
  columns(@Root() { columns, seed }: PictureGrid, @Ctx() context: Context) {
    return Promise.all(columns.map((heading) => headingOf(context, heading, seed)));
  }

  @FieldResolver(() => [GeneratedImage], { description: 'Row by row.' })
  @Policy({ size: USUAL_SIDE * USUAL_SIDE })
  images(@Root() { pictures }: PictureGrid) {
    return pictures;
  }

  @FieldResolver(() => Int)
  rowCount(@Root() { rows }: PictureGrid) {
    return rows.length;
  }

  @FieldResolver(() => Int)
  columnCount(@Root() { columns }: PictureGrid) {
    return columns.length;
  }
}

async function headingOf({ load }: Context, heading: Heading, firstSeed: number) {
  if (heading.kind === 'seed') return { label: null, seed: seedAt(firstSeed, heading.place) };
  const row = await load.labelBySlug.load(labelKey(heading));
  return { label: row === undefined ? null : tagged(labelTypeName(row.kind), row), seed: null };
}
