/**
 * Contact sheets: pictures beside each other as one, row by row. A sheet's id is its recipe, made of those of its pictures, so
 * nothing has to be kept for its URL. Sixty-four pictures of random seeds make an id of 900 characters.
 */
import { z } from 'zod';
import { compactId, idOfJson, jsonOfId, readCompactId } from './compact-id.ts';
import { AppError } from './errors.ts';
import { decodeRecipe } from './recipe.ts';

export interface Sheet {
  /** Ids of pictures: their recipes. */
  readonly images: readonly string[];
  readonly columns: number;
  /** Side of each picture, in pixels. */
  readonly cell: number;
}

export interface SheetSize {
  readonly width: number;
  readonly height: number;
  readonly rows: number;
  /** Pixels between two pictures. */
  readonly gap: number;
}

export const MOST_ON_SHEET = 100;
const MIN_CELL = 16;
const MAX_CELL = 1_024;
/** A hundred pictures of 400 pixels. Undecoded it takes 3 bytes for each. */
const MOST_PIXELS = 20_000_000;
/** WebP has no more in one direction. */
const MOST_SIDE = 16_383;
/** Of the gap to a picture's side. */
const GAP_SHARE = 1 / 32;

const whole = (min: number, max: number) => z.int().min(min).max(max);
const stored = z.tuple([
  z.literal(1),
  whole(MIN_CELL, MAX_CELL),
  whole(1, MOST_ON_SHEET),
  z.array(z.unknown()).min(1).max(MOST_ON_SHEET),
]);

/** @throws AppError INVALID_INPUT where there are too many pictures, or they are too large to be one */
export function checkSheet({ images, columns, cell }: Sheet): void {
  check(images.length >= 1 && images.length <= MOST_ON_SHEET, 'images', `1 to ${MOST_ON_SHEET} pictures`);
  check(isWhole(columns, 1, MOST_ON_SHEET), 'columns', `a whole number from 1 to ${MOST_ON_SHEET}`);
  check(isWhole(cell, MIN_CELL, MAX_CELL), 'cell', `a whole number from ${MIN_CELL} to ${MAX_CELL}`);
  const { width, height } = sizeOfSheet({ images, columns, cell });
  if (width * height <= MOST_PIXELS && Math.max(width, height) <= MOST_SIDE) return;
  const message = `The sheet would have ${width} x ${height} pixels. Ask for smaller cells or fewer pictures.`;
  throw new AppError('INVALID_INPUT', message, { path: ['cell'] });
}

export function sizeOfSheet({ images, columns, cell }: Sheet): SheetSize {
  const gap = Math.max(1, Math.round(cell * GAP_SHARE));
  const side = (n: number) => n * cell + (n - 1) * gap;
  const rows = Math.ceil(images.length / columns);
  return { width: side(Math.min(columns, images.length)), height: side(rows), rows, gap };
}

/** @throws AppError INVALID_INPUT where the recipes are too long to be one id */
export function encodeSheet({ images, columns, cell }: Sheet): string {
  const id = compactId([1, cell, columns, images.map(jsonOfId)]);
  if (id !== undefined) return id;
  const message = 'These pictures have long recipes: so many are no address that a browser can open. Take fewer.';
  throw new AppError('INVALID_INPUT', message, { path: ['images'] });
}

/** The sheet of an id of any origin; undefined where it is none. */
export function decodeSheet(id: string): Sheet | undefined {
  const parsed = stored.safeParse(readCompactId(id));
  if (!parsed.success) return undefined;
  const [, cell, columns, recipes] = parsed.data;
  try {
    const images = recipes.map(idOfJson);
    const sheet = { images, columns, cell };
    checkSheet(sheet);
    return images.every((image) => decodeRecipe(image) !== undefined) ? sheet : undefined;
  } catch {
    // Too large, or nested so deeply that it cannot be written again.
    return undefined;
  }
}

const isWhole = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max;

function check(holds: boolean, field: string, what: string): void {
  if (!holds) throw new AppError('INVALID_INPUT', `${field} must be ${what}.`, { path: [field] });
}
