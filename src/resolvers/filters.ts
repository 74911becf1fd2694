/** What lists are asked for, in the store's words: its own ids in the place of those that clients see. */
import { localId } from '../core/global-id.ts';
import type { ArtworkFilter } from '../store/artworks.ts';
import type { ImageFilter } from '../store/images.ts';
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
export const imageFilter = named<ImageFilter>('artist', 'style', 'genre', 'model');
