/** Grids of pictures: two kinds of what can be asked for, each with each, everything else the same. */
import { AppError } from '../core/errors.ts';
import type { LabelKind } from '../core/labels.ts';
import type { Mix } from '../core/mix.ts';
import type { ModelCard } from '../core/model-card.ts';
import type { Db } from '../store/db.ts';
import type { ModelRow } from '../store/tables.ts';
import { labelOfKind } from './conditions.ts';
import type { Picture, PictureRequest } from './generation.ts';

/** `seeds`: the same labels, another drawing in each row or column. */
export const GRID_AXES = ['artists', 'styles', 'genres', 'seeds'] as const;
export type GridAxis = (typeof GRID_AXES)[number];

export interface AxesRequest {
  readonly gridBy: { readonly rows: GridAxis; readonly columns: GridAxis };
  /** Labels by slug, name or id; left out: those with the most works. */
  readonly rows?: readonly string[] | null | undefined;
  readonly columns?: readonly string[] | null | undefined;
}

export interface GridRequest
  extends AxesRequest,
    Pick<PictureRequest, 'seed' | 'truncation' | 'model' | 'conditions'> {}

/** What stands at a row or column: a label's slug, or how many seeds from the first. */
export type Heading =
  | { readonly kind: LabelKind; readonly slug: string }
  | { readonly kind: 'seed'; readonly place: number };

export interface Axes {
  readonly rows: readonly Heading[];
  readonly columns: readonly Heading[];
}

export interface PictureGrid extends Axes {
  readonly seed: number;
  readonly model: ModelRow;
  /** Row by row. */
  readonly pictures: readonly Picture[];
}

interface Cell {
  readonly mix: Mix;
  /** Seeds from the first. */
  readonly place: number;
}

/** Of one side, unless told. */
const USUAL = 6;
const MOST_CELLS = 64;
const KINDS = { artists: 'artist', styles: 'style', genres: 'genre' } as const;

/** @throws AppError INVALID_INPUT, UNKNOWN_LABEL */
export async function gridAxes(db: Db, card: ModelCard, { gridBy, rows, columns }: AxesRequest): Promise<Axes> {
  if (gridBy.rows === gridBy.columns)
    throw new AppError('INVALID_INPUT', 'Rows and columns must be of different kinds.', { path: ['gridBy'] });
  const axes = {
    rows: await headings(db, card, { axis: gridBy.rows, asked: rows ?? undefined, path: 'rows' }),
    columns: await headings(db, card, { axis: gridBy.columns, asked: columns ?? undefined, path: 'columns' }),
  };
  if (axes.rows.length * axes.columns.length <= MOST_CELLS) return axes;
  const message = `The grid would have ${axes.rows.length} x ${axes.columns.length} pictures; at most ${MOST_CELLS}. Name fewer rows or columns.`;
  throw new AppError('INVALID_INPUT', message, { path: ['rows'] });
}

/** Row by row. */
export async function cellsOf(
  { rows, columns }: Axes,
  mixOf: (labels: { readonly [K in LabelKind]?: string }) => Promise<Mix>,
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const row of rows) {
    for (const column of columns) {
      const labels = Object.fromEntries(
        [row, column].flatMap((it) => (it.kind === 'seed' ? [] : [[it.kind, it.slug]])),
      );
      const place = [row, column].reduce((sum, it) => sum + (it.kind === 'seed' ? it.place : 0), 0);
      cells.push({ mix: await mixOf(labels), place });
    }
  }
  return cells;
}

interface AskedAxis {
  readonly axis: GridAxis;
  readonly asked: readonly string[] | undefined;
  readonly path: string;
}

async function headings(db: Db, card: ModelCard, { axis, asked, path }: AskedAxis): Promise<Heading[]> {
  if (axis === 'seeds') return seeds(asked, path);
  const kind = KINDS[axis];
  if (asked?.length === 0)
    throw new AppError('INVALID_INPUT', `Name at least one of the ${axis}, or leave ${path} out.`, { path: [path] });
  if (asked !== undefined && asked.length > MOST_CELLS)
    throw new AppError('INVALID_INPUT', `At most ${MOST_CELLS} ${path}.`, { path: [path] });
  const known = [...card.labels[kind]].sort((a, b) => b.count - a.count).slice(0, USUAL);
  const names = asked ?? known.map(({ slug }) => slug);
  if (names.length === 0)
    throw new AppError('UNKNOWN_LABEL', `This model knows no ${axis}.`, { path: ['gridBy', path] });
  const found: Heading[] = [];
  for (const [i, name] of names.entries())
    found.push({ kind, slug: await labelOfKind(db, card, { kind, name, path: [path, String(i)] }) });
  return found;
}

function seeds(asked: readonly string[] | undefined, path: string): Heading[] {
  if (asked !== undefined)
    throw new AppError('INVALID_INPUT', `${path} are seeds here: say the first one by seed.`, { path: [path] });
  return Array.from({ length: USUAL }, (_, place) => ({ kind: 'seed', place }) as const);
}
