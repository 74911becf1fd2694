/** The imports of the sources, as text: what a file names, and whether it is needed when the program runs. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

export interface Import {
  /** A path below src/ (`store/db.ts`), or the name of a package (`drizzle-orm`, `node:fs`). */
  readonly what: string;
  /** Gone when compiled. */
  readonly typeOnly: boolean;
}

/** Every file below src/, with its text without comments. */
export function sources(): Map<string, string> {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts'));
  return new Map(files.sort().map((file) => [file, withoutComments(readFileSync(join(SRC, file), 'utf8'))]));
}

export function importsOf(file: string, text: string): Import[] {
  const statements = text.matchAll(/^(?:import|export)\b(\s+type\b)?[^'";]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'/gm);
  const dynamic = text.matchAll(/(typeof\s+)?\bimport\(\s*'([^']+)'\s*\)/g);
  const found = [
    ...[...statements].map(([, type, from, bare]) => ({ what: from ?? bare ?? '', typeOnly: type !== undefined })),
    ...[...dynamic].map(([, type, what = '']) => ({ what, typeOnly: type !== undefined })),
  ];
  return found.map(({ what, typeOnly }) => ({ what: resolved(file, what), typeOnly }));
}

/** All that is loaded when `entry` is run. */
export function loadedBy(entry: string, files: ReadonlyMap<string, string>): Set<string> {
  const loaded = new Set<string>();
  const visit = (name: string) => {
    if (loaded.has(name)) return;
    loaded.add(name);
    const text = files.get(name);
    if (text === undefined) return;
    for (const { what, typeOnly } of importsOf(name, text)) if (!typeOnly) visit(what);
  };
  visit(entry);
  return loaded;
}

function resolved(file: string, what: string): string {
  if (what.startsWith('.')) return posix.join(dirname(file), what);
  return what;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}
