/** Contact sheets: named pictures, or a page of them, as one picture. */
import { Arg, Args, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import type { Picture } from '../services/generation.ts';
import type { ContactSheet as Sheet } from '../services/sheets.ts';
import type { Connection } from './connection.ts';
import type { Context } from './context.ts';
import { type ImageFormat, ImageFormatEnum } from './enums.ts';
import { listOf, Policy } from './policy.ts';
import { UrlScalar } from './scalars.ts';
import { GeneratedImageConnection } from './types/gallery.ts';
import { ContactSheet, ContactSheetArgs, SheetArgs } from './types/sheets.ts';
import { pictureUrl } from './urls.ts';

/** Its id holds the recipes of its pictures. */
const SHEET_COST = 40;
const MOST_IMAGES = 100;

@Resolver(() => ContactSheet)
export class ContactSheetResolver {
  @Query(() => ContactSheet, {
    description:
      'Any pictures as one, e.g. those that generate has answered with. They are painted when its url is opened.',
  })
  @Policy({ scope: 'generate', cost: ({ images }) => SHEET_COST + 2 * Math.min(MOST_IMAGES, listOf(images).length) })
  contactSheet(@Args(() => ContactSheetArgs) { images, ...options }: ContactSheetArgs, @Ctx() { sheets }: Context) {
    return sheets.ofPictures(images, options);
  }

  @FieldResolver(() => UrlScalar)
  url(
    @Root() { id }: Sheet,
    // type-graphql prints arguments from the last to the first.
    @Arg('width', () => Int, { nullable: true }) width: number | null | undefined,
    @Arg('format', () => ImageFormatEnum, { nullable: true, defaultValue: ImageFormatEnum.PNG })
    format: ImageFormat | null,
    @Ctx() context: Context,
  ) {
    return pictureUrl(context, ['sheets', id], { format, width });
  }
}

@Resolver(() => GeneratedImageConnection)
export class PageSheetResolver {
  @FieldResolver(() => ContactSheet, { nullable: true, description: 'The page as one picture; null for an empty one.' })
  @Policy({ cost: SHEET_COST })
  async contactSheet(
    @Root() { nodes }: Connection<Picture>,
    @Args(() => SheetArgs) options: SheetArgs,
    @Ctx() { sheets }: Context,
  ) {
    const images = (await nodes).map(({ id }) => id);
    return images.length === 0 ? null : sheets.sheetOf(images, options);
  }
}
