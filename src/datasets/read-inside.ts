/**
 * Reads files of a collection that anybody may change meanwhile: no path leads out of the allowed roots, and nothing
 * but a regular file is ever opened for long enough to block or to be read.
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BadPicture } from './entry.ts';
import { type AllowedFolder, codeOf, isWithin } from './scan.ts';

/** Of one file, and of all files in memory at once. A TIFF of 60 megapixels without compression has 180 MB. */
export const MAX_FILE_BYTES = 192 * 1024 * 1024;

/** A file that is open and known to lie inside the roots. */
export class InsideFile implements AsyncDisposable {
  readonly size: number;
  readonly #handle: FileHandle;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  /** Bytes `at` to `at + length`. @throws BadPicture TRUNCATED where the file has become shorter. */
  async read(at: number, length: number): Promise<Buffer<ArrayBuffer>> {
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#handle.read(bytes, done, length - done, at + done);
      if (bytesRead === 0) throw new BadPicture('TRUNCATED', 'The file became shorter while it was read.');
      done += bytesRead;
    }
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** @throws BadPicture where the file is gone, is no regular file, or no longer lies inside the roots. */
export async function openInside(folder: AllowedFolder, path: string): Promise<InsideFile> {
  const full = join(folder.path, ...path.split('/'));
  try {
    const real = await realInside(folder, full);
    // The real path has no link left; NONBLOCK: a pipe put in its place meanwhile does not hold us up.
    const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const opened = await handle.stat();
      const again = await stat(await realInside(folder, full));
      if (!opened.isFile()) throw new BadPicture('NOT_A_FILE', 'It is not a regular file.');
      if (!isSame(opened, again)) throw new BadPicture('OUTSIDE_ROOT', 'It was replaced while it was opened.');
      return new InsideFile(handle, opened.size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw error instanceof BadPicture ? error : fault(error);
  }
}

async function realInside(folder: AllowedFolder, full: string): Promise<string> {
  const real = await realpath(full);
  if (folder.roots.some((root) => isWithin(root, real))) return real;
  throw new BadPicture('OUTSIDE_ROOT', 'It leads out of the allowed folders.');
}

/** Whether what was opened is what now lies at a path inside the roots. */
function isSame(a: Stats, b: Stats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

function fault(error: unknown): BadPicture {
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return new BadPicture('MISSING', 'There is no such file.', error);
  if (code === 'ELOOP' || code === 'ENXIO') return new BadPicture('NOT_A_FILE', 'It is not a regular file.', error);
  return new BadPicture('UNREADABLE', `It cannot be read (${code}).`, error);
}
