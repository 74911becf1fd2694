// What the scripts and benchmarks use of the built program.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Stop } from './errors.mjs';
import { dist, work } from './paths.mjs';

/** @param {string} file  below dist/ */
export const built = (file) => import(pathToFileURL(join(dist, file)).href);

/**
 * A folder of works as a packed training file, under `.tensorflow/evaluation` unless told.
 * @param {string} source
 * @param {string} [folder]
 * @returns {Promise<{ file: string, sha256: string, count: number }>}
 */
export async function packOf(source, folder = join(work, 'evaluation')) {
  const { readCollection } = await built('datasets/collection.js');
  const { allowFolder } = await built('datasets/scan.js');
  const { buildPack } = await built('datasets/build.js');
  await mkdir(folder, { recursive: true });
  const collection = await readCollection(await allowFolder(source, [source]), 'AUTO');
  const { pack } = await buildPack({ collection, folder, maxResolution: 128 });
  if (pack === undefined) throw new Stop(`There is no picture in ${source} that can be used.`);
  return { file: pack.path, sha256: pack.sha256, count: pack.count };
}
