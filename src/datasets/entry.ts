/** What a layout says about a collection: its works, and what could not be used and why. */
import type { LabelKind } from '../core/labels.ts';

/** Why a file or a line of a collection was passed over, in words that clients may rely on. */
export const ISSUE_CODES = [
  /** The file ends before its picture does. */
  'TRUNCATED',
  /** The file's content is damaged in another way. */
  'DAMAGED',
  /** The content is no picture, whatever the name says. */
  'NOT_AN_IMAGE',
  /** A kind of picture that is not read: SVG, PDF, PSD and others. */
  'UNSUPPORTED',
  'EMPTY',
  'TOO_LARGE',
  'TOO_SMALL',
  /** Decoding took too long and was given up. */
  'TOO_SLOW',
  /** A symbolic link, or a path, that leads out of the collection's root. */
  'OUTSIDE_ROOT',
  /** A FIFO, a device, a socket: never opened. */
  'NOT_A_FILE',
  /** Named by a list of the collection, but not there. */
  'MISSING',
  /** No permission, or the disk failed. */
  'UNREADABLE',
  /** Two lists, or two lines of one, say different things of a work: the first holds. The work is kept. */
  'CONFLICTING_LABEL',
  /** A line of a list that says nothing usable. */
  'BAD_LINE',
  /** There are more files, or deeper folders, than an import looks at. */
  'TOO_MANY',
] as const;
export type IssueCode = (typeof ISSUE_CODES)[number];

export interface Issue {
  /** Path below the collection's folder, with a line number where a list is at fault: `manifest.csv:12`. */
  readonly file: string;
  readonly code: IssueCode;
  readonly message: string;
}

/** A picture inside a binary file of many. */
export interface Slice {
  readonly file: string;
  /** First byte of its pixels, and the side of the square: planar RGB, side x side bytes a plane. */
  readonly at: number;
  readonly side: number;
}

export interface Entry {
  /** Path below the collection's folder, or `<binary>:<index>`: what a work is known by when an import is repeated. */
  readonly file: string;
  /** Set for a work inside a binary file. */
  readonly slice?: Slice;
  readonly title?: string;
  readonly year?: number;
  /** Labels as the collection spells them. */
  readonly labels: { readonly [K in LabelKind]?: string };
}

/** What a layout made of a collection: works by path in code-unit order, each path once. */
export interface Plan {
  readonly entries: readonly Entry[];
  readonly issues: readonly Issue[];
}

/** A file that cannot become a work, told in the report of the import. */
export class BadPicture extends Error {
  override readonly name = 'BadPicture';
  readonly code: IssueCode;

  constructor(code: IssueCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** By code units, so that the order is the same everywhere. */
export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Well-formed text without control characters: what a database's text column takes. */
export function plain(text: string): string {
  // Through UTF-8 and back: a half of a surrogate pair becomes U+FFFD.
  return Buffer.from(text)
    .toString()
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
}
