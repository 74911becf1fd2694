/** Kept pictures and their files: whatever is kept and deleted at once, a row never names a file that is not there. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Generator } from '../../src/engine/host/generator.ts';
import { CollectionService } from '../../src/services/collections.ts';
import { GalleryExportService } from '../../src/services/gallery-export.ts';
import { imageList, imagesByIds, keepImages } from '../../src/store/images.ts';
import { countRows } from '../../src/store/page.ts';
import { appendEvent } from '../../src/store/run-log.ts';
import { claimNextRun } from '../../src/store/runs.ts';
import { openTestStore } from '../helpers/database.ts';
import { ASKER, type Lab, openLab, type Pictures } from '../helpers/lab.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { SCRIPTED } from '../helpers/scripted.ts';
import { newRun } from '../store/rows.ts';

let store: Awaited<ReturnType<typeof openTestStore>>;
let lab: Lab;
let engine: Generator;
let pictures: Pictures;

beforeAll(async () => {
  store = await openTestStore();
  lab = await openLab(store);
  await lab.writeStarter();
  await lab.models.registerStarter();
  engine = Generator.start({ device: 'cpu', heartbeatTimeoutMs: 10_000, log: recordingLog(), program: SCRIPTED });
  pictures = await lab.paintWith(engine);
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
});

async function kept(n: number, seed: number): Promise<string[]> {
  const made = await pictures.generation.generate({ label: 'Ukiyo-e', n, seed, truncation: 1 }, ASKER);
  const images = made.map(({ id }) => id);
  await pictures.gallery.keep({ images }, ASKER);
  return images;
}

const fileOf = async (id: string) => (await imagesByIds(store.db, [id]))[0]?.sha256 ?? '';

describe('the file of a picture', () => {
  it('goes with it, after its row', async () => {
    const [first = '', second = ''] = await kept(2, 100);
    const [gone, stays] = [await fileOf(first), await fileOf(second)];
    expect(await pictures.gallery.delete([first, first, 'nothing'])).toEqual([first]);
    expect([await lab.blobs.has(gone, 'png'), await lab.blobs.has(stays, 'png')]).toEqual([false, true]);
    expect(await pictures.gallery.delete([first])).toEqual([]);
  });

  it('stays where another picture or a grid of a run is the same', async () => {
    const [first = '', second = ''] = await kept(2, 200);
    const [row] = await imagesByIds(store.db, [first]);
    const { n: _n, ...same } = row ?? {
      n: 0,
      id: '',
      modelId: '',
      seed: 0,
      truncation: 1,
      sha256: '',
      width: 1,
      height: 1,
    };
    await keepImages(store.db, [{ ...same, id: 'the-same-file' }]);
    await pictures.gallery.delete([first]);
    expect(await lab.blobs.has(same.sha256, 'png')).toBe(true);
    await pictures.gallery.delete(['the-same-file']);
    expect(await lab.blobs.has(same.sha256, 'png')).toBe(false);

    const run = await newRun(store.db, lab.dataset.id);
    const fence = (await claimNextRun(store.db, { owner: 'me', leaseMs: 60_000 }))?.fence ?? -1;
    const sha256 = await fileOf(second);
    const grid = {
      type: 'sample' as const,
      id: 'grid',
      step: 1,
      columns: 1,
      rows: 1,
      labels: [] as string[],
      sha256,
      width: 1,
      height: 1,
    };
    await appendEvent(store.db, { runId: run.id, fence, body: grid });
    await pictures.gallery.delete([second]);
    expect(await lab.blobs.has(sha256, 'png')).toBe(true);
  });

  it('is there for every row, however often pictures are deleted and kept at once', async () => {
    const images = await kept(6, 300);
    const turns = Array.from({ length: 6 }, (_, i) =>
      i % 2 === 0
        ? pictures.gallery.delete(images)
        : pictures.gallery.keep({ images, tags: ['again'], favourite: true }, ASKER),
    );
    await Promise.all(turns);
    const rows = await imagesByIds(store.db, images);
    for (const { sha256 } of rows) expect(await lab.blobs.has(sha256, 'png')).toBe(true);
    await pictures.gallery.delete(images);
    const folders = await readdir(`${lab.dataDir}/blobs`);
    const files = (await Promise.all(folders.map((folder) => readdir(`${lab.dataDir}/blobs/${folder}`)))).flat();
    // One of each picture that is left, and the grid's.
    expect(files).toHaveLength((await countRows(store.db, imageList())) + 1);
  });
});

describe('an export', () => {
  it('paints a picture again whose file was lost, and leaves out what was kept after it was asked for', async () => {
    const images = await kept(3, 400);
    const service = new GalleryExportService({
      db: store.db,
      blobs: lab.blobs,
      painting: pictures.painting,
      log: lab.log,
    });
    const { id, count } = await service.start({ where: { label: 'ukiyo-e' } });
    expect(count).toBe(await countRows(store.db, imageList()));
    await lab.blobs.remove(await fileOf(images[0] ?? ''), 'png');
    await new Promise((resolve) => setTimeout(resolve, 2));
    await kept(1, 500);
    const names: string[] = [];
    let manifest = '';
    for await (const { name, bytes } of service.entries(await service.find(id))) {
      names.push(name);
      if (bytes instanceof Uint8Array) continue;
      for await (const part of bytes) manifest += Buffer.from(part).toString();
    }
    expect(names[0]).toBe('manifest.jsonl');
    expect(new Set(names).size).toBe(count + 1);
    const lines = manifest
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ file }) => file)).toEqual(names.slice(1));
    expect(names.at(-1)).toMatch(/^\d{8}-ukiyo-e-40\d\.png$/);
    await expect(service.find('nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('collections', () => {
  it('have a slug that is no number, and one owner of each name', async () => {
    const collections = new CollectionService(store.db);
    const made = await collections.create({ name: '1890' });
    expect(made.slug).toBe('collection-1890');
    const both = await Promise.allSettled([
      collections.create({ name: 'Twice' }),
      collections.create({ name: 'twice' }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    for (const name of ['', '  ', 'x'.repeat(61), 'a\nb\u0007'])
      await expect(collections.create({ name })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});
