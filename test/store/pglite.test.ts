import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore, ping } from '../../src/store/db.ts';
import { allLabels, upsertLabels } from '../../src/store/labels.ts';
import { type TestDatabase, testDatabase } from '../helpers/database.ts';

const CHILD = fileURLToPath(new URL('./write-child.mjs', import.meta.url));

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
});
afterEach(() => database[Symbol.asyncDispose]());

describe('the embedded database', () => {
  it('has every acknowledged row after its process was killed in the middle of writing', async () => {
    const { dataDir } = database.options;
    for (let round = 0; round < 5; round++) {
      const child = spawn(process.execPath, [CHILD, dataDir, `r${round}`], { stdio: ['ignore', 'pipe', 'inherit'] });
      let acknowledged = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged = Number(line) + 1;
        if (acknowledged === 1)
          await expect(openStore(database.options)).rejects.toThrow(`in use by process ${child.pid} `);
        if (acknowledged === 40 + 37 * round) child.kill('SIGKILL');
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      expect(child.signalCode).toBe('SIGKILL');
      await using store = await openStore(database.options);
      const found = (await allLabels(store.db)).filter(({ slug }) => slug.startsWith(`r${round}-`));
      const slugs = new Set(found.map(({ slug }) => slug));
      for (let i = 0; i < acknowledged; i++) expect(slugs, `${i} of ${acknowledged}`).toContain(`r${round}-${i}`);
    }
  });

  it('can be opened after a first start that was killed while it was made', async () => {
    const { dataDir } = database.options;
    await rm(dataDir, { recursive: true });
    await mkdir(dataDir);
    const child = spawn(process.execPath, [CHILD, dataDir, 'x'], { stdio: ['ignore', 'ignore', 'inherit'] });
    const exit = once(child, 'exit');
    // From this file on it looks like a database, and is none yet.
    const looksReady = () =>
      ['database', 'database.new'].some((folder) => existsSync(join(dataDir, folder, 'PG_VERSION')));
    while (child.exitCode === null && !looksReady()) await setImmediate();
    child.kill('SIGKILL');
    await exit;
    expect(child.signalCode).toBe('SIGKILL');
    const store = await openStore(database.options);
    await upsertLabels(store.db, [{ kind: 'style', slug: 'a', name: 'A' }]);
    await store[Symbol.asyncDispose]();
    expect(await readdir(dataDir)).toEqual(['database']);
  });

  it('says what to do where the data folder cannot be one', async () => {
    const { dataDir } = database.options;
    await writeFile(join(dataDir, 'file'), '');
    const inside = join(dataDir, 'file', 'data');
    const refusal = await openStore({ dataDir: inside }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'INVALID_CONFIG' });
    expect(String(refusal)).toContain(`${inside} cannot be used: `);
    expect(String(refusal)).toContain('choose another DATA_DIR');
  });

  it('refuses to be opened twice, and can be opened once it is closed', async () => {
    const first = await openStore(database.options);
    await expect(openStore(database.options)).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' });
    await ping(first.db);
    await first[Symbol.asyncDispose]();
    expect(await readdir(database.options.dataDir)).toEqual(['database']);
    await using second = await openStore(database.options);
    await ping(second.db);
  });

  it('is opened again as it was, and its migrations run once', async () => {
    const first = await openStore(database.options);
    expect(first).toMatchObject({ kind: 'pglite', soleOwner: true });
    await upsertLabels(first.db, [{ kind: 'style', slug: 'a', name: 'A' }]);
    const labels = await allLabels(first.db);
    await first[Symbol.asyncDispose]();
    await expect(ping(first.db)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await using second = await openStore(database.options);
    expect(await allLabels(second.db)).toEqual(labels);
  });

  it('says what to do where it is damaged, and deletes nothing', async () => {
    const { dataDir } = database.options;
    const control = join(dataDir, 'database', 'global', 'pg_control');
    await copyFile(control, join(dataDir, 'kept'));
    await writeFile(control, 'no longer a database');
    const before = await readdir(join(dataDir, 'database'));
    const refusal = await openStore(database.options).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(String(refusal)).toContain(join(dataDir, 'database'));
    expect(String(refusal)).toMatch(/Nothing was deleted\. Put a backup/);
    expect(await readdir(join(dataDir, 'database'))).toEqual(expect.arrayContaining(before));
    expect((await stat(control)).size).toBe('no longer a database'.length);
    await copyFile(join(dataDir, 'kept'), control);
    await using store = await openStore(database.options);
    await ping(store.db);
  });
});
