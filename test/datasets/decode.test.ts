import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeTiles, inspect, planarTiles } from '../../src/datasets/decode.ts';
import { BadPicture } from '../../src/datasets/entry.ts';
import { packLevels } from '../../src/datasets/pack.ts';
import { flat, noisy, quarters } from './fixtures.ts';

const { levels, stride } = packLevels(64);
const largest = 72;
const small = packLevels(32);

async function tiles(bytes: Uint8Array): Promise<Uint8Array> {
  return decodeTiles(bytes, await inspect(bytes, largest), levels);
}

/** The colour at a place of the largest tile. */
function at(pixels: Uint8Array, x: number, y: number): number[] {
  const start = (levels.at(-1)?.offset ?? 0) + (y * largest + x) * 3;
  return [...pixels.subarray(start, start + 3)];
}

async function faultOf(bytes: Uint8Array): Promise<string> {
  const error = await tiles(bytes).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof BadPicture) return error.code;
  throw new Error(`No fault, or another one: ${error}`);
}

const near = (colour: readonly number[], expected: readonly number[], by = 6) =>
  expect(Math.max(...colour.map((value, i) => Math.abs(value - (expected[i] ?? 0)))), `${colour}`).toBeLessThanOrEqual(
    by,
  );

describe('decodeTiles', () => {
  it('gives one square tile per level, the middle of the picture', async () => {
    const wide = await sharp({ create: { width: 300, height: 100, channels: 3, background: '#f00' } })
      .composite([{ input: await flat(100, 100, { r: 0, g: 0, b: 255 }).png().toBuffer(), left: 100, top: 0 }])
      .png()
      .toBuffer();
    const pixels = await tiles(wide);
    expect(pixels).toHaveLength(stride);
    near(at(pixels, 4, 4), [0, 0, 255]);
    near(at(pixels, 67, 67), [0, 0, 255]);
  });

  // The corners of `quarters` after each orientation: top left, top right, bottom left.
  const [R, G, B, W] = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 255],
  ];
  it.each([
    [1, R, G, B],
    [2, G, R, W],
    [3, W, B, G],
    [4, B, W, R],
    [5, R, B, G],
    [6, B, R, W],
    [7, W, G, B],
    [8, G, W, R],
  ])('turns a picture with EXIF orientation %i upright', async (orientation, leftTop, rightTop, leftBottom) => {
    const pixels = await tiles(await quarters().jpeg({ quality: 100 }).withMetadata({ orientation }).toBuffer());
    near(at(pixels, 10, 10), leftTop ?? [], 12);
    near(at(pixels, 61, 10), rightTop ?? [], 12);
    near(at(pixels, 10, 61), leftBottom ?? [], 12);
    const upright = await sharp(await quarters().png().withMetadata({ orientation }).toBuffer())
      .autoOrient()
      .raw()
      .toBuffer();
    near([...upright.subarray(0, 3)], leftTop ?? []);
  });

  it.each([
    ['jpeg', quarters(96).jpeg({ quality: 100, chromaSubsampling: '4:4:4' })],
    ['progressive jpeg', quarters(96).jpeg({ quality: 100, progressive: true, chromaSubsampling: '4:4:4' })],
    ['png', quarters(96).png()],
    ['interlaced png', quarters(96).png({ progressive: true })],
    ['palette', quarters(96).png({ palette: true, colours: 8 })],
    ['16 bits', quarters(96).toColourspace('rgb16').png()],
    ['webp', quarters(96).webp({ lossless: true })],
    ['avif', quarters(96).avif({ quality: 100, chromaSubsampling: '4:4:4' })],
    ['tiff', quarters(96).tiff({ compression: 'lzw' })],
    ['gif', quarters(96).gif()],
  ])('reads %s', async (_, picture) => {
    const pixels = await tiles(await picture.toBuffer());
    near(at(pixels, 10, 10), [255, 0, 0], 12);
    near(at(pixels, 61, 61), [255, 255, 255], 12);
  });

  it('makes RGB of grey, puts transparency on white, and converts CMYK', async () => {
    near(
      at(await tiles(await flat(80, 80, { r: 90, g: 90, b: 90 }).toColourspace('b-w').png().toBuffer()), 5, 5),
      [90, 90, 90],
    );
    near(at(await tiles(await flat(80, 80, { r: 255, g: 0, b: 0, alpha: 0 }).png().toBuffer()), 5, 5), [255, 255, 255]);
    near(at(await tiles(await flat(80, 80, { r: 0, g: 0, b: 0, alpha: 0.5 }).png().toBuffer()), 5, 5), [127, 127, 127]);
    const cmyk = await flat(80, 80, { r: 200, g: 60, b: 50 }).toColourspace('cmyk').tiff().toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    near(at(await tiles(cmyk), 5, 5), [200, 60, 50], 25);
  });

  it('converts through the colour profile of the picture', async () => {
    const wide = await flat(80, 80, { r: 200, g: 60, b: 50 }).png().withIccProfile('p3').toBuffer();
    const stored = await sharp(wide, { ignoreIcc: true }).raw().toBuffer();
    expect([...stored.subarray(0, 3)]).not.toEqual([200, 60, 50]);
    near(at(await tiles(wide), 5, 5), [200, 60, 50], 3);
  });

  it('takes the first frame of an animation', async () => {
    const frames = Buffer.concat(
      await Promise.all(
        [
          { r: 255, g: 0, b: 0 },
          { r: 0, g: 255, b: 0 },
        ].map((colour) => flat(40, 40, colour).raw().toBuffer()),
      ),
    );
    const raw = { width: 40, height: 80, channels: 3, pageHeight: 40 } as const;
    const animated = await sharp(frames, { raw })
      .gif({ delay: [100, 100] })
      .toBuffer();
    expect((await sharp(animated).metadata()).pages).toBe(2);
    near(at(await tiles(animated), 36, 36), [255, 0, 0]);
  });

  it('is the same each time, and keeps each level an image of the same picture', async () => {
    const bytes = await noisy(500, 400).blur(20).jpeg().toBuffer();
    const [first, second] = await Promise.all([tiles(bytes), tiles(bytes)]);
    expect(Buffer.compare(first, second)).toBe(0);
    const mean = (pixels: Uint8Array) => pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
    expect(mean(first.subarray(0, 36 * 36 * 3))).toBeCloseTo(mean(first.subarray(36 * 36 * 3)), 0);
  });

  it('enlarges small pictures up to a bound', async () => {
    near(at(await tiles(await quarters(16).png().toBuffer()), 3, 3), [255, 0, 0], 20);
    expect(await faultOf(await quarters(12).png().toBuffer())).toBe('TOO_SMALL');
    await expect(inspect(await quarters(16).png().toBuffer(), 288)).rejects.toThrow(/32 pixels/);
  });

  it('reads planar records', async () => {
    const planes = Uint8Array.from({ length: 3072 }, (_, i) => [200, 100, 50][Math.floor(i / 1024)] ?? 0);
    const pixels = await planarTiles(planes, 32, small.levels);
    expect(pixels).toHaveLength(small.stride);
    expect([...pixels.subarray(0, 6)]).toEqual([200, 100, 50, 200, 100, 50]);
  });
});

