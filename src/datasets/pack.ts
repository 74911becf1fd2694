/**
 * The packed training file (PACK.md): its shape, and the writer. The file's SHA-256 names a dataset, so nothing here
 * depends on time, place or parallelism. Knows no picture formats and never decodes anything.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LABEL_KINDS, type LabelKind } from '../core/labels.ts';
import { RESOLUTIONS, type Resolution } from '../core/presets.ts';

export const PACK_MAGIC = 'ARTPACK1';
export const PACK_SUFFIX = '.artpack';

const count = z.int().nonnegative();
const packLabel = z.object({ slug: z.string(), name: z.string(), count });
const perWork = z.array(z.int().min(-1));
export const packIndex = z.object({
  version: z.literal(1),
  count,
  levels: z.array(z.object({ resolution: z.int().positive(), size: z.int().positive(), offset: count })).min(1),
  stride: z.int().positive(),
  labels: z.object({ artist: z.array(packLabel), style: z.array(packLabel), genre: z.array(packLabel) }),
  works: z.object({ artist: perWork, style: perWork, genre: perWork }),
});
export type PackIndex = z.infer<typeof packIndex>;
export type PackLevel = PackIndex['levels'][number];

/** The labels of one work: what a kind's label is called and its slug, or nothing. */
export type WorkLabels = { readonly [K in LabelKind]?: { readonly slug: string; readonly name: string } };

/** A tile is 9/8 of the training resolution on a side, so that a random crop needs no resampling. */
export function tileSize(resolution: Resolution): number {
  return (resolution * 9) / 8;
}

/** The levels of a pack whose works can be trained at up to `maxResolution` pixels, and the bytes of one picture. */
export function packLevels(maxResolution: Resolution): { levels: PackLevel[]; stride: number } {
  const levels: PackLevel[] = [];
  let stride = 0;
  for (const resolution of RESOLUTIONS.filter((known) => known <= maxResolution)) {
    const size = tileSize(resolution);
    levels.push({ resolution, size, offset: stride });
    stride += size * size * 3;
  }
  return { levels, stride };
}

export interface FinishedPack {
  /** Absolute path: `<folder>/<sha256>.artpack`. */
  readonly path: string;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly count: number;
}

/** Writes one pack to a temporary file; `finish` gives it its name, disposing without it leaves nothing behind. */
export class PackWriter implements AsyncDisposable {
  readonly levels: readonly PackLevel[];
  readonly stride: number;
  readonly #folder: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  readonly #works: WorkLabels[] = [];
  #bytes = 0;
  #open = true;

  private constructor(folder: string, temporary: string, file: FileHandle, maxResolution: Resolution) {
    const { levels, stride } = packLevels(maxResolution);
    this.levels = levels;
    this.stride = stride;
    this.#folder = folder;
    this.#temporary = temporary;
    this.#file = file;
  }

  static async create(folder: string, maxResolution: Resolution): Promise<PackWriter> {
    await mkdir(folder, { recursive: true });
    const temporary = join(folder, `${randomUUID()}${PACK_SUFFIX}.tmp`);
    const writer = new PackWriter(folder, temporary, await open(temporary, 'wx'), maxResolution);
    await writer.#write(Buffer.from(PACK_MAGIC));
    return writer;
  }

  /** Number of works so far, which is the position of the next one. */
  get count(): number {
    return this.#works.length;
  }

  /** @param tiles one RGB tile per level, largest last: `stride` bytes. @returns the work's position in the pack. */
  async add(tiles: Uint8Array, labels: WorkLabels): Promise<number> {
    if (tiles.length !== this.stride) throw new Error(`A picture has ${this.stride} bytes, not ${tiles.length}`);
    await this.#write(tiles);
    return this.#works.push(labels) - 1;
  }

  /** Everything is on the disk under its final name when this resolves. An equal pack that is there is replaced. */
  async finish(): Promise<FinishedPack> {
    const index = Buffer.from(JSON.stringify(this.#index()));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(index.length));
    await this.#write(Buffer.concat([index, length, Buffer.from(PACK_MAGIC)]));
    await this.#file.sync();
    const sha256 = this.#hash.digest('hex');
    const file = `${sha256}${PACK_SUFFIX}`;
    const path = join(this.#folder, file);
    await this.#close();
    await rename(this.#temporary, path);
    await syncFolder(this.#folder);
    return { path, file, sha256, bytes: this.#bytes, count: this.#works.length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await rm(this.#temporary, { force: true });
  }

  #index(): PackIndex {
    const { labels, works } = indexLabels(this.#works);
    return { version: 1, count: this.#works.length, levels: [...this.levels], stride: this.stride, labels, works };
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#bytes + at);
      at += bytesWritten;
    }
    this.#bytes += bytes.length;
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.close();
  }
}

/** Labels in slug order (code units), each with its works counted; the first spelling of a slug is its name. */
function indexLabels(all: readonly WorkLabels[]): Pick<PackIndex, 'labels' | 'works'> {
  const labels: PackIndex['labels'] = { artist: [], style: [], genre: [] };
  const works: PackIndex['works'] = { artist: [], style: [], genre: [] };
  for (const kind of LABEL_KINDS) {
    const found = new Map<string, PackIndex['labels']['artist'][number]>();
    for (const work of all) {
      const label = work[kind];
      if (label === undefined) continue;
      const known = found.get(label.slug);
      if (known === undefined) found.set(label.slug, { slug: label.slug, name: label.name, count: 1 });
      else known.count++;
    }
    labels[kind] = [...found.values()].sort((a, b) => (a.slug < b.slug ? -1 : 1));
    const places = new Map(labels[kind].map((label, place) => [label.slug, place]));
    works[kind] = all.map((work) => places.get(work[kind]?.slug ?? '') ?? -1);
  }
  return { labels, works };
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // a folder cannot be opened there
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
