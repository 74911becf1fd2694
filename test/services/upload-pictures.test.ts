/** Decoding in a process of its own: what it says, what it says no more, and that it is gone afterwards. */
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pictureOf } from '../../src/services/upload-decode.ts';
import { UploadPictures } from '../../src/services/upload-pictures.ts';
import { flat, quarters, temporaryFolder } from '../datasets/fixtures.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { waitFor } from '../helpers/wait-for.ts';

const log = recordingLog();
const never = new AbortController().signal;

/** Decoders that this process has started. */
function decoders(): number[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.map(Number).filter((id) => {
    try {
      const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]);
      return parent === process.pid && readFileSync(`/proc/${id}/cmdline`, 'utf8').includes('upload-child');
    } catch {
      return false;
    }
  });
}

async function fileOf(folder: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'file');
  await writeFile(path, bytes);
  return path;
}

/** Takes its decoder a while. */
const slow = () => flat(5_600, 5_600).jpeg({ progressive: true }).toBuffer();

describe('a file in a decoder of its own', () => {
  it('gives the same as in this one, or the same refusal', async () => {
    await using place = await temporaryFolder();
    using pictures = new UploadPictures(log);
    const make = async (bytes: Uint8Array) =>
      pictures.make(await fileOf(place.path, bytes), { folder: place.path, signal: never });
    const bytes = await quarters(64).webp().toBuffer();
    expect(await make(bytes)).toEqual(await pictureOf(bytes));
    await expect(make(Buffer.from('%PDF-1.7'))).rejects.toMatchObject({
      code: 'UNSUPPORTED_PICTURE',
      message: expect.stringContaining('PDF'),
    });
    expect(decoders()).toEqual([]);
    expect(log.lines).toEqual([]);
  });

  it('is told to be bad where the decoder falls, and the next one is decoded', async () => {
    await using place = await temporaryFolder();
    using pictures = new UploadPictures(log);
    const path = await fileOf(place.path, await slow());
    const fallen = pictures.make(path, { folder: place.path, signal: never });
    const [id = 0] = await waitFor(() => (decoders().length > 0 ? decoders() : undefined));
    process.kill(id, 'SIGSEGV');
    await expect(fallen).rejects.toMatchObject({ code: 'BAD_PICTURE' });
    expect(log.lines).toEqual([{ level: 'warn', message: 'A decoder has ended early' }]);
    const next = pictures.make(path, { folder: place.path, signal: never });
    expect(await next).toMatchObject({ width: 1_024, height: 1_024 });
  });

  it('has one decoder at a time, which ends when nobody waits for it', async () => {
    await using place = await temporaryFolder();
    using pictures = new UploadPictures(log);
    const path = await fileOf(place.path, await slow());
    const leaving = Array.from({ length: 4 }, () => new AbortController());
    const made = leaving.map(({ signal }) => pictures.make(path, { folder: place.path, signal }));
    const told = Promise.allSettled(made);
    await waitFor(() => decoders().length > 0);
    expect(decoders()).toHaveLength(1);
    for (const one of leaving.slice(0, 3)) one.abort(new Error('left'));
    const results = await told;
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
    expect(results[0]).toMatchObject({ reason: { message: 'left' } });
    await waitFor(() => decoders().length === 0);
  });

  it('does not outlive the server', async () => {
    await using place = await temporaryFolder();
    const pictures = new UploadPictures(log);
    const made = pictures.make(await fileOf(place.path, await slow()), { folder: place.path, signal: never });
    const told = Promise.allSettled([made]);
    await waitFor(() => decoders().length > 0);
    pictures[Symbol.dispose]();
    expect((await told)[0]).toMatchObject({ status: 'rejected' });
    await waitFor(() => decoders().length === 0);
  });
});
