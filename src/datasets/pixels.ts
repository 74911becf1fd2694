/** Interleaved pixels: made RGB, cut and turned. Pure. */

/** Interleaved RGB: width x height x 3 bytes. */
export interface Pixels {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Grey, which is one channel, as RGB. */
export function threeChannels(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data;
  if (channels !== 1) throw new Error(`Unexpected pixels of ${channels} channels`);
  const rgb = new Uint8Array(data.length * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = data[Math.floor(i / 3)] ?? 0;
  return rgb;
}

/** The middle square of `size`. */
export function middle({ pixels, width, height }: Pixels, size: number): Uint8Array {
  if (width < size || height < size) throw new Error(`Unexpected pixels: ${width} x ${height} for a square of ${size}`);
  const left = (width - size) >> 1;
  const top = (height - size) >> 1;
  const square = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    const row = ((top + y) * width + left) * 3;
    square.set(pixels.subarray(row, row + size * 3), y * size * 3);
  }
  return square;
}

/**
 * Turns pixels as the EXIF orientation asks. What was made small is turned, not the photograph, so that a photograph of
 * 100 megapixels that lies on its side needs no copy in memory.
 */
export function upright(lying: Pixels, orientation: number): Pixels {
  if (orientation <= 1 || orientation > 8) return lying;
  const [right, bottom] = [lying.width - 1, lying.height - 1];
  const [width, height] = orientation < 5 ? [lying.width, lying.height] : [lying.height, lying.width];
  const pixels = new Uint8Array(lying.pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromX, fromY] = sourceOf(orientation, { x, y, right, bottom });
      const from = (fromY * lying.width + fromX) * 3;
      pixels.set(lying.pixels.subarray(from, from + 3), (y * width + x) * 3);
    }
  }
  return { pixels, width, height };
}

interface Place {
  readonly x: number;
  readonly y: number;
  /** The last column and row of the stored picture. */
  readonly right: number;
  readonly bottom: number;
}

/** Where the upright pixel (x, y) lies in the stored picture. */
function sourceOf(orientation: number, { x, y, right, bottom }: Place): [number, number] {
  switch (orientation) {
    case 2:
      return [right - x, y];
    case 3:
      return [right - x, bottom - y];
    case 4:
      return [x, bottom - y];
    case 5:
      return [y, x];
    case 6:
      return [y, bottom - x];
    case 7:
      return [right - y, bottom - x];
    case 8:
      return [right - y, x];
    default:
      return [x, y];
  }
}
