// Imports one folder with the built code and says what came of it, and the most memory that this process ever had.
import { buildPack } from '../../dist/datasets/build.js';
import { readCollection } from '../../dist/datasets/collection.js';
import { allowFolder } from '../../dist/datasets/scan.js';

const [path, root, packs] = process.argv.slice(2);
const collection = await readCollection(await allowFolder(path, [root]), 'AUTO');
const built = await buildPack({ collection, folder: packs, maxResolution: 128 });
const issues = [...collection.issues, ...built.issues].map(({ file, code, message }) => [file, code, message]);
process.stdout.write(
  JSON.stringify({
    works: built.works.map(({ entry }) => entry.file),
    issues,
    rssMb: process.resourceUsage().maxRSS / 1024,
  }),
);
