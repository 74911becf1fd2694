/** The gallery: pictures that somebody kept, marked and sorted. Each has a row, and its PNG as a file. */
import { AppError } from '../core/errors.ts';
import { localId } from '../core/global-id.ts';
import type { LabelKind } from '../core/labels.ts';
import { leadingConditions } from '../core/mix.ts';
import { seedOf, truncationOf } from '../core/recipe.ts';
import { checkedName, slugOfTag } from '../core/tags.ts';
import type { Blobs } from '../store/blobs.ts';
import type { Db } from '../store/db.ts';
import {
  addToSets,
  dropUnusedTags,
  findCollection,
  removeFromSets,
  tagIds,
  upsertTags,
} from '../store/gallery-sets.ts';
import { FAVOURITES, type GallerySetRow } from '../store/gallery-tables.ts';
import { deleteImages, imagesByIds, inGallery, keepImages, unusedFiles } from '../store/images.ts';
import { labelBySlug } from '../store/labels.ts';
import type { ImageRow } from '../store/tables.ts';
import type { Asker, FoundPicture, PaintingService } from './painting.ts';

export interface GalleryOptions {
  readonly db: Db;
  readonly blobs: Blobs;
  readonly painting: PaintingService;
}

export interface KeepRequest {
  readonly images: readonly string[];
  readonly favourite?: boolean | null | undefined;
  readonly tags?: readonly string[] | null | undefined;
  /** By slug or id. */
  readonly collection?: string | null | undefined;
}

export interface UpdateRequest {
  readonly images: readonly string[];
  readonly favourite?: boolean | null | undefined;
  readonly addTags?: readonly string[] | null | undefined;
  readonly removeTags?: readonly string[] | null | undefined;
}

const MOST_KEPT_AT_ONCE = 64;
export const MOST_AT_ONCE = 1_000;
const MOST_TAGS = 20;

export class GalleryService {
  readonly #options: GalleryOptions;

  constructor(options: GalleryOptions) {
    this.#options = options;
  }

