/** Imports as users ask for them, on a real database and real files. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AppError } from '../../src/core/errors.ts';
import { PackReader, sha256OfFile } from '../../src/datasets/pack-reader.ts';
import { ImportService } from '../../src/services/importing.ts';
import { artworkList } from '../../src/store/artworks.ts';
import { datasetBySlug, datasetList, issuesOfDatasets, updateDataset } from '../../src/store/datasets.ts';
import type { Store } from '../../src/store/db.ts';
import { labelList } from '../../src/store/labels.ts';
import { countRows, readPage } from '../../src/store/page.ts';
import { insertRun } from '../../src/store/runs.ts';
import type { DatasetRow } from '../../src/store/tables.ts';
import { openTestStore } from '../helpers/database.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { pageFor } from '../store/rows.ts';
import { noisy, put, quarters, temporaryFolder } from './fixtures.ts';

let store: Store;
let place: { readonly path: string } & AsyncDisposable;
let count = 0;
/** Roots, data folder and names of each test are its own; the database is shared. */
let root = '';
let dataDir = '';

beforeAll(async () => {
  place = await temporaryFolder();
  store = await openTestStore();
});
afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});
beforeEach(async () => {
  count++;
  root = join(place.path, `root-${count}`);
  dataDir = join(place.path, `data-${count}`);
  await mkdir(root);
});

const name = () => `Collection ${count}`;
const slug = () => `collection-${count}`;

function service(more: Partial<ConstructorParameters<typeof ImportService>[0]> = {}): ImportService {
  return new ImportService({ db: store.db, dataDir, roots: [root], log: recordingLog(), ...more });
}

async function works(dataset: DatasetRow) {
  return (await readPage(store.db, artworkList({ dataset: dataset.id }), { first: 100 })).rows;
}

async function issues(dataset: DatasetRow) {
  return (await pageFor(store.db, issuesOfDatasets, dataset.id, { first: 100 })).rows.map(({ file, code }) => [
    file,
    code,
  ]);
}

async function refusal(work: Promise<unknown>): Promise<AppError['code']> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Error && 'code' in error) return error.code as AppError['code'];
  throw new Error(`Not refused: ${error}`);
}

async function paintings(folder: string, files: readonly string[]): Promise<void> {
  for (const [i, file] of files.entries())
    await put(
      folder,
      file,
      await noisy(40 + i, 50)
        .jpeg()
        .toBuffer(),
    );
}

