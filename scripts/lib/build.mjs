// dist/: what runs. Made anew only when a source, the compiler or its settings changed.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { lastLines, run } from './command.mjs';
import { Stop } from './errors.mjs';
import { readJson, sha256, writeJson } from './files.mjs';
import { say } from './log.mjs';
import { dist, modules, root } from './paths.mjs';

const sources = join(root, 'src');
const stampFile = join(dist, '.build.json');

/** @param {string} folder  every file in it, relative, in a fixed order */
function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** @param {readonly string[]} files */
function stampOf(files) {
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].map((name) => join(root, name));
  return sha256(
    ...[...settings, ...files.map((file) => join(sources, file))].flatMap((path) => [path, readFileSync(path)]),
  );
}

/** @param {string} file  a file of src/ @returns {string[]} what it becomes in dist/ */
function outputsOf(file) {
  if (file.endsWith('.d.ts')) return [];
  return file.endsWith('.ts') ? [file.replace(/ts$/, 'js'), file.replace(/ts$/, 'js.map')] : [file];
}

export function buildReady() {
  const files = filesIn(sources);
  return (
    readJson(stampFile) === stampOf(files) && files.flatMap(outputsOf).every((file) => existsSync(join(dist, file)))
  );
}

export async function build() {
  const files = filesIn(sources);
  const stamp = stampOf(files);
  if (buildReady()) return;
  say('Building …');
  rmSync(stampFile, { force: true });
  // The compiler trusts its own record, and would not write again what was deleted from dist/.
  rmSync(join(dist, '.tsbuildinfo'), { force: true });
  const compiler = join(modules, 'typescript', 'bin', 'tsc');
  const outcome = await run(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root });
  if (outcome.code !== 0) throw new Stop(`The build failed:\n${lastLines(outcome.output, 40)}`);
  for (const file of files.filter((name) => !name.endsWith('.ts'))) {
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    copyFileSync(join(sources, file), join(dist, file));
  }
  const wanted = new Set(files.flatMap(outputsOf));
  // What is left of deleted sources; a server that runs from dist/ meanwhile keeps everything else in place.
  for (const file of filesIn(dist)) if (!wanted.has(file) && file !== '.tsbuildinfo') rmSync(join(dist, file));
  writeJson(stampFile, stamp);
}
