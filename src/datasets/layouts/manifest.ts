/**
 * MANIFEST: one CSV that names each picture's file, artist, style, genre, title and year: any order of columns, any
 * case, with comma, semicolon or tab. Pictures lie beside it or under `images/`. Pure.
 */
import { parse } from 'csv-parse/sync';
import { matchKey } from '../../core/labels.ts';
import type { Issue, Plan } from '../entry.ts';
import { PathFinder, yearOf } from './names.ts';
import { LayoutProblem, type Listing, PlanBuilder } from './plan.ts';

const COLUMNS = {
  file: 'file,filename,path,filepath,image,imagefile,imagepath,imagename,picture,img',
  artist: 'artist,artistname,author,painter,creator,maker',
  style: 'style,stylename,movement,artstyle',
  genre: 'genre,genrename,subject',
  title: 'title,name,worktitle,caption',
  year: 'year,date,created,creationyear,completionyear',
} as const;
type Column = keyof typeof COLUMNS;
const COLUMN_OF = new Map<string, Column>();
for (const column of ['file', 'artist', 'style', 'genre', 'title', 'year'] as const)
  for (const word of COLUMNS[column].split(',')) COLUMN_OF.set(word, column);

const FOLDERS_OF_PICTURES = ['', 'images/', 'image/', 'pictures/', 'img/', 'data/'];

const OUTSIDE = Symbol('outside');

/** The list to go by: one named manifest or metadata, else the only one with a column for the file. */
export function findManifest(listing: Listing): string | undefined {
  const lists = [...listing.texts.keys()].filter((path) => /\.(csv|tsv)$/i.test(path) && isManifest(listing, path));
  const named = lists.filter((path) => /(^|\/)(manifest|metadata)\.[^/]*$/i.test(path));
  const depth = (path: string) => path.split('/').length;
  const outermost = [...named].sort((a, b) => depth(a) - depth(b))[0];
  return outermost ?? (lists.length === 1 ? lists[0] : undefined);
}

export function planManifest(listing: Listing): Plan {
  const path = findManifest(listing);
  if (path === undefined)
    throw new LayoutProblem(
      'There is no manifest: a CSV file, best called manifest.csv, whose first line names its columns (file, artist, style, genre, title, year), of which only file is needed.',
    );
  const text = listing.texts.get(path) ?? '';
  const columns = headerOf(text);
  const finder = new PathFinder(listing.files);
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const plan = new PlanBuilder();
  for (const { line, record } of recordsOf(path, text)) {
    const cell = (column: Column) => record[columns.get(column) ?? -1];
    const named = (cell('file') ?? '').trim();
    const where = `${path}:${line}`;
    const target = locate(named, folder, finder);
    const year = yearOf(cell('year'));
    if (target !== undefined && target !== OUTSIDE)
      plan.say(
        target,
        { artist: cell('artist'), style: cell('style'), genre: cell('genre'), title: cell('title'), year },
        where,
      );
    else if (target === OUTSIDE || !refusedBefore(listing, folder, named)) plan.issue(lostLine(named, where, target));
  }
  return plan.build();
}

function lostLine(named: string, where: string, target: typeof OUTSIDE | undefined): Issue {
  if (target === OUTSIDE)
    return { file: where, code: 'OUTSIDE_ROOT', message: `"${named}" leads out of the collection's folder.` };
  if (named === '') return { file: where, code: 'BAD_LINE', message: 'The line names no file.' };
  return { file: named, code: 'MISSING', message: `${where} names it, but there is no such file.` };
}

function isManifest(listing: Listing, path: string): boolean {
  return headerOf(listing.texts.get(path) ?? '').has('file');
}

/** Which column is where, by the first line. */
function headerOf(text: string): Map<Column, number> {
  const places = new Map<Column, number>();
  const first = text.match(/^[^\r\n]*/)?.[0] ?? '';
  const names = first.split(delimiterOf(first)).map((name) => name.replace(/^[\s"\ufeff]+|[\s"]+$/g, ''));
  for (const [place, name] of names.entries()) {
    const column = COLUMN_OF.get(matchKey(name));
    if (column !== undefined && !places.has(column)) places.set(column, place);
  }
  return places;
}

/** The separator that the first line has most of. */
function delimiterOf(text: string): string {
  const first = text.match(/^[^\r\n]*/)?.[0] ?? '';
  const count = (separator: string) => first.split(separator).length;
  return [',', ';', '\t', '|'].reduce((best, separator) => (count(separator) > count(best) ? separator : best));
}

interface Row {
  /** Where the record ends, from 1. */
  readonly line: number;
  readonly record: readonly string[];
}

function recordsOf(path: string, text: string): Row[] {
  const rows: Row[] = [];
  try {
    parse(text, {
      bom: true,
      delimiter: delimiterOf(text),
      from: 2,
      on_record: (record: string[], { lines }) => {
        rows.push({ line: lines, record });
        return null;
      },
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      trim: true,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LayoutProblem(`${path} cannot be read as CSV: ${why}`);
  }
  return rows;
}

/** The file that a line means, OUTSIDE for a path that leads out of the collection, undefined where there is none. */
function locate(named: string, folder: string, finder: PathFinder): string | typeof OUTSIDE | undefined {
  const path = named.replaceAll('\\', '/').replace(/^(\.\/)+/, '');
  if (path === '') return undefined;
  if (path.startsWith('/') || /^[a-z]:\//i.test(path) || path.split('/').includes('..')) return OUTSIDE;
  for (const below of FOLDERS_OF_PICTURES) {
    const found = finder.find(`${folder}${below}${path}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function refusedBefore(listing: Listing, folder: string, named: string): boolean {
  const path = named.replaceAll('\\', '/').replace(/^(\.\/)+/, '');
  return FOLDERS_OF_PICTURES.some((below) => listing.refused.has(`${folder}${below}${path}`));
}
