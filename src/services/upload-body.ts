/**
 * What a client sends, into a file of its own: counted and hashed on the way, never whole in memory, gone when it is
 * done with.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';

/** Of one file. */
export const MOST_UPLOAD_BYTES = 20_000_000;

/** Disposing deletes the file. */
export interface Received extends AsyncDisposable {
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly path: string;
}

/** @throws AppError TOO_LARGE as soon as that is known; what the body breaks off with */
export async function receive(body: AsyncIterable<Uint8Array>, folder: string): Promise<Received> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, randomUUID());
  const remove = () => rm(path, { force: true });
  try {
    return { ...(await write(body, path)), path, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function write(body: AsyncIterable<Uint8Array>, path: string): Promise<Pick<Received, 'bytes' | 'sha256'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  await using file = await open(path, 'wx', 0o600);
  for await (const part of body) {
    bytes += part.length;
    if (bytes > MOST_UPLOAD_BYTES) throw tooLarge();
    hash.update(part);
    await file.write(part);
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Deletes what a server that was killed has left: whatever was written before `moment` (in milliseconds since 1970). */
export async function clearReceived(folder: string, moment: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found !== undefined && found.mtimeMs < moment) await rm(join(folder, name), { force: true });
  }
}

export function tooLarge(): AppError {
  return new AppError('TOO_LARGE', `A file may have ${MOST_UPLOAD_BYTES / 1e6} MB. Make the picture smaller.`);
}
