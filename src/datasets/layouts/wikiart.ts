/**
 * WIKIART: the refined WikiArt set: `<Style_Folder>/<artist-slug>_<title>.jpg`, and beside it, wherever they lie, the
 * lists `{style,genre,artist}_{class,train,val}` with or without an extension. Pure.
 *
 * The lists have traps, each handled here: no header, or two header lines; `path,,index` in those of the artists; CRLF;
 * paths whose spelling was damaged (PathFinder); folder `Art_Nouveau_Modern` for class `Art_Nouveau` (vocabulary); a
 * work with two genres; an older class file with another order and "name index" on a line, which is not gone by.
 */
import type { LabelKind } from '../../core/labels.ts';
import type { Plan } from '../entry.ts';
import { artistAndTitle, foldersOf, PathFinder } from './names.ts';
import { LayoutProblem, type Listing, maybePicture, PlanBuilder } from './plan.ts';
import { isKnown, WIKIART_CLASSES } from './vocabulary.ts';

const LIST = /(?:^|\/)(style|genre|artist)_(class|train|val)(?:\.(?:csv|txt))?$/i;
const KINDS = ['style', 'genre', 'artist'] as const;

/** Whether a file is one of the set's lists. */
export function isWikiArtList(path: string): boolean {
  return LIST.test(path);
}

/** `Baroque/rembrandt_the-night-watch.jpg`: the style is known and the name has an artist. */
export function looksLikeWikiArt(path: string): boolean {
  const style = foldersOf(path).at(-1);
  return style !== undefined && isKnown('style', style) && artistAndTitle(path).artist !== undefined;
}

export function planWikiArt(listing: Listing): Plan {
  const pictures = listing.files.filter(maybePicture);
  const lists = [...listing.texts.keys()].filter(isWikiArtList);
  if (lists.length === 0 && !pictures.some(looksLikeWikiArt))
    throw new LayoutProblem(
      'This is not laid out like WikiArt: neither its lists (style_train.csv and so on) nor folders named after styles with files called artist_title.jpg are there.',
    );
  const plan = new PlanBuilder();
  const finder = new PathFinder(pictures.map(belowStyle));
  const places = new Map(pictures.map((path) => [belowStyle(path), path]));
  const refused = new Set([...listing.refused].map(belowStyle));
  for (const kind of KINDS) {
    const classes = classesOf(listing, kind, plan);
    for (const part of ['train', 'val'])
      for (const path of lists.filter((list) => isList(list, kind, part)))
        readList({ path, text: listing.texts.get(path) ?? '', kind, classes, plan, finder, places, refused });
  }
  for (const path of pictures) plan.say(path, { style: foldersOf(path).at(-1), ...artistAndTitle(path) }, 'its path');
  return plan.build();
}

/** The last folder and the name: how the lists write a path. */
function belowStyle(path: string): string {
  return path.split('/').slice(-2).join('/');
}

function isList(path: string, kind: LabelKind, part: string): boolean {
  const found = path.match(LIST);
  return found?.[1]?.toLowerCase() === kind && found[2]?.toLowerCase() === part;
}

/** Names by index, from the class file; the published ones where there is none that can be gone by. */
function classesOf(listing: Listing, kind: LabelKind, plan: PlanBuilder): ReadonlyMap<number, string> {
  for (const [path, text] of listing.texts) {
    if (!isList(path, kind, 'class')) continue;
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
    const pairs = lines.map((line) => line.trim().match(/^(\d+)[\s,;:]+(\S.*)$/));
    const classes = new Map<number, string>();
    for (const pair of pairs) if (pair?.[2] !== undefined) classes.set(Number(pair[1]), pair[2].trim());
    if (classes.size === lines.length && classes.size > 0) return classes;
    plan.issue({
      file: path,
      code: 'BAD_LINE',
      message: 'Not every line is "index name"; the published order of the classes is used instead of this file.',
    });
  }
  return new Map(WIKIART_CLASSES[kind].map((name, i) => [i, name]));
}

interface ListReading {
  readonly path: string;
  readonly text: string;
  readonly kind: LabelKind;
  readonly classes: ReadonlyMap<number, string>;
  readonly plan: PlanBuilder;
  readonly finder: PathFinder;
  /** Path as the lists write it -> path below the collection's folder. */
  readonly places: ReadonlyMap<string, string>;
  /** Told already by the walk over the folders. */
  readonly refused: ReadonlySet<string>;
}

function readList({ path, text, kind, classes, plan, finder, places, refused }: ListReading): void {
  const missing = new Set<string>();
  let first = true;
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const where = `${path}:${i + 1}`;
    const found = line.match(/^\s*"?(.+?)"?\s*,\s*,?\s*"?(\d+)"?\s*$/);
    const name = classes.get(Number(found?.[2]));
    if (found?.[1] === undefined || name === undefined) {
      if (!first || found !== null)
        plan.issue({ file: where, code: 'BAD_LINE', message: 'The line is not a path and the index of a class.' });
      first = false;
      continue;
    }
    first = false;
    const named = belowStyle(found[1].replaceAll('\\', '/'));
    const target = places.get(finder.find(named) ?? '');
    if (target !== undefined) plan.say(target, { [kind]: name }, where);
    else if (!missing.has(named) && !refused.has(named)) {
      missing.add(named);
      plan.issue({ file: named, code: 'MISSING', message: `${where} names it, but there is no such file.` });
    }
  }
}
