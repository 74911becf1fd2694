/** What lists are asked for, in the store's words: its own ids in the place of those that clients see. */
import { AppError } from '../core/errors.ts';
import { localId } from '../core/global-id.ts';
import type { ArtworkFilter } from '../store/artworks.ts';
import type { ImageFilter } from '../store/gallery-filter.ts';
import type { LabelFilter } from '../store/labels.ts';
import type { ModelFilter } from '../store/models.ts';
import type { RunFilter } from '../store/runs.ts';

type Where<Filter> = Filter | null | undefined;

/** Arguments that may be ids, and of what. */
const TYPES = {
  artist: 'Artist',
  style: 'Style',
  genre: 'Genre',
  dataset: 'Dataset',
  model: 'Model',
  run: 'TrainingRun',
  collection: 'Collection',
} as const;

const named =
  <Filter extends object>(...names: readonly (keyof typeof TYPES & keyof Filter)[]) =>
  (where: Where<Filter>): Filter => {
    const ids = names.map((name) => {
      const text = where?.[name];
      return [name, typeof text === 'string' ? localId(text, TYPES[name]) : text];
    });
    return { ...where, ...Object.fromEntries(ids) };
  };

export const labelFilter = named<LabelFilter>('dataset');
export const artworkFilter = named<ArtworkFilter>('artist', 'style', 'genre', 'dataset');
export const runFilter = named<RunFilter>('dataset');
export const modelFilter = named<ModelFilter>('run');

const kept = named<ImageFilter>('artist', 'style', 'genre', 'model', 'collection');
const MOST_SEEDS = 100;
const MOST_TAGS = 10;

/** @throws AppError INVALID_INPUT for lists that are too long */
export function imageFilter(where: Where<ImageFilter>): ImageFilter {
  checkLength('seeds', where?.seeds, MOST_SEEDS);
  checkLength('tags', where?.tags, MOST_TAGS);
  const filter = kept(where);
  const { label } = filter;
  if (label === null || label === undefined) return filter;
  return { ...filter, label: [TYPES.artist, TYPES.style, TYPES.genre].reduce<string>(localId, label) };
}

function checkLength(field: string, list: readonly unknown[] | null | undefined, most: number): void {
  if ((list ?? []).length <= most) return;
  throw new AppError('INVALID_INPUT', `${field} must be ${most} at most.`, { path: ['where', field] });
}
