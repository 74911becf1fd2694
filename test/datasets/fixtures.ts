/** Pictures and folders for the tests of datasets: real files, made when asked for. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import type { Listing } from '../../src/datasets/layouts/plan.ts';

/** A folder that is gone after the test; its path is real, without links. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'artgan-data-')));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export async function put(folder: string, file: string, content: string | Uint8Array): Promise<void> {
  const path = join(folder, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

export interface Colour {
  readonly r: number;
  readonly g: number;
  readonly b: number;
  readonly alpha?: number;
}

/** A picture of one colour. */
export function flat(width: number, height: number, background: Colour = { r: 120, g: 60, b: 30 }): Sharp {
  return sharp({
    create: { width, height, channels: background.alpha === undefined ? 3 : 4, background },
    limitInputPixels: false,
  });
}

/** A picture that no codec makes small: seeded by its size, so that it is the same each time. */
export function noisy(width: number, height: number): Sharp {
  const pixels = new Uint8Array(width * height * 3);
  let state = width * 7919 + height;
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    pixels[i] = state >>> 24;
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** Four quarters: red, green above blue, white. Which way it is turned can be seen at its corners. */
export function quarters(side = 64): Sharp {
  const pixels = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const [left, top] = [x < side / 2, y < side / 2];
      const colour = top ? (left ? [255, 0, 0] : [0, 255, 0]) : left ? [0, 0, 255] : [255, 255, 255];
      pixels.set(colour, (y * side + x) * 3);
    }
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } });
}

export function listing(files: readonly string[], more: Partial<Listing> = {}): Listing {
  const texts = more.texts ?? new Map();
  return {
    name: 'collection',
    files: [...files, ...texts.keys()].sort(),
    texts,
    refused: new Set(),
    records: new Map(),
    ...more,
  };
}
