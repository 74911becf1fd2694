// tfjs-node's binding between Node and TensorFlow's C library: plain C++ in its npm package, compiled here against the
// library that the wheel brought.
import { existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { lastLines, run } from './command.mjs';
import { Failure } from './errors.mjs';
import { copyWhole, readJson, sha256 } from './files.mjs';
import { say } from './log.mjs';
import { modules } from './paths.mjs';

/** @typedef {{ folder: string, wheels: readonly import('./wheels.mjs').Wheel[] }} Library */

export const tfjsNode = join(modules, '@tensorflow', 'tfjs-node-gpu');
/** The newest Node-API that tfjs-node's loader knows; every Node since 18.17 has it. */
const NAPI = 8;
/** Where tfjs-node looks for it. */
export const bindingFile = join(tfjsNode, 'lib', `napi-v${NAPI}`, 'tfjs_binding.node');
const sources = join(tfjsNode, 'binding');
const DEFINES = [`-DNAPI_VERSION=${NAPI}`, '-DNODE_GYP_MODULE_NAME=tfjs_binding'];
const FLAGS = ['-shared', '-fPIC', '-O2', '-std=c++17', ...DEFINES, '-Wl,-z,initfirst'];
const quiet = join(import.meta.dirname, 'quiet.cc');

/**
 * What the compiled binding depends on, in one short hash; undefined when tfjs-node is not installed.
 * @param {Library} library
 */
export function bindingKey(library) {
  if (!existsSync(sources)) return undefined;
  const files = readdirSync(sources).sort();
  return sha256(
    ...files.flatMap((name) => [name, readFileSync(join(sources, name))]),
    ...library.wheels.map((wheel) => wheel.sha256),
    ...FLAGS,
    readFileSync(quiet),
    readJson(join(modules, 'node-api-headers', 'package.json'))?.version ?? '',
    relative(dirname(bindingFile), library.folder),
  ).slice(0, 24);
}

/**
 * Beside the library, where it outlives node_modules.
 * @param {Library} library
 * @param {string} key
 */
const keptFile = (library, key) => join(library.folder, `tfjs_binding-${key}.node`);

/**
 * @param {Library} library
 * @param {string} key
 */
export const isCompiled = (library, key) => existsSync(keptFile(library, key));

/**
 * @param {Library} library
 * @param {string} key
 */
export function isInPlace(library, key) {
  const kept = statSync(keptFile(library, key), { throwIfNoEntry: false });
  const placed = statSync(bindingFile, { throwIfNoEntry: false });
  return kept !== undefined && kept.size === placed?.size;
}

/**
 * @param {Library} library
 * @param {string} key
 */
export function putInPlace(library, key) {
  copyWhole(keptFile(library, key), bindingFile);
}

/**
 * @param {Library} library
 * @param {string} key
 * @param {string} compiler
 */
export async function compile(library, key, compiler) {
  say('Compiling the binding between Node and TensorFlow …');
  const napi = createRequire(import.meta.url)('node-api-headers').include_dir;
  const tensorflow = join(library.folder, 'tensorflow');
  const files = readdirSync(sources).filter((name) => name.endsWith('.cc'));
  const output = join(library.folder, 'tfjs_binding.unfinished');
  const outcome = await run(compiler, [
    ...FLAGS,
    ...['-I', join(tensorflow, 'include'), '-I', napi],
    ...files.map((name) => join(sources, name)),
    quiet,
    ...['-o', output, '-L', tensorflow, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2'],
    // Relative, so that the project folder can be moved.
    `-Wl,-rpath,$ORIGIN/${relative(dirname(bindingFile), tensorflow)}`,
  ]);
  if (outcome.code !== 0) throw new Failure(`the binding did not compile (${compiler})`, lastLines(outcome.output));
  renameSync(output, keptFile(library, key));
}
