import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/db.ts';
import { pickImages } from '../../src/store/gallery-filter.ts';
import { imageList, keepImages } from '../../src/store/images.ts';
import { labelBySlug, upsertLabels } from '../../src/store/labels.ts';
import {
  defaultModel,
  modelByDir,
  modelList,
  modelPage,
  modelsByIds,
  modelsByRuns,
  setDefault,
} from '../../src/store/models.ts';
import { countRows, readPage } from '../../src/store/page.ts';
import { type ModelRow, models } from '../../src/store/tables.ts';
import { openTestStore } from '../helpers/database.ts';
import { cardOf, newDataset, newModel, newRun } from './rows.ts';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store[Symbol.asyncDispose]());

const choose = (id: string) => store.db.transaction((tx) => setDefault(tx, id));

describe('models', () => {
  it('have one default at most, also when many are chosen at once', async () => {
    expect(await defaultModel(store.db)).toBeUndefined();
    const made: ModelRow[] = [];
    for (let i = 0; i < 6; i++) made.push(await newModel(store.db));
    await Promise.all(made.map(({ id }) => choose(id)));
    const defaults = await store.db.select().from(models).where(eq(models.isDefault, true));
    expect(defaults).toHaveLength(1);
    expect(await defaultModel(store.db)).toEqual(defaults[0]);
    await expect(choose('none')).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
    expect(await defaultModel(store.db)).toEqual(defaults[0]);
    await expect(newModel(store.db, { isDefault: true })).rejects.toThrow();
  });

  it('bring rows for the labels of their card', async () => {
    const style = [{ slug: 'suprematism', name: 'Suprematism', count: 3 }];
    const model = await newModel(store.db, { card: cardOf({ artist: [], style, genre: [] }) });
    expect(await labelBySlug(store.db, 'style', 'suprematism')).toMatchObject({ name: 'Suprematism' });
    expect(await modelByDir(store.db, model.dir)).toEqual(model);
    expect(await modelsByIds(store.db, [model.id])).toEqual([model]);
    await expect(newModel(store.db, { dir: model.dir })).rejects.toThrow();
    await expect(newModel(store.db, { card: { format: 2 } })).rejects.toThrow();
  });

  it('are listed newest first, and the newest of each run is known', async () => {
    const { id: datasetId } = await newDataset(store.db);
    const [one, two] = [await newRun(store.db, datasetId), await newRun(store.db, datasetId)];
    const at = { createdAt: new Date('2026-02-01') };
    const twins = [
      await newModel(store.db, { runId: two.id, ...at }),
      await newModel(store.db, { runId: two.id, ...at }),
    ];
    const [twin] = twins.toSorted((a, b) => (a.id < b.id ? 1 : -1));
    const older = await newModel(store.db, { runId: one.id, createdAt: new Date('2026-01-01') });
    const newer = await newModel(store.db, { runId: one.id });
    expect(await modelsByRuns(store.db, [one.id, two.id])).toEqual(
      new Map([
        [one.id, newer],
        [two.id, twin],
      ]),
    );
    const { rows } = await modelPage(store.db, { first: 100 });
    expect(rows).toHaveLength(await countRows(store.db, modelList()));
    expect([rows[0]?.id, rows.at(-1)?.id]).toEqual([newer.id, older.id]);
  });
});

describe('the gallery', () => {
  it('keeps a picture once, however often and by however many it is asked to, and answers in the order asked', async () => {
    const { id: modelId } = await newModel(store.db);
    const pictures = Array.from({ length: 40 }, () => ({
      id: randomUUID(),
      modelId,
      seed: 2 ** 53 - 1,
      truncation: 0.7,
      sha256: 'f'.repeat(64),
      width: 64,
      height: 64,
    }));
    const ids = pictures.map(({ id }) => id);
    const [first] = await keepImages(store.db, pictures.slice(0, 1));
    const kept = await Promise.all(
      Array.from({ length: 8 }, (_, i) => keepImages(store.db, i % 2 === 0 ? pictures : pictures.toReversed())),
    );
    expect(kept[0]?.map(({ id }) => id)).toEqual(ids);
    expect(kept[1]?.map(({ id }) => id)).toEqual(ids.toReversed());
    expect(kept[0]?.[0]).toEqual(first);
    expect(kept[0]?.[1]?.seed).toBe(2 ** 53 - 1);
    expect(await countRows(store.db, imageList())).toBe(40);
    const twice = await keepImages(store.db, [...pictures.slice(0, 1), ...pictures.slice(0, 1)]);
    expect(twice.map(({ id }) => id)).toEqual([ids[0], ids[0]]);
    expect(await keepImages(store.db, [])).toEqual([]);
  });

  it('is listed newest first, all or by label', async () => {
    const { id: modelId } = await newModel(store.db);
    const labels = await upsertLabels(store.db, [{ kind: 'genre', slug: 'marina', name: 'Marina' }]);
    const genreId = labels.get('genre:marina')?.id ?? '';
    const base = { modelId, seed: 1, truncation: 1, sha256: 'a', width: 1, height: 1 };
    await keepImages(store.db, [
      { ...base, id: 'm1', genreId, keptAt: new Date('2030-01-01') },
      { ...base, id: 'm2', genreId, keptAt: new Date('2030-01-02') },
      { ...base, id: 'm3', keptAt: new Date('2030-01-03') },
    ]);
    const marinas = imageList(await pickImages(store.db, { genre: genreId }));
    expect((await readPage(store.db, marinas, { first: 10 })).rows.map(({ id }) => id)).toEqual(['m2', 'm1']);
    expect(await countRows(store.db, marinas)).toBe(2);
    expect((await readPage(store.db, imageList(), { first: 2 })).rows.map(({ id }) => id)).toEqual(['m3', 'm2']);
  });
});