  /**
   * Puts pictures into the gallery; one that is there already stays as it is, but for what it is marked with.
   * @throws AppError NOT_FOUND with the place of the id that is not a picture, INVALID_INPUT, or as PaintingService.png
   */
  async keep({ images, favourite, tags, collection }: KeepRequest, asker: Asker): Promise<ImageRow[]> {
    const { db, blobs, painting } = this.#options;
    checkNumber(images, MOST_KEPT_AT_ONCE);
    const named = tagsOf(tags, 'tags');
    const found = await Promise.all(images.map((id, i) => painting.find(id, placeOf(i))));
    const pictures = await Promise.all(
      found.map(async (picture) => {
        const { body } = await painting.png(picture.id, asker);
        // The file before the row that names it.
        const sha256 = await blobs.put(body, 'png');
        return { body, row: { ...rowOf(picture), sha256, ...(await this.#labelIds(picture)) } };
      }),
    );
    return inGallery(db, async (tx) => {
      // Whoever deletes the same picture elsewhere may have taken its file meanwhile; from here on nobody does.
      await Promise.all(pictures.map(({ body }) => blobs.put(body, 'png')));
      const rows = await keepImages(
        tx,
        pictures.map(({ row }) => row),
      );
      const isInto = collection !== null && collection !== undefined;
      const sets = [
        ...(favourite === true ? [FAVOURITES] : []),
        ...(isInto ? [(await collectionNamed(tx, collection)).id] : []),
        ...(await upsertTags(tx, named)),
      ];
      await addToSets(tx, sets, numbersOf(rows));
      return rows;
    });
  }

  /**
   * Marks pictures as favourites, or not any more, and gives them tags or takes them.
   * @throws AppError NOT_FOUND with the place of the picture that is not in the gallery, INVALID_INPUT
   */
  async update({ images, favourite, addTags, removeTags }: UpdateRequest): Promise<ImageRow[]> {
    checkNumber(images, MOST_AT_ONCE);
    const added = tagsOf(addTags, 'addTags');
    const removed = tagsOf(removeTags, 'removeTags');
    return inGallery(this.#options.db, async (tx) => {
      const rows = await keptImages(tx, images);
      const numbers = numbersOf(rows);
      const others = favourite === false ? [FAVOURITES] : [];
      await removeFromSets(tx, [...others, ...(await tagIds(tx, [...removed.keys()]))], numbers);
      await addToSets(tx, [...(favourite === true ? [FAVOURITES] : []), ...(await upsertTags(tx, added))], numbers);
      if (removed.size > 0) await dropUnusedTags(tx);
      return rows;
    });
  }

  /** Takes pictures out of the gallery for good, with their files. @returns the ids of those that were there */
  async delete(images: readonly string[]): Promise<string[]> {
    const { db, blobs } = this.#options;
    checkNumber(images, MOST_AT_ONCE);
    const rows = await inGallery(db, async (tx) => {
      const deleted = await deleteImages(tx, images.map(idOf));
      await dropUnusedTags(tx);
      return deleted;
    });
    // The row before the file. In a transaction of its own: who keeps one of them now waits, and then writes it again.
    await inGallery(db, async (tx) => {
      const files = await unusedFiles(
        tx,
        rows.map(({ sha256 }) => sha256),
      );
      await Promise.all(files.map((sha256) => blobs.remove(sha256, 'png')));
    });
    return rows.map(({ id }) => id);
  }

  async #labelIds({ recipe }: FoundPicture): Promise<{ [K in `${LabelKind}Id`]: string | null }> {
    const leading = leadingConditions(recipe.mix);
    const idFor = async (kind: LabelKind) => {
      const slug = leading[kind];
      return slug === undefined ? null : ((await labelBySlug(this.#options.db, kind, slug))?.id ?? null);
    };
    return { artistId: await idFor('artist'), styleId: await idFor('style'), genreId: await idFor('genre') };
  }
}

/** Rows of pictures in the order asked for. @throws AppError NOT_FOUND with the place of the one that was not kept */
export async function keptImages(db: Db, ids: readonly string[]): Promise<ImageRow[]> {
  const wanted = ids.map(idOf);
  const rows = new Map((await imagesByIds(db, wanted)).map((row) => [row.id, row]));
  return wanted.map((id, i) => {
    const row = rows.get(id);
    if (row !== undefined) return row;
    const message = 'That picture is not in the gallery. Put it there with keepImages first.';
    throw new AppError('NOT_FOUND', message, { path: placeOf(i) });
  });
}

/** A collection by slug or id. @throws AppError NOT_FOUND */
export async function collectionNamed(db: Db, text: string): Promise<GallerySetRow> {
  const row = await findCollection(db, localId(text, 'Collection'));
  if (row !== undefined) return row;
  const message = `There is no collection "${text.slice(0, 200)}". The query collections lists them.`;
  throw new AppError('NOT_FOUND', message, { path: ['input', 'collection'] });
}

export function checkNumber(images: readonly string[], most: number): void {
  if (images.length <= most) return;
  throw new AppError('INVALID_INPUT', `images must be at most ${most} ids.`, { path: ['input', 'images'] });
}

export const numbersOf = (rows: readonly ImageRow[]) => rows.map(({ n }) => n);

const idOf = (text: string) => localId(text, 'GeneratedImage');
const placeOf = (i: number) => ['input', 'images', String(i)];

/** Names by slug. @throws AppError INVALID_INPUT */
function tagsOf(tags: readonly string[] | null | undefined, field: string): Map<string, string> {
  const path = ['input', field];
  // Of two spellings the first one stays.
  const named = new Map((tags ?? []).toReversed().map((text) => [slugOfTag(text), checkedName(text, path)]));
  if (named.size <= MOST_TAGS) return named;
  throw new AppError('INVALID_INPUT', `${field} must be at most ${MOST_TAGS} tags.`, { path });
}

function rowOf({ id, recipe, model }: FoundPicture) {
  const side = { width: model.resolution, height: model.resolution };
  return { id, modelId: recipe.modelId, seed: seedOf(recipe), truncation: truncationOf(recipe), ...side };
}
