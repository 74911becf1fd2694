// Everything that must be in place before the project runs, in order; nothing that is in place is done again.
import { join } from 'node:path';
import { build, buildReady } from './build.mjs';
import { Stop } from './errors.mjs';
import { withLock } from './lock.mjs';
import { say } from './log.mjs';
import { installPackages, packagesReady } from './packages.mjs';
import { root, work } from './paths.mjs';
import { describeTensorflow, provideTensorflow, tensorflowReady } from './tensorflow.mjs';

export async function setUp() {
  const ready = packagesReady() && buildReady() ? await tensorflowReady() : undefined;
  if (ready) return report(ready);
  try {
    await withLock(join(work, 'setup.lock'), async () => {
      await installPackages();
      report(await provideTensorflow(), true);
      await build();
    });
  } catch (error) {
    const { code = '', path = root } = /** @type {NodeJS.ErrnoException} */ (error);
    if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) throw error;
    throw new Stop(`This user may not write ${path}: set the project up as the user that owns its folder.`);
  }
}

/**
 * A way worse than the usual one is told at every start.
 * @param {import('./tensorflow.mjs').Ready} ready
 * @param {boolean} [always]
 */
function report(ready, always = false) {
  if (always || ready.kind !== 'wheel') say(describeTensorflow(ready));
}
