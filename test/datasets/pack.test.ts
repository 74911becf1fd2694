import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/core/errors.ts';
import { buildPack } from '../../src/datasets/build.ts';
import { readCollection } from '../../src/datasets/collection.ts';
import { decodeTiles, inspect } from '../../src/datasets/decode.ts';
import { type FinishedPack, PackWriter, packLevels } from '../../src/datasets/pack.ts';
import { PackReader, sha256OfFile } from '../../src/datasets/pack-reader.ts';
import { allowFolder } from '../../src/datasets/scan.ts';
import { noisy, put, temporaryFolder } from './fixtures.ts';

const label = (name: string) => ({ slug: name.toLowerCase(), name });

async function smallPack(folder: string): Promise<FinishedPack> {
  await using writer = await PackWriter.create(folder, 32);
  for (let i = 0; i < 3; i++) {
    const labels = i === 2 ? {} : { style: label(i === 0 ? 'Rococo' : 'Baroque'), artist: label('One') };
    expect(await writer.add(new Uint8Array(writer.stride).fill(i + 1), labels)).toBe(i);
  }
  return await writer.finish();
}

describe('a pack', () => {
  it('has one level per resolution, 9/8 as large', () => {
    expect(packLevels(256).levels.map(({ resolution, size }) => [resolution, size])).toEqual([
      [32, 36],
      [64, 72],
      [128, 144],
      [256, 288],
    ]);
    expect(packLevels(64)).toMatchObject({ stride: 36 * 36 * 3 + 72 * 72 * 3 });
  });

  it('gives back what was put in, is named by its hash, and leaves no other file', async () => {
    await using folder = await temporaryFolder();
    const pack = await smallPack(folder.path);
    expect(await readdir(folder.path)).toEqual([`${pack.sha256}.artpack`]);
    expect(await sha256OfFile(pack.path)).toBe(pack.sha256);
    using reader = PackReader.open(pack.path);
    expect(reader.index).toMatchObject({
      version: 1,
      count: 3,
      labels: {
        artist: [{ slug: 'one', name: 'One', count: 2 }],
        style: [
          { slug: 'baroque', name: 'Baroque', count: 1 },
          { slug: 'rococo', name: 'Rococo', count: 1 },
        ],
        genre: [],
      },
      works: { artist: [0, 0, -1], style: [1, 0, -1], genre: [-1, -1, -1] },
    });
    const level = reader.level(32);
    const into = new Uint8Array(10 + level.size ** 2 * 3);
    reader.readTile(1, level, into, 10);
    expect([into[9], into[10], into.at(-1)]).toEqual([0, 2, 2]);
    expect(() => reader.readTile(3, level, into, 0)).toThrow(RangeError);
    expect(() => reader.readTile(0, level, into, 11)).toThrow(RangeError);
    expect(() => reader.level(64)).toThrow(AppError);
  });

  it('leaves nothing behind where it was not finished', async () => {
    await using folder = await temporaryFolder();
    {
      await using writer = await PackWriter.create(folder.path, 32);
      await writer.add(new Uint8Array(writer.stride), {});
      await expect(writer.add(new Uint8Array(1), {})).rejects.toThrow(/bytes/);
    }
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('is refused where it is damaged', async () => {
    await using folder = await temporaryFolder();
    const { path, bytes } = await smallPack(folder.path);
    const good = await readFile(path);
    const refused = async (content: Uint8Array) => {
      await writeFile(path, content);
      expect(() => PackReader.open(path)).toThrow(expect.objectContaining({ code: 'UNREADABLE_DATASET' }));
    };
    for (const place of [0, bytes - 1, bytes - 16, bytes - 9]) {
      const changed = Buffer.from(good);
      changed[place] = (changed[place] ?? 0) ^ 0x40;
      await refused(changed);
    }
    await refused(Buffer.from(good.toString('latin1').replace('"count":3', '"count":4'), 'latin1'));
    await refused(Buffer.from(good.toString('latin1').replace('[1,0,-1]', '[1,9,-1]'), 'latin1'));
    await refused(good.subarray(0, 20));
    await refused(Buffer.alloc(0));
    expect(() => PackReader.open(join(folder.path, 'none'))).toThrow(AppError);
    await writeFile(path, good);
    using reader = PackReader.open(path);
    await truncate(path, 100);
    expect(() => reader.readTile(0, reader.level(32), new Uint8Array(4000), 0)).toThrow(/too soon/);
  });
});

describe('buildPack', () => {
  it('gives the same bytes however many pictures are decoded at once, whose tiles are the pictures’', async () => {
    await using root = await temporaryFolder();
    for (let i = 0; i < 9; i++)
      await put(
        root.path,
        `c/${i % 2 ? 'Baroque' : 'Ukiyo_e'}/${i}.jpg`,
        await noisy(60 + i * 40, 90)
          .jpeg()
          .toBuffer(),
      );
    await put(root.path, 'c/Baroque/bad.jpg', 'no picture');
    const collection = await readCollection(await allowFolder('c', [root.path]), 'AUTO');
    const build = (concurrency: number) =>
      buildPack({ collection, folder: join(root.path, 'packs'), maxResolution: 64, concurrency });
    const one = await build(1);
    const two = await build(2);
    const many = await build(8);
    expect(new Set([one.pack?.sha256, two.pack?.sha256, many.pack?.sha256]).size).toBe(1);
    expect(one.works.map(({ entry }) => entry.file)).toEqual(
      collection.entries.map(({ file }) => file).filter((file) => !file.endsWith('bad.jpg')),
    );
    expect(one.issues).toMatchObject([{ file: 'Baroque/bad.jpg', code: 'NOT_AN_IMAGE' }]);

    using reader = PackReader.open(many.pack?.path ?? '');
    const bytes = await noisy(60, 90).jpeg().toBuffer();
    const expected = await decodeTiles(bytes, await inspect(bytes, 72), reader.index.levels);
    const place = one.works.findIndex(({ entry }) => entry.file === 'Ukiyo_e/0.jpg');
    for (const level of reader.index.levels) {
      const tile = new Uint8Array(level.size ** 2 * 3);
      reader.readTile(place, level, tile, 0);
      expect(Buffer.from(tile).equals(expected.subarray(level.offset, level.offset + tile.length))).toBe(true);
    }
  });

  it('packs the records of ArtBench’s binaries', async () => {
    await using root = await temporaryFolder();
    const record = (style: number, value: number) => Buffer.concat([Buffer.of(style), Buffer.alloc(3072, value)]);
    await put(root.path, 'data_batch_1.bin', Buffer.concat([record(9, 10), record(4, 200)]));
    await put(root.path, 'test_batch.bin', Buffer.concat([record(9, 90), Buffer.of(1, 2)]));
    const collection = await readCollection(await allowFolder(root.path, [root.path]), 'AUTO');
    const built = await buildPack({ collection, folder: join(root.path, 'packs'), maxResolution: 32 });
    expect(collection.layout).toBe('ARTBENCH');
    expect(collection.issues).toMatchObject([{ file: 'test_batch.bin', code: 'TRUNCATED' }]);
    using reader = PackReader.open(built.pack?.path ?? '');
    expect(reader.index.labels.style).toEqual([
      { slug: 'post-impressionism', name: 'Post-Impressionism', count: 1 },
      { slug: 'ukiyo-e', name: 'Ukiyo-e', count: 2 },
    ]);
    const tile = new Uint8Array(36 * 36 * 3);
    reader.readTile(1, reader.level(32), tile, 0);
    expect(new Set(tile)).toEqual(new Set([200]));
  });

  it('writes nothing where no picture is good, and stops when it is told to', async () => {
    await using root = await temporaryFolder();
    await put(root.path, 'c/a.jpg', 'no picture');
    const collection = await readCollection(await allowFolder('c', [root.path]), 'AUTO');
    const folder = join(root.path, 'packs');
    expect((await buildPack({ collection, folder, maxResolution: 32 })).pack).toBeUndefined();
    await put(root.path, 'c/a.jpg', await noisy(50, 50).png().toBuffer());
    await expect(buildPack({ collection, folder, maxResolution: 32, signal: AbortSignal.abort() })).rejects.toThrow(
      /abort/i,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('reads licence and source from what lies beside the pictures', async () => {
    await using root = await temporaryFolder();
    await put(root.path, 'a/dataset.json', '{"license":"CC0","source":"A museum"}');
    await put(root.path, 'b/LICENSE', '\nCreative Commons Attribution 4.0\nmore');
    await put(root.path, 'c/README.md', '# Works\n\n- **Licence:** CC BY\n- Source: here\n');
    await put(root.path, 'd/dataset.json', '[1');
    const notes = async (name: string) => {
      const { licence, source } = await readCollection(await allowFolder(name, [root.path]), 'AUTO');
      return { licence, source };
    };
    expect(await notes('a')).toEqual({ licence: 'CC0', source: 'A museum' });
    expect(await notes('b')).toEqual({ licence: 'Creative Commons Attribution 4.0', source: null });
    expect(await notes('c')).toEqual({ licence: 'CC BY', source: 'here' });
    expect(await notes('d')).toEqual({ licence: null, source: null });
  });
});
