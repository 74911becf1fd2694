/** Files as one ZIP, made while it is read: stored, not compressed, of any length, in memory that does not grow with it. */
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { makeZip } from 'client-zip';

export interface ZipEntry {
  readonly name: string;
  /** All at once, or as they come. */
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>;
  /** When it was made. */
  readonly at: Date;
}

/** Entries are asked for as they are read; the stream ends with the fault of one that cannot be had. */
export function zipOf(entries: AsyncIterable<ZipEntry>): Readable {
  return Readable.fromWeb(makeZip(inputsOf(entries)) as ReadableStream<Uint8Array>);
}

async function* inputsOf(entries: AsyncIterable<ZipEntry>) {
  for await (const { name, bytes, at } of entries) {
    // A view of its own: the packer lets go of it once it is written.
    if (bytes instanceof Uint8Array) yield { name, lastModified: at, input: bytes, size: bytes.length };
    else yield { name, lastModified: at, input: bytes };
  }
}
