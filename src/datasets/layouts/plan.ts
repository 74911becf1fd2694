/** What every layout is given and how it builds its plan: works by path, each once, first statement first. Pure. */
import { LABEL_KINDS, type LabelKind } from '../../core/labels.ts';
import { byCodeUnits, type Entry, type Issue, type Plan, plain } from '../entry.ts';
import { labelKeyOf } from './vocabulary.ts';

export const LAYOUTS = ['FOLDERS', 'MANIFEST', 'WIKIART', 'ARTBENCH'] as const;
export type LayoutName = (typeof LAYOUTS)[number];

/** A collection as its layout sees it. */
export interface Listing {
  /** Name of the collection's folder. */
  readonly name: string;
  /** All files below it, `/` between folders, in code-unit order. */
  readonly files: readonly string[];
  /** The text of those that are lists (CSV, class files), by path. */
  readonly texts: ReadonlyMap<string, string>;
  /** Paths that were found but refused: links out of the root, FIFOs. A list that names one is not told twice. */
  readonly refused: ReadonlySet<string>;
  /** The labels of the records of each CIFAR-style binary, by path. */
  readonly records: ReadonlyMap<string, Records>;
}

export interface Records {
  /** The label byte of each whole record. */
  readonly labels: Uint8Array;
  /** Bytes after the last whole record. */
  readonly rest: number;
}

/** What the person who owns a collection must mend before anything can be imported. */
export class LayoutProblem extends Error {
  override readonly name = 'LayoutProblem';
}

type Statement = { readonly [K in LabelKind | 'title']?: string | undefined } & { readonly year?: number | undefined };

const MAX_TITLE = 500;

interface Draft {
  title?: string;
  year?: number;
  labels: { [K in LabelKind]?: string };
}

/** Collects what lists and names say of each file. The first statement holds; a contradiction is told. */
export class PlanBuilder {
  readonly #drafts = new Map<string, Draft>();
  readonly #issues: Issue[] = [];
  /** By spelling: there are few labels, and many works that have them. */
  readonly #keys = new Map<string, string>();

  /** `where` is the list and line that says so; without it (a file's own name) contradictions are not worth a word. */
  say(file: string, said: Statement, where?: string): void {
    const draft = this.#drafts.get(file) ?? { labels: {} };
    this.#drafts.set(file, draft);
    for (const kind of LABEL_KINDS) {
      const label = said[kind]?.trim();
      if (label === undefined || label === '') continue;
      const before = draft.labels[kind];
      if (before === undefined) draft.labels[kind] = label;
      else if (where !== undefined && this.#keyOf(kind, before) !== this.#keyOf(kind, label))
        this.issue({
          file,
          code: 'CONFLICTING_LABEL',
          message: `Its ${kind} is "${plain(before)}"; ${where} says "${plain(label)}". The first is kept.`,
        });
    }
    const title = plain(said.title ?? '').slice(0, MAX_TITLE);
    if (draft.title === undefined && title !== '') draft.title = title;
    if (draft.year === undefined && said.year !== undefined) draft.year = said.year;
  }

  #keyOf(kind: LabelKind, label: string): string {
    const key = this.#keys.get(`${kind}:${label}`) ?? labelKeyOf(kind, label);
    this.#keys.set(`${kind}:${label}`, key);
    return key;
  }

  issue(issue: Issue): void {
    this.#issues.push(issue);
  }

  build(): Plan {
    const files = [...this.#drafts.keys()].sort(byCodeUnits);
    return { entries: files.map((file) => entryOf(file, this.#drafts.get(file))), issues: this.#issues };
  }
}

function entryOf(file: string, draft: Draft | undefined): Entry {
  return draft === undefined ? { file, labels: {} } : { file, ...draft };
}

const COMPANION_EXTENSIONS =
  /\.(csv|tsv|txt|md|rst|json|jsonl|ya?ml|toml|html?|xml|url|ini|log|py|ipynb|sh|js|ts|sql|db|sha256|md5|pkl|pickle|npy|bin)$/i;
const COMPANION_NAMES =
  /^(readme|licen[cs]e|copying|notice|authors|citation|makefile|(style|genre|artist)_(class|train|val)|classes)$/i;

/** Whether a file could be meant as a picture. What is a list, a text or a program beside the pictures is not. */
export function maybePicture(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return !COMPANION_EXTENSIONS.test(name) && !COMPANION_NAMES.test(name);
}
