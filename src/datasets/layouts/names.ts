/**
 * Names of files as collections write them: artist and title out of `<artist-slug>_<title>`, years out of free text, and
 * the forgiving comparison of paths for lists whose spelling was damaged on its way (mojibake). Pure.
 */
import { slugOf } from '../../core/labels.ts';

/** Particles of names that stay in lower case inside a name. */
const SMALL = new Set('van von der den de del della di da do dos du la le les el y of the ten ter zu af'.split(' '));

/** The last part of a path without its extension. */
export function stemOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(0, dot) : name;
}

/** Folders of a path: "a/b/c.jpg" -> ["a", "b"]. */
export function foldersOf(path: string): string[] {
  return path.split('/').slice(0, -1);
}

/** The artist's slug has no digits and no capitals, so that `IMG_1234` and `scan-2_a` name nobody. */
const SLUG_AND_TITLE = /^[^\d\sA-Z_]{2,}_.*\p{L}/u;

/** "vincent-van-gogh_starry-night-1889(2).jpg" -> Vincent van Gogh, "Starry night", 1889. */
export function artistAndTitle(path: string): { artist?: string; title?: string; year?: number } {
  const stem = unmojibake(stemOf(path));
  if (!SLUG_AND_TITLE.test(stem)) return {};
  const cut = stem.indexOf('_');
  const rest = stem
    .slice(cut + 1)
    .replace(/\(\d+\)$/, '')
    .match(/^(.*?)(?:-((?:1\d|20)\d\d)(?:-\d)?)?$/);
  const words = (rest?.[1] ?? '').replace(/[-_]+/g, ' ').trim();
  const year = rest?.[2];
  return {
    artist: personName(stem.slice(0, cut)),
    ...(words === '' ? {} : { title: words.charAt(0).toUpperCase() + words.slice(1) }),
    ...(year === undefined ? {} : { year: Number(year) }),
  };
}

/** "leonardo-da-vinci" -> "Leonardo da Vinci". */
export function personName(slug: string): string {
  const words = slug.split(/[-_\s]+/).filter((word) => word !== '');
  return words
    .map((word, i) => (i > 0 && SMALL.has(word) ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join(' ');
}

/** The first year in a free text ("c. 1848", "1503–1519", "ca. 950"), or undefined. */
export function yearOf(text: string | undefined): number | undefined {
  const found = text?.match(/(?<![\d.])(\d{3,4})(?!\d)/)?.[1];
  const year = Number(found);
  return found !== undefined && year > 0 && year <= 2200 ? year : undefined;
}

/**
 * "joaquã\xadn" -> "joaquín": UTF-8 that was read as Latin-1, and then put in lower case, which damages the first byte
 * of each letter (Ã is read as ã). A text that is none comes back as it is, in NFC.
 */
export function unmojibake(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  const bytes = [...text].map((letter) => letter.codePointAt(0) ?? 0);
  if (!bytes.some((code) => code >= 0x80) || bytes.some((code) => code > 0xff)) return text.normalize('NFC');
  for (const repair of [(code: number) => code, lowerCased]) {
    try {
      return new TextDecoder('utf-8', { fatal: true })
        .decode(Uint8Array.from(bytes, (code, i) => ((bytes[i + 1] ?? 0) >= 0x80 && code < 0xf0 ? repair(code) : code)))
        .normalize('NFC');
    } catch {
      // not of this kind
    }
  }
  return text.normalize('NFC');
}

/** Lead bytes 0xC2 to 0xC5 (Latin letters with marks) after they were put in lower case. */
function lowerCased(code: number): number {
  return code >= 0xe2 && code <= 0xe5 ? code - 0x20 : code;
}

/** Finds the files that a list means, also where the list's spelling, or the disk's, is damaged. */
export class PathFinder {
  readonly #exact: ReadonlySet<string>;
  /** One map per way to compare, most exact first; null: more than one file has this key. */
  readonly #ways = [caseKey, letterKey, asciiKey].map((key) => ({ key, paths: new Map<string, string | null>() }));

  constructor(files: readonly string[]) {
    this.#exact = new Set(files);
  }

  /** The one file that `path` means; undefined where there is none, or where several could be meant. */
  find(path: string): string | undefined {
    if (this.#exact.has(path)) return path;
    for (const { key, paths } of this.#ways) {
      if (paths.size === 0) this.#index(paths, key);
      const found = paths.get(key(path));
      // "a_1.jpg" and "a-1.jpg" are two files: letters alone are gone by only where some were damaged.
      if (found != null && (key === caseKey || isDamaged(path) || isDamaged(found))) return found;
    }
    return undefined;
  }

  /** Not before the first path that is not found as it is: most collections have none. */
  #index(paths: Map<string, string | null>, keyOf: (path: string) => string): void {
    for (const file of this.#exact) {
      const key = keyOf(file);
      if (key === '') continue;
      paths.set(key, paths.has(key) ? null : file);
    }
  }
}

/** Whether a path has letters that get lost on the way from disk to disk, or what stands for them. */
function isDamaged(path: string): boolean {
  return /[^ -~]|#U[0-9a-f]{4}|\?/i.test(path);
}

const perPart = (path: string, key: (part: string) => string) => path.split('/').map(key).join('/');
const caseKey = (path: string) => path.normalize('NFC').toLowerCase();
const letterKey = (path: string) => perPart(path, (part) => slugOf(unmojibake(part)));

/**
 * Only what survives every damage: ASCII letters and digits (`#U00ed` is how unzip writes what it cannot). Empty, which
 * finds nothing, where that is too little of the name to tell it from another.
 */
function asciiKey(path: string): string {
  const key = (part: string) => part.toLowerCase().replace(/[^a-z0-9]/g, '');
  const whole = path.normalize('NFC').replace(/#U[0-9a-f]{4}/gi, '\u00bf');
  const name = whole.slice(whole.lastIndexOf('/') + 1).replace(/[-_.\s]/g, '');
  return key(name).length * 4 < name.length * 3 ? '' : perPart(whole, key);
}
