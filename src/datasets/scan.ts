/**
 * Walks one folder below an allowed root and lists its files. Opens nothing, follows no link out of the roots, and never
 * lists what is no regular file. The order is by path, in code units, on every machine.
 */
import type { Dirent } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { AppError } from '../core/errors.ts';
import { byCodeUnits, type Issue } from './entry.ts';

export const MAX_FILES = 500_000;
export const MAX_DEPTH = 16;
const IGNORED = /^(\..*|thumbs\.db|ehthumbs\.db|desktop\.ini|__macosx|@eadir|\$recycle\.bin)$/i;

/** A folder that may be read: both paths are real, without links. */
export interface AllowedFolder {
  readonly path: string;
  readonly roots: readonly string[];
}

export interface Scan {
  readonly files: readonly string[];
  readonly issues: readonly Issue[];
}

/**
 * The folder that a user asks to import. A relative path is looked for below each root.
 * @throws AppError PATH_NOT_ALLOWED where it lies in none of the roots (whether it exists or not), UNREADABLE_DATASET
 * where it does not exist or is no folder.
 */
export async function allowFolder(path: string, roots: readonly string[]): Promise<AllowedFolder> {
  if (path.trim() === '' || path.includes('\0'))
    throw new AppError('INVALID_INPUT', 'path must name a folder.', { path: ['input', 'path'] });
  const real = await realRoots(roots);
  const wanted = isAbsolute(path) ? [resolve(path)] : roots.map((root) => resolve(root, path));
  const inside = wanted.filter((candidate) => [...roots, ...real].some((root) => isWithin(root, candidate)));
  if (inside.length === 0) throw notAllowed(path, roots);
  for (const candidate of inside) {
    const found = await realpath(candidate).catch(() => undefined);
    if (found === undefined) continue;
    if (!real.some((root) => isWithin(root, found))) throw notAllowed(path, roots);
    if ((await stat(found)).isDirectory()) return { path: found, roots: real };
    throw unreadable(`${path} is not a folder.`);
  }
  throw unreadable(`There is no folder ${path}.`);
}

/** Whether `path` is `root` or lies below it; both absolute and normalised. */
export function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** All regular files below the folder, `/` between folders; links inside the roots are followed once. */
export async function scanFolder(folder: AllowedFolder, signal?: AbortSignal): Promise<Scan> {
  const files: string[] = [];
  const issues: Issue[] = [];
  const visited = new Set([folder.path]);
  const waiting: { path: string; real: string; depth: number }[] = [{ path: '', real: folder.path, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    signal?.throwIfAborted();
    for (const entry of await entriesOf(next.real, next.path, issues)) {
      if (IGNORED.test(entry.name)) continue;
      const path = next.path === '' ? entry.name : `${next.path}/${entry.name}`;
      const target = await follow(folder, { path, real: join(next.real, entry.name), entry });
      if ('code' in target) issues.push({ file: path, ...target });
      else if (!target.isFolder) files.push(path);
      else if (next.depth >= MAX_DEPTH)
        issues.push({
          file: path,
          code: 'TOO_MANY',
          message: `Folders are read ${MAX_DEPTH} deep; this one is deeper.`,
        });
      else if (!visited.has(target.real)) {
        visited.add(target.real);
        waiting.push({ path, real: target.real, depth: next.depth + 1 });
      }
    }
    if (files.length > MAX_FILES) {
      issues.push({
        file: next.path,
        code: 'TOO_MANY',
        message: `More than ${MAX_FILES} files; the rest was not read.`,
      });
      break;
    }
  }
  return {
    files: files.sort(byCodeUnits).slice(0, MAX_FILES),
    issues: issues.sort((a, b) => byCodeUnits(a.file, b.file)),
  };
}

type Target = { readonly isFolder: boolean; readonly real: string } | Omit<Issue, 'file'>;

async function follow(
  folder: AllowedFolder,
  { real, entry }: { path: string; real: string; entry: Dirent },
): Promise<Target> {
  if (entry.isDirectory() || entry.isFile()) return lostName(entry.name, real, entry.isDirectory());
  if (!entry.isSymbolicLink())
    return { code: 'NOT_A_FILE', message: 'It is a pipe, a socket or a device, which is never opened.' };
  const target = await realpath(real).catch(() => undefined);
  if (target === undefined) return { code: 'MISSING', message: 'It is a symbolic link to nothing.' };
  if (!folder.roots.some((root) => isWithin(root, target)))
    return { code: 'OUTSIDE_ROOT', message: 'It is a symbolic link that leads out of the allowed folders.' };
  if (isWithin(target, folder.path))
    return { code: 'OUTSIDE_ROOT', message: 'It is a symbolic link to a folder around the collection.' };
  const found = await stat(target).catch(() => undefined);
  if (found?.isDirectory()) return { isFolder: true, real: target };
  if (found?.isFile()) return { isFolder: false, real: target };
  return { code: 'NOT_A_FILE', message: 'It is a symbolic link to something that is no file.' };
}

/** Node replaces bytes that are no UTF-8, and then cannot open the file by that name. */
async function lostName(name: string, real: string, isFolder: boolean): Promise<Target> {
  const isLost = name.includes('\ufffd') && (await lstat(real).catch(() => undefined)) === undefined;
  if (isLost) return { code: 'UNREADABLE', message: 'Its name is not valid UTF-8. Rename it.' };
  return { isFolder, real };
}

async function entriesOf(real: string, path: string, issues: Issue[]): Promise<Dirent[]> {
  try {
    const entries = await readdir(real, { withFileTypes: true });
    // Reversed names for folders do not matter: they are taken from a stack, and all is sorted at the end.
    return entries.sort((a, b) => byCodeUnits(a.name, b.name));
  } catch (error) {
    if (path === '') throw unreadable(`The folder ${basename(real)} cannot be read.`, error);
    issues.push({ file: path, code: 'UNREADABLE', message: `The folder cannot be read (${codeOf(error)}).` });
    return [];
  }
}

/** The system's name for a failure, such as EACCES. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

async function realRoots(roots: readonly string[]): Promise<string[]> {
  const found = await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)));
  return found.filter((root) => root !== undefined);
}

function notAllowed(path: string, roots: readonly string[]): AppError {
  const allowed = roots.length === 0 ? 'none is allowed (see DATASET_ROOTS)' : roots.join(', ');
  return new AppError(
    'PATH_NOT_ALLOWED',
    `${path.slice(0, 200)} lies outside the folders that may be imported: ${allowed}.`,
    {
      path: ['input', 'path'],
    },
  );
}

function unreadable(message: string, cause?: unknown): AppError {
  return new AppError('UNREADABLE_DATASET', message, { path: ['input', 'path'], cause });
}
