// A folder of works as a packed training file, for benchmarks that train.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Stop } from '../scripts/lib/errors.mjs';
import { dist, work } from '../scripts/lib/paths.mjs';

/** @param {string} file  below dist/ */
export const built = (file) => import(pathToFileURL(join(dist, file)).href);

/** @param {string} source @returns {Promise<string>} the pack's path */
export async function packOf(source) {
  const { readCollection } = await built('datasets/collection.js');
  const { allowFolder } = await built('datasets/scan.js');
  const { buildPack } = await built('datasets/build.js');
  const folder = join(work, 'evaluation');
  mkdirSync(folder, { recursive: true });
  const collection = await readCollection(await allowFolder(source, [source]), 'AUTO');
  const { pack } = await buildPack({ collection, folder, maxResolution: 128 });
  if (pack === undefined) throw new Stop(`There is no picture in ${source} that can be used.`);
  return pack.path;
}
