/** Squares cut out of a pack's tiles, as numbers in a network's pixel range. */
import { integers, uniform } from '../../core/seeds.ts';
import type { PackReader } from '../../datasets/pack-reader.ts';

export type PixelRange = readonly [number, number];

/** Where a square lies in its tile; a tile has an eighth of the side to spare. */
export interface Place {
  readonly top: number;
  readonly left: number;
  readonly mirrored: boolean;
}

export interface RandomPlaces {
  readonly seed: number;
  readonly step: number;
  readonly crops: boolean;
  readonly flips: boolean;
}

/** Places of `count` squares of a batch: a pure function of (seed, step). `room`: pixels to spare. */
export function randomPlaces({ seed, step, crops, flips }: RandomPlaces, count: number, room: number): Place[] {
  const offsets = integers(seed, 'crop', step, count * 2, room + 1);
  const mirrors = uniform(seed, 'flip', step, count);
  return Array.from({ length: count }, (_, i) => ({
    top: crops ? (offsets[i * 2] ?? 0) : room >> 1,
    left: crops ? (offsets[i * 2 + 1] ?? 0) : room >> 1,
    mirrored: flips && (mirrors[i] ?? 0) < 0.5,
  }));
}

/** The middle of each tile. */
export function middles(count: number, room: number): Place[] {
  return Array.from({ length: count }, () => ({ top: room >> 1, left: room >> 1, mirrored: false }));
}

export interface Cut {
  readonly side: number;
  readonly range: PixelRange;
  readonly places: (count: number, room: number) => readonly Place[];
}

/** Works as pictures: count x side x side x 3. */
export function readCrops(pack: PackReader, works: ArrayLike<number>, { side, range, places }: Cut): Float32Array {
  const level = pack.level(side);
  const room = level.size - side;
  const cuts = places(works.length, room);
  const tile = new Uint8Array(level.size * level.size * 3);
  const pictures = new Float32Array(works.length * side * side * 3);
  for (let i = 0; i < works.length; i++) {
    const place = cuts[i];
    if (place === undefined) throw new Error('A picture has no place');
    pack.readTile(works[i] ?? -1, level, tile, 0);
    const square = pictures.subarray(i * side * side * 3, (i + 1) * side * side * 3);
    copySquare(tile, square, { size: level.size, side, place, range });
  }
  return pictures;
}

interface Square {
  readonly size: number;
  readonly side: number;
  readonly place: Place;
  readonly range: PixelRange;
}

/** Copies a square out of a tile and maps bytes 0..255 to the pixel range. */
function copySquare(tile: Uint8Array, into: Float32Array, { size, side, place, range }: Square): void {
  const scale = (range[1] - range[0]) / 255;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const from = ((place.top + row) * size + place.left + (place.mirrored ? side - 1 - column : column)) * 3;
      const to = (row * side + column) * 3;
      for (let c = 0; c < 3; c++) into[to + c] = (tile[from + c] ?? 0) * scale + range[0];
    }
  }
}
