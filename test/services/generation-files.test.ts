import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GenerationFiles } from '../../src/services/generation-files.ts';
import { temporaryFolder } from '../helpers/scripted.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let files: GenerationFiles;
beforeAll(async () => {
  folder = await temporaryFolder();
  files = new GenerationFiles(folder.path);
});
afterAll(() => folder?.[Symbol.asyncDispose]());

const picture = (text: string) => ({
  body: Buffer.from(text.repeat(50)),
  sha256: createHash('sha256').update(text.repeat(50)).digest('hex'),
});
const three = ['a', 'bc', 'def'].map(picture);

describe('the files of a job', () => {
  it('give back what was written, and are the same when they are written again', async () => {
    const bytes = await files.write('job', 64, three);
    expect(await files.read('job', 64)).toEqual(three);
    const [name = '', ...others] = await readdir(join(folder.path, 'generations', 'job'));
    expect([name, others]).toEqual(['000064.pack', []]);
    const path = join(folder.path, 'generations', 'job', name);
    const before = await readFile(path);
    expect(before).toHaveLength(bytes);
    await files.write('job', 64, three);
    expect(await readFile(path)).toEqual(before);
  });

  it('notice every byte that is not as it was written', async () => {
    await files.write('other', 0, three);
    const path = join(folder.path, 'generations', 'other', '000000.pack');
    const whole = await readFile(path);
    for (let place = 0; place < whole.length; place++) {
      const broken = Buffer.from(whole);
      broken[place] = (broken[place] ?? 0) ^ 1;
      await writeFile(path, broken);
      await expect(files.read('other', 0)).rejects.toMatchObject({ code: 'DAMAGED_FILE' });
    }
    for (const length of [0, 10, whole.length - 1]) {
      await writeFile(path, whole.subarray(0, length));
      await expect(files.read('other', 0)).rejects.toMatchObject({ code: 'DAMAGED_FILE' });
    }
  });

  it('are gone once they are removed, and removing them again is no fault', async () => {
    await files.remove('job');
    await files.remove('job');
    await expect(files.read('job', 64)).rejects.toMatchObject({ code: 'DAMAGED_FILE' });
  });
});
