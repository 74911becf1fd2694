// Writes labels into the embedded database of a folder without end, and says each time that one was acknowledged.
import { writeSync } from 'node:fs';
import { openStore } from '../../dist/store/db.js';
import { upsertLabels } from '../../dist/store/labels.js';

const [dataDir, prefix] = process.argv.slice(2);
const { db } = await openStore({ dataDir });
for (let i = 0; ; i++) {
  await upsertLabels(db, [{ kind: 'style', slug: `${prefix}-${i}`, name: 'x'.repeat(500) }]);
  writeSync(1, `${i}\n`);
}