describe('importDataset', () => {
  it('makes works, labels, a report and a pack of a folder', async () => {
    await paintings(join(root, 'a'), ['Ukiyo_e/1.jpg', 'Ukiyo_e/2.jpg', 'Baroque/3.jpg', '4.jpg']);
    await put(root, 'a/Baroque/broken.jpg', 'not a picture');
    await put(root, 'a/dataset.json', '{"licence":"CC0","source":"A museum"}');
    await using imports = service();
    const dataset = await imports.importDataset({ name: name(), path: 'a', layout: 'AUTO', maxResolution: 64 });
    expect(dataset).toMatchObject({
      slug: slug(),
      status: 'READY',
      total: 5,
      processed: 5,
      skipped: 1,
      licence: 'CC0',
      source: 'A museum',
      maxResolution: 64,
      error: null,
    });
    expect(await issues(dataset)).toEqual([['Baroque/broken.jpg', 'NOT_AN_IMAGE']]);
    const rows = await works(dataset);
    expect(rows.map(({ file, packIndex }) => [file, packIndex])).toEqual([
      ['4.jpg', 0],
      ['Baroque/3.jpg', 1],
      ['Ukiyo_e/1.jpg', 2],
      ['Ukiyo_e/2.jpg', 3],
    ]);
    const styles = await readPage(store.db, labelList('style', { dataset: dataset.id }), { first: 10 });
    expect(styles.rows.map(({ name: style }) => style)).toEqual(['Baroque', 'Ukiyo-e']);
    expect(rows[0]).toMatchObject({ styleId: null, artistId: null });
    expect(rows[3]?.styleId).toBe(styles.rows[1]?.id);
    const pack = join(dataDir, dataset.packFile ?? '');
    expect(await sha256OfFile(pack)).toBe(dataset.packSha256);
    using reader = PackReader.open(pack);
    expect(reader.index.count).toBe(4);
  });

  it('repeats an import: nothing doubled, ids kept, what has gone is gone, the old pack too', async () => {
    await paintings(join(root, 'a'), ['Baroque/1.jpg', 'Baroque/2.jpg', 'Rococo/3.jpg']);
    await using imports = service();
    const again = (layout = 'AUTO') => imports.importDataset({ name: name(), path: join(root, 'a'), layout });
    const first = await again();
    const before = await works(first);
    const same = await again();
    expect(await works(same)).toEqual(before);
    expect(same).toMatchObject({ id: first.id, packSha256: first.packSha256 });
    await rm(join(root, 'a/Baroque/1.jpg'));
    await paintings(join(root, 'a'), ['Rococo/4.jpg']);
    const changed = await again('FOLDERS');
    const after = await works(changed);
    expect(after.map(({ file }) => file)).toEqual(['Baroque/2.jpg', 'Rococo/3.jpg', 'Rococo/4.jpg']);
    expect(after.slice(0, 2).map(({ id }) => id)).toEqual(before.slice(1).map(({ id }) => id));
    expect(changed.packSha256).not.toBe(first.packSha256);
    expect(await readdir(join(dataDir, 'datasets'))).toEqual([`${changed.packSha256}.artpack`]);
  });

  it('keeps a pack that a run, or another dataset, still needs', async () => {
    await paintings(join(root, 'a'), ['1.jpg']);
    await using imports = service();
    const first = await imports.importDataset({ name: name(), path: 'a', layout: 'AUTO' });
    const twin = await imports.importDataset({ name: `Twin ${count}`, path: 'a', layout: 'AUTO' });
    expect(twin.packFile).toBe(first.packFile);
    const run = { name: 'run', preset: 'studio', config: {}, resolution: 64, seed: 1, totalSteps: 1 } as const;
    await insertRun(store.db, { ...run, id: randomUUID(), datasetId: first.id });
    for (const path of ['2.jpg', '3.jpg']) {
      await paintings(join(root, 'a'), [path]);
      await imports.importDataset({ name: name(), path: 'a', layout: 'AUTO' });
    }
    expect(await readdir(join(dataDir, 'datasets'))).toHaveLength(3);
  });

  it('keeps an earlier import where the repetition fails', async () => {
    await paintings(join(root, 'a'), ['Baroque/1.jpg']);
    await using imports = service();
    const good = await imports.importDataset({ name: name(), path: 'a', layout: 'AUTO' });
    await put(root, 'a/Baroque/1.jpg', 'no picture any more');
    const failing = imports.importDataset({ name: name(), path: 'a', layout: 'AUTO', maxResolution: 32 });
    await expect(failing).rejects.toMatchObject({ code: 'UNREADABLE_DATASET' });
    const row = await datasetBySlug(store.db, slug());
    expect(row).toMatchObject({ status: 'READY', packFile: good.packFile, maxResolution: 128, total: 1 });
    expect(row?.error).toMatch(/None of its 1 pictures can be read/);
    expect(await works(good)).toHaveLength(1);
    expect(await imports.tilePicture((await works(good))[0] as never, good)).toMatchObject({ size: 144 });
  });

  it('leaves nothing of a first import whose layout was mistaken', async () => {
    await paintings(join(root, 'good'), ['1.jpg']);
    await mkdir(join(root, 'empty'), { recursive: true });
    await using imports = service();
    for (const [path, layout] of [
      ['good', 'MANIFEST'],
      ['empty', 'AUTO'],
    ] as const) {
      expect(await refusal(imports.importDataset({ name: name(), path, layout }))).toBe('UNREADABLE_DATASET');
      expect(await datasetBySlug(store.db, slug())).toBeUndefined();
    }
  });

  it('marks a first import that brings nothing as failed, with its report, and lets the name be used again', async () => {
    await put(root, 'bad/a.jpg', 'text');
    await paintings(join(root, 'good'), ['1.jpg']);
    await using imports = service();
    expect(await refusal(imports.importDataset({ name: name(), path: 'bad', layout: 'AUTO' }))).toBe(
      'UNREADABLE_DATASET',
    );
    const failed = await datasetBySlug(store.db, slug());
    expect(failed).toMatchObject({ status: 'FAILED', packFile: null });
    expect(failed?.error).toMatch(/a\.jpg/);
    expect(failed === undefined ? [] : await issues(failed)).toEqual([['a.jpg', 'NOT_AN_IMAGE']]);
    expect(await refusal(imports.importDataset({ name: name(), path: 'bad', layout: 'MANIFEST' }))).toBe(
      'UNREADABLE_DATASET',
    );
    const good = await imports.importDataset({ name: name(), path: 'good', layout: 'AUTO' });
    expect(good).toMatchObject({ status: 'READY', id: failed?.id, error: null });
    expect(await issues(good)).toEqual([]);
  });

  it('refuses what is wrong before it writes anything', async () => {
    await paintings(join(root, 'a'), ['1.jpg']);
    await paintings(join(root, 'b'), ['1.jpg']);
    await using imports = service();
    await imports.importDataset({ name: name(), path: 'a', layout: 'AUTO' });
    const before = await countRows(store.db, datasetList());
    const asked = { name: 'New', path: 'a', layout: 'AUTO' };
    const wrong = [
      [{ ...asked, name: ' ' }, 'INVALID_INPUT'],
      [{ ...asked, name: '¡!' }, 'INVALID_INPUT'],
      [{ ...asked, name: 'x'.repeat(121) }, 'INVALID_INPUT'],
      [{ ...asked, layout: 'ZIP' }, 'INVALID_INPUT'],
      [{ ...asked, maxResolution: 48.5 }, 'INVALID_INPUT'],
      [{ ...asked, path: '../..' }, 'PATH_NOT_ALLOWED'],
      [{ ...asked, path: '/etc' }, 'PATH_NOT_ALLOWED'],
      [{ ...asked, path: 'nowhere' }, 'UNREADABLE_DATASET'],
      [{ ...asked, name: name(), path: 'b' }, 'CONFLICT'],
    ] as const;
    for (const [input, code] of wrong)
      expect(await refusal(imports.importDataset(input)), JSON.stringify(input)).toBe(code);
    expect(await countRows(store.db, datasetList())).toBe(before);
  });

  it('does not answer a wish for another folder with the import that is under way', async () => {
    await paintings(
      join(root, 'a'),
      Array.from({ length: 30 }, (_, i) => `${i}.jpg`),
    );
    await paintings(join(root, 'b'), ['1.jpg']);
    await using imports = service();
    const asked = { name: name(), path: 'a', layout: 'AUTO' };
    await imports.importDataset({ ...asked, waitSeconds: 0 });
    for (const other of [{ path: 'b' }, { layout: 'FOLDERS' }, { maxResolution: 32 }])
      expect(await refusal(imports.importDataset({ ...asked, ...other }))).toBe('CONFLICT');
    expect(await imports.importDataset(asked)).toMatchObject({ status: 'READY', total: 30 });
  });

  it('makes one dataset of two wishes at once, and one label of many spellings', async () => {
    await paintings(join(root, 'a'), ['ukiyo-e/1.jpg', 'Ukiyo_e/2.jpg', 'UKIYO E/3.jpg']);
    await using imports = service();
    const wish = { name: name(), path: 'a', layout: 'FOLDERS' };
    const [one, two] = await Promise.all([imports.importDataset(wish), imports.importDataset(wish)]);
    expect(two.id).toBe(one.id);
    expect(new Set((await works(one)).map(({ styleId }) => styleId)).size).toBe(1);
  });

  it('answers before its end where the wait is short, and tells how far it is', async () => {
    await paintings(
      join(root, 'a'),
      Array.from({ length: 30 }, (_, i) => `${i}.jpg`),
    );
    const seen: [string, number][] = [];
    await using imports = service({ onProgress: ({ status, processed }) => seen.push([status, processed]) });
    const asked = { name: name(), path: 'a', layout: 'AUTO', waitSeconds: 0 };
    expect(await imports.importDataset(asked)).toMatchObject({ status: 'IMPORTING', packFile: null });
    expect(await imports.importDataset(asked, { signal: AbortSignal.abort() })).toMatchObject({ status: 'IMPORTING' });
    expect(await imports.importDataset({ ...asked, waitSeconds: 60 })).toMatchObject({
      status: 'READY',
      processed: 30,
    });
    expect(seen.at(0)).toEqual(['IMPORTING', 0]);
    expect(seen.at(-1)).toEqual(['READY', 30]);
  });
});