describe('what is no good picture', () => {
  it.each(['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const)('a truncated %s', async (format) => {
    const bytes = await noisy(300, 200).toFormat(format).toBuffer();
    expect(await faultOf(bytes.subarray(0, Math.floor(bytes.length * 0.6)))).toBe('TRUNCATED');
  });

  it('a JPEG that ends below the square that is used', async () => {
    const bytes = await noisy(200, 600).jpeg({ quality: 90 }).toBuffer();
    expect(await faultOf(bytes.subarray(0, Math.floor(bytes.length * 0.93)))).toBe('TRUNCATED');
  });

  it.each([
    ['nothing', '', 'EMPTY'],
    ['a text', 'This is not a picture.', 'NOT_AN_IMAGE'],
    ['a web page', '<!DOCTYPE html><img src=x>', 'NOT_AN_IMAGE'],
    ['zeros', '\0'.repeat(5000), 'NOT_AN_IMAGE'],
    [
      'an SVG',
      '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><rect width="9" height="9"/></svg>',
      'UNSUPPORTED',
    ],
    [
      'an SVG in XML',
      '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>',
      'UNSUPPORTED',
    ],
    ['a PDF', '%PDF-1.7\n', 'UNSUPPORTED'],
    ['a Photoshop file', '8BPS\0\u0001', 'UNSUPPORTED'],
  ])('%s', async (_, text, code) => {
    expect(await faultOf(Buffer.from(text, 'latin1'))).toBe(code);
  });

  it('a PNG of 400 megapixels, by its header alone', async () => {
    expect(await faultOf(await pretending({ side: 20_000, depth: 8, interlaced: false }))).toBe('TOO_LARGE');
  });

  it('one that must be whole in memory and is too large for that', async () => {
    expect(await faultOf(await pretending({ side: 9_000, depth: 16, interlaced: true }))).toBe('TOO_LARGE');
    expect(await faultOf(await pretending({ side: 9_000, depth: 16, interlaced: false }))).not.toBe('TOO_LARGE');
  });

  it('a picture of one pixel, and one like a thread', async () => {
    expect(await faultOf(await flat(1, 1).png().toBuffer())).toBe('TOO_SMALL');
    expect(await faultOf(await flat(20, 2000).png().toBuffer())).toBe('TOO_SMALL');
  });
});

/** A small PNG whose header says that it is another. */
async function pretending(header: { side: number; depth: 8 | 16; interlaced: boolean }): Promise<Uint8Array> {
  const bytes = Buffer.from(await quarters(32).png().toBuffer());
  bytes.writeUInt32BE(header.side, 16);
  bytes.writeUInt32BE(header.side, 20);
  bytes.writeUInt8(header.depth, 24);
  bytes.writeUInt8(header.interlaced ? 1 : 0, 28);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}
