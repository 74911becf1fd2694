/** Collections of kept pictures: made, named, filled. A picture may be in many; deleting a collection leaves its pictures. */
import { AppError } from '../core/errors.ts';
import { checkedName, slugOfTag } from '../core/tags.ts';
import type { Db } from '../store/db.ts';
import { addToSets, deleteSet, insertSet, removeFromSets, updateSet } from '../store/gallery-sets.ts';
import type { GallerySetRow } from '../store/gallery-tables.ts';
import { inGallery } from '../store/images.ts';
import { checkNumber, collectionNamed, keptImages, MOST_AT_ONCE, numbersOf } from './gallery.ts';

export interface NewCollection {
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly images?: readonly string[] | null | undefined;
}

export interface CollectionChange {
  /** By slug or id. */
  readonly collection: string;
  readonly name?: string | null | undefined;
  /** Null: none any more. */
  readonly description?: string | null | undefined;
}

export interface CollectionImages {
  readonly collection: string;
  readonly images: readonly string[];
}

const LONGEST_DESCRIPTION = 2_000;

export class CollectionService {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** @throws AppError INVALID_INPUT, CONFLICT where there is one of that name, NOT_FOUND for a picture that was not kept */
  async create({ name, description, images }: NewCollection): Promise<GallerySetRow> {
    const shown = checkedName(name, ['input', 'name']);
    const about = checkedDescription(description);
    checkNumber(images ?? [], MOST_AT_ONCE);
    return inGallery(this.#db, async (tx) => {
      const slug = slugOf(shown);
      const row = await insertSet(tx, { kind: 'collection', slug, name: shown, description: about });
      if (row === undefined) {
        const message = `There is a collection "${slug}" already. Choose another name, or add to it with addToCollection.`;
        throw new AppError('CONFLICT', message, { path: ['input', 'name'] });
      }
      await addToSets(tx, [row.id], numbersOf(await keptImages(tx, images ?? [])));
      return row;
    });
  }

  /** Another name leaves its slug as it is: addresses go on to be right. @throws AppError NOT_FOUND, INVALID_INPUT */
  async update({ collection, name, description }: CollectionChange): Promise<GallerySetRow> {
    const shown = name === null || name === undefined ? undefined : checkedName(name, ['input', 'name']);
    const about = description === undefined ? undefined : checkedDescription(description);
    return inGallery(this.#db, async (tx) => {
      const found = await collectionNamed(tx, collection);
      const changes = { name: shown ?? found.name, description: about === undefined ? found.description : about };
      await updateSet(tx, found.id, changes);
      return { ...found, ...changes };
    });
  }

  /** @throws AppError NOT_FOUND */
  delete(collection: string): Promise<GallerySetRow> {
    return inGallery(this.#db, async (tx) => {
      const found = await collectionNamed(tx, collection);
      await deleteSet(tx, found.id);
      return found;
    });
  }

  /** @throws AppError NOT_FOUND, also for a picture that was not kept; INVALID_INPUT */
  add(request: CollectionImages): Promise<GallerySetRow> {
    return this.#change(request, addToSets);
  }

  /** @throws AppError NOT_FOUND, INVALID_INPUT */
  remove(request: CollectionImages): Promise<GallerySetRow> {
    return this.#change(request, removeFromSets);
  }

  async #change({ collection, images }: CollectionImages, change: typeof addToSets): Promise<GallerySetRow> {
    checkNumber(images, MOST_AT_ONCE);
    return inGallery(this.#db, async (tx) => {
      const found = await collectionNamed(tx, collection);
      await change(tx, [found.id], numbersOf(await keptImages(tx, images)));
      return found;
    });
  }
}

/** Never a number: that is how a collection's id looks. */
function slugOf(name: string): string {
  const slug = slugOfTag(name);
  return /^\d+$/.test(slug) ? `collection-${slug}` : slug;
}

function checkedDescription(text: string | null | undefined): string | null {
  const description = text?.trim() ?? '';
  if (description.length <= LONGEST_DESCRIPTION) return description || null;
  const message = `description must be at most ${LONGEST_DESCRIPTION} characters.`;
  throw new AppError('INVALID_INPUT', message, { path: ['input', 'description'] });
}