describe('an import that is cut off', () => {
  it('begins again at the next start', async () => {
    await paintings(
      join(root, 'a'),
      Array.from({ length: 60 }, (_, i) => `Baroque/${i}.jpg`),
    );
    {
      await using imports = service();
      await imports.importDataset({ name: name(), path: 'a', layout: 'AUTO', waitSeconds: 0 });
    }
    const cut = await datasetBySlug(store.db, slug());
    expect(cut).toMatchObject({ status: 'IMPORTING', packFile: null });
    expect(await readdir(join(dataDir, 'datasets')).catch(() => [])).toEqual([]);
    // What a killed process leaves, and what another one may be writing right now.
    for (const file of ['old.artpack.tmp', 'new.artpack.tmp']) await put(dataDir, `datasets/${file}`, 'x');
    await utimes(join(dataDir, 'datasets/old.artpack.tmp'), 1e9, 1e9);

    await using imports = service();
    await imports.resumeUnfinished();
    const dataset = await imports.importDataset({ name: name(), path: 'a', layout: 'AUTO', waitSeconds: 60 });
    expect(dataset).toMatchObject({ id: cut?.id, status: 'READY', total: 60 });
    expect(await countRows(store.db, artworkList({ dataset: dataset.id }))).toBe(60);
    expect((await readdir(join(dataDir, 'datasets'))).sort()).toEqual(
      [`${dataset.packSha256}.artpack`, 'new.artpack.tmp'].sort(),
    );
  });

  it('fails where its folder may not be read any more', async () => {
    await paintings(join(root, 'a'), ['1.jpg']);
    {
      await using imports = service();
      const { id } = await imports.importDataset({ name: name(), path: 'a', layout: 'AUTO' });
      await updateDataset(store.db, id, { status: 'IMPORTING', packFile: null });
    }
    await using imports = service({ roots: [] });
    await imports.resumeUnfinished();
    expect(await datasetBySlug(store.db, slug())).toMatchObject({
      status: 'FAILED',
      error: expect.stringMatching(/outside/),
    });
  });
});

