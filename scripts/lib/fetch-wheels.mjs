// Wheels by pip: each one whole, with the hash that it must have, in a folder of their own. pip's own settings decide
// where they come from. A run that was interrupted goes on with the wheels that it has not got yet.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, run } from './command.mjs';
import { Failure } from './errors.mjs';
import { sha256OfFile } from './files.mjs';
import { progress, say } from './log.mjs';
import { work } from './paths.mjs';
import { PYTHON } from './wheels.mjs';

/** @typedef {import('./wheels.mjs').Wheel} Wheel */

export const wheelsFolder = join(work, 'wheels');
const temporaryFolder = join(work, 'tmp');
const TRIES = 2;

/**
 * @param {Wheel} wheel
 * @param {string} python
 * @returns {Promise<string>} its path
 */
export async function fetchWheel(wheel, python) {
  const path = join(wheelsFolder, `${wheel.name}-${wheel.version}.whl`);
  if (existsSync(path) && (await sha256OfFile(path)) === wheel.sha256) return path;
  for (let attempt = 1; ; attempt++) {
    const { found, output } = await download(wheel, python);
    if (found) {
      mkdirSync(wheelsFolder, { recursive: true });
      renameSync(found, path);
    }
    rmSync(temporaryFolder, { recursive: true, force: true });
    if (found) return path;
    if (attempt === TRIES)
      throw new Failure(`pip could not download ${wheel.name} ${wheel.version}`, lastLines(output));
    say(`  ${wheel.name}: the download failed, trying again (${attempt + 1} of ${TRIES})`);
  }
}

/**
 * @param {Wheel} wheel
 * @param {string} python
 * @returns {Promise<{ found?: string, output: string }>}
 */
async function download(wheel, python) {
  // What a killed run left here is of no use: pip does not go on in the middle of a file.
  rmSync(temporaryFolder, { recursive: true, force: true });
  const into = join(temporaryFolder, 'wheel');
  mkdirSync(into, { recursive: true });
  const requirements = join(temporaryFolder, 'requirements.txt');
  writeFileSync(requirements, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  const follow = progress(`${wheel.name} ${wheel.version}`, wheel.bytes);
  // pip's own bar needs a terminal; the growing file in its temporary folder, which is ours, tells as much.
  const timer = setInterval(() => follow.at(sizeOf(temporaryFolder)), 250);
  const args = [
    ...['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--require-hashes', '--no-input'],
    ...['--python-version', PYTHON.version, '--implementation', 'cp', '--abi', PYTHON.abi],
    ...['--platform', wheel.platform, '--dest', into, '--requirement', requirements],
  ];
  const env = {
    TMPDIR: temporaryFolder,
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_REQUIRE_VIRTUALENV: '0',
    // Broken connections; a pip that is older than this setting passes over it.
    PIP_RESUME_RETRIES: '10',
  };
  const outcome = await run(python, args, { env });
  clearInterval(timer);
  follow.end();
  const name = readdirSync(into).find((entry) => entry.endsWith('.whl'));
  if (outcome.code !== 0 || !name) return { output: outcome.output };
  // pip has checked it; but pip can be set up to run with fewer checks than we ask for.
  const right = (await sha256OfFile(join(into, name))) === wheel.sha256;
  return right ? { found: join(into, name), output: '' } : { output: `${name} has another SHA-256 than it must have` };
}

/** @param {string} folder @returns {number} */
function sizeOf(folder) {
  let bytes = 0;
  try {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const entry = statSync(join(folder, name), { throwIfNoEntry: false });
      if (entry?.isFile()) bytes += entry.size;
    }
  } catch {
    // pip moves its files while we count: the next look is as good.
  }
  return bytes;
}
