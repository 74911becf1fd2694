/**
 * A folder -> its works: walks it, reads its lists, finds its layout and what it says of licence and source. Decodes
 * no pictures.
 */
import { basename } from 'node:path';
import { z } from 'zod';
import { BadPicture, type Entry, type Issue, plain } from './entry.ts';
import { isBinary, isClassNames, RECORD_BYTES } from './layouts/artbench.ts';
import { detectLayout, planLayout } from './layouts/detect.ts';
import type { LayoutName, Listing, Records } from './layouts/plan.ts';
import { isWikiArtList } from './layouts/wikiart.ts';
import { MAX_FILE_BYTES, openInside } from './read-inside.ts';
import { type AllowedFolder, scanFolder } from './scan.ts';

/** Lists are read whole, so they are bounded: WikiArt's largest has 5 MB. */
const MAX_LIST_BYTES = 32 * 1024 * 1024;
const MAX_LISTS = 64;
const MAX_LIST_DEPTH = 4;
const MAX_NOTE = 300;

export interface Collection {
  readonly folder: AllowedFolder;
  readonly layout: LayoutName;
  readonly entries: readonly Entry[];
  readonly issues: readonly Issue[];
  readonly licence: string | null;
  readonly source: string | null;
}

/** @throws LayoutProblem where the folder does not have the layout that is asked for. */
export async function readCollection(
  folder: AllowedFolder,
  layout: LayoutName | 'AUTO',
  signal?: AbortSignal,
): Promise<Collection> {
  const scan = await scanFolder(folder, signal);
  const issues = [...scan.issues];
  const refused = new Set(issues.map((issue) => issue.file));
  const texts = await readTexts(folder, scan.files, issues);
  const records = await readRecords(folder, scan.files, issues);
  signal?.throwIfAborted();
  const listing: Listing = { name: basename(folder.path), files: scan.files, texts, refused, records };
  const chosen = layout === 'AUTO' ? detectLayout(listing) : layout;
  const plan = planLayout(chosen, listing);
  const notes = notesOf(texts);
  return { folder, layout: chosen, entries: plan.entries, issues: [...issues, ...plan.issues], ...notes };
}

function isList(path: string): boolean {
  const depth = path.split('/').length;
  if (depth === 1 && /^(dataset\.json|(licen[cs]e|copying|readme)(\.(txt|md))?)$/i.test(path)) return true;
  return depth <= MAX_LIST_DEPTH && (/\.(csv|tsv)$/i.test(path) || isWikiArtList(path) || isClassNames(path));
}

async function readTexts(
  folder: AllowedFolder,
  files: readonly string[],
  issues: Issue[],
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const path of files.filter(isList).slice(0, MAX_LISTS)) {
    const bytes = await readWhole(folder, path, { most: MAX_LIST_BYTES, issues });
    if (bytes !== undefined) texts.set(path, decodeText(bytes));
  }
  return texts;
}

/** The label byte of every record of the binaries; their pixels are read when they are packed. */
async function readRecords(
  folder: AllowedFolder,
  files: readonly string[],
  issues: Issue[],
): Promise<Map<string, Records>> {
  const records = new Map<string, Records>();
  for (const path of files.filter(isBinary)) {
    const bytes = await readWhole(folder, path, { most: MAX_FILE_BYTES, issues });
    if (bytes === undefined) continue;
    const count = Math.floor(bytes.length / RECORD_BYTES);
    const labels = Uint8Array.from({ length: count }, (_, i) => bytes[i * RECORD_BYTES] ?? 0);
    records.set(path, { labels, rest: bytes.length % RECORD_BYTES });
  }
  return records;
}

async function readWhole(
  folder: AllowedFolder,
  path: string,
  { most, issues }: { most: number; issues: Issue[] },
): Promise<Buffer | undefined> {
  try {
    await using file = await openInside(folder, path);
    if (file.size <= most) return await file.read(0, file.size);
    issues.push({ file: path, code: 'TOO_LARGE', message: `It has ${file.size} bytes; at most ${most} are read.` });
  } catch (error) {
    if (!(error instanceof BadPicture)) throw error;
    issues.push({ file: path, code: error.code, message: error.message });
  }
  return undefined;
}

/** UTF-8 with or without its mark, UTF-16 with it, and else Windows-1252, which takes any bytes. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

const note = z.string().optional().catch(undefined);
const datasetJson = z.object({ licence: note, license: note, source: note });

/** Licence and source: by dataset.json, a line "Licence: …" in a README, or the first line of a licence file. */
function notesOf(texts: ReadonlyMap<string, string>): { licence: string | null; source: string | null } {
  const found: { licence?: string | undefined; source?: string | undefined }[] = [];
  const top = [...texts].filter(([path]) => !path.includes('/'));
  for (const [path, text] of top) if (path.toLowerCase() === 'dataset.json') found.push(fromJson(text));
  for (const [path, text] of top)
    if (/^readme/i.test(path))
      found.push({
        licence: text.match(/^\W*licen[cs]e\W*:\W*(.+)$/im)?.[1],
        source: text.match(/^\W*source\W*:\W*(.+)$/im)?.[1],
      });
  for (const [path, text] of top)
    if (/^(licen[cs]e|copying)/i.test(path))
      found.push({ licence: text.split(/\r?\n/).find((line) => /\w/.test(line)) });
  const first = (key: 'licence' | 'source') => {
    const said = found.map((one) => plain(one[key] ?? '').slice(0, MAX_NOTE)).find((text) => text !== '');
    return said ?? null;
  };
  return { licence: first('licence'), source: first('source') };
}

function fromJson(text: string): { licence?: string | undefined; source?: string | undefined } {
  try {
    const { licence, license, source } = datasetJson.parse(JSON.parse(text));
    return { licence: licence ?? license, source };
  } catch {
    return {}; // a dataset.json of another tool
  }
}