describe('the starter collection', () => {
  it('is imported once, whole, with its licence', async () => {
    await using imports = service({ roots: [] });
    const starter = await imports.importStarter();
    expect(starter).toMatchObject({ slug: 'starter', name: 'Starter', status: 'READY', total: 629, skipped: 0 });
    expect(starter?.licence).toBe('Public domain (works); see starter/collection/README.md');
    expect(await imports.importStarter()).toBeUndefined();
    if (starter === undefined) return;
    expect(await issues(starter)).toEqual([]);
    const artwork = (await works(starter))[0];
    const tile = artwork === undefined ? undefined : await imports.tilePicture(artwork, starter);
    expect(tile).toMatchObject({ size: 144 });
    expect(tile?.pixels).toHaveLength(144 * 144 * 3);
  });

  it('does not keep a server from starting', async () => {
    await using imports = service({ starterFolder: join(root, 'none') });
    await updateDataset(store.db, (await datasetBySlug(store.db, 'starter'))?.id ?? '', { status: 'FAILED' });
    expect(await imports.importStarter()).toBeUndefined();
  });
});

it('gives the pixels of a work', async () => {
  await put(root, 'a/1.png', await quarters(144).png().toBuffer());
  await using imports = service();
  const dataset = await imports.importDataset({ name: name(), path: 'a', layout: 'AUTO' });
  const [artwork] = await works(dataset);
  if (artwork === undefined) throw new Error('No work');
  const { pixels } = await imports.tilePicture(artwork, dataset);
  expect([...pixels.subarray(0, 3), ...pixels.subarray(-3)]).toEqual([255, 0, 0, 255, 255, 255]);
  expect(await refusal(imports.tilePicture({ ...artwork, packIndex: 9 }, dataset))).toBe('NOT_FOUND');
  expect(await refusal(imports.tilePicture(artwork, { ...dataset, packFile: null }))).toBe('DATASET_NOT_READY');
});
