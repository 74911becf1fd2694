/** The collections that people really have, and those that somebody made to do harm: in a process of their own. */
import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { flat, noisy, put, quarters, temporaryFolder } from './fixtures.ts';

const CHILD = fileURLToPath(new URL('./import-child.mjs', import.meta.url));
const answer = z.object({
  works: z.array(z.string()),
  issues: z.array(z.tuple([z.string(), z.string(), z.string()])),
  rssMb: z.number(),
});

async function importApart(path: string, root: string) {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, path, root, join(root, '..', 'packs')]);
  return answer.parse(JSON.parse(stdout));
}

describe('an import in a process of its own', () => {
  it('takes the good pictures of a bad folder, tells of each other file, and stays far below 1 GB', async () => {
    await using place = await temporaryFolder();
    const root = join(place.path, 'root');
    const folder = join(root, 'works');
    for (let i = 0; i < 12; i++)
      await put(
        folder,
        `good-${i}.jpg`,
        await quarters(100 + i)
          .jpeg()
          .toBuffer(),
      );
    const jpeg = await noisy(600, 400).jpeg().toBuffer();
    await put(folder, 'truncated.jpg', jpeg.subarray(0, Math.floor(jpeg.length / 2)));
    await put(folder, 'text.png', 'I am a text.');
    await put(folder, 'huge.png', await flat(20_000, 20_000).png({ compressionLevel: 1 }).toBuffer());
    await put(folder, 'cmyk.tif', await noisy(300, 200).toColourspace('cmyk').tiff().toBuffer());
    await put(place.path, 'secret.jpg', jpeg);
    await symlink(join(place.path, 'secret.jpg'), join(folder, 'link.jpg'));

    const { works, issues, rssMb } = await importApart(folder, root);
    expect(works).toEqual(['cmyk.tif', ...Array.from({ length: 12 }, (_, i) => `good-${i}.jpg`).sort()]);
    expect(issues.map(([file, code]) => [file, code]).sort()).toEqual([
      ['huge.png', 'TOO_LARGE'],
      ['link.jpg', 'OUTSIDE_ROOT'],
      ['text.png', 'NOT_AN_IMAGE'],
      ['truncated.jpg', 'TRUNCATED'],
    ]);
    expect(rssMb).toBeLessThan(300);
  });

  it('stays below 1 GB where every picture is as large as is read', async () => {
    await using place = await temporaryFolder();
    const root = join(place.path, 'root');
    await mkdir(root);
    await put(root, 'a.png', await flat(10_000, 10_000).png({ progressive: true, compressionLevel: 1 }).toBuffer());
    await put(root, 'c.jpg', await flat(10_000, 10_000).jpeg({ progressive: true, quality: 50 }).toBuffer());
    await put(root, 'd.tif', await flat(7500, 7500).tiff({ compression: 'none' }).toBuffer());
    const { works, issues, rssMb } = await importApart(root, root);
    expect(issues).toEqual([]);
    expect(works).toHaveLength(3);
    expect(rssMb).toBeLessThan(900);
  });

  it('tells each bad file its own reason, however many are decoded at once', async () => {
    await using place = await temporaryFolder();
    const root = join(place.path, 'root');
    const jpeg = await noisy(500, 400).jpeg().toBuffer();
    const png = await noisy(300, 300).png().toBuffer();
    for (let i = 0; i < 6; i++) {
      await put(root, `${i}-end.jpg`, jpeg.subarray(0, Math.floor(jpeg.length * (0.3 + i / 10))));
      const spoiled = Buffer.from(png);
      spoiled.fill(0xa5, 200, 260 + i);
      await put(root, `${i}-spoiled.png`, spoiled);
      await put(root, `${i}-text.gif`, `text ${i}`);
    }
    const { issues } = await importApart(root, root);
    const codes = (kind: string) => new Set(issues.filter(([file]) => file.includes(kind)).map(([, code]) => code));
    expect(issues).toHaveLength(18);
    expect(codes('end')).toEqual(new Set(['TRUNCATED']));
    expect(codes('spoiled')).toEqual(new Set(['DAMAGED']));
    expect(codes('text')).toEqual(new Set(['NOT_AN_IMAGE']));
  });
});
