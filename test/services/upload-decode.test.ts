/** Files of any origin as pictures of ours: good ones, odd ones, and those that were made to do harm. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { recipeText, xmpOf } from '../../src/core/picture-metadata.ts';
import type { Recipe } from '../../src/core/recipe.ts';
import { middleSquare, pictureOf } from '../../src/services/upload-decode.ts';
import { flat, noisy, quarters } from '../datasets/fixtures.ts';
import { HOSTILE, LAUGHS, POLYGLOTS, SECRET } from '../helpers/hostile-pictures.ts';

const make = async (bytes: Buffer) => {
  const { png, ...rest } = await pictureOf(bytes);
  return { png: Buffer.from(png), ...rest };
};

async function toldOf(bytes: Buffer): Promise<string> {
  return make(bytes).then(
    () => 'READY',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
}

describe('a picture that was sent', () => {
  it.each([
    ['jpeg', quarters(96).jpeg({ quality: 100, chromaSubsampling: '4:4:4' })],
    ['progressive jpeg', quarters(96).jpeg({ quality: 100, progressive: true, chromaSubsampling: '4:4:4' })],
    ['cmyk jpeg', quarters(96).toColourspace('cmyk').jpeg({ quality: 100 })],
    ['png', quarters(96).png()],
    ['grey png', flat(96, 96, { r: 255, g: 0, b: 0 }).toColourspace('b-w').png()],
    ['palette png', quarters(96).png({ palette: true, colours: 8 })],
    ['16 bit png', quarters(96).toColourspace('rgb16').png()],
    ['webp', quarters(96).webp({ lossless: true })],
    ['avif', quarters(96).avif({ quality: 100, chromaSubsampling: '4:4:4' })],
    ['tiff', quarters(96).tiff({ compression: 'lzw' })],
    ['gif', quarters(96).gif()],
  ])('is stored as an RGB PNG of 8 bits, in its size, without metadata: %s', async (_, picture) => {
    const { png, width, height, recipe } = await make(await picture.withExif({ IFD0: { Artist: SECRET } }).toBuffer());
    const found = await sharp(png).metadata();
    expect([width, height, recipe]).toEqual([96, 96, null]);
    expect(found).toMatchObject({ format: 'png', width: 96, height: 96, channels: 3, depth: 'uchar', space: 'srgb' });
    expect([found.exif, found.xmp, found.icc, found.comments]).toEqual([undefined, undefined, undefined, undefined]);
    expect(png.includes(SECRET)).toBe(false);
  });

  it('is made smaller, never larger, and keeps its shape', async () => {
    const size = async (width: number, height: number) => {
      const made = await make(await flat(width, height).jpeg().toBuffer());
      return [made.width, made.height];
    };
    expect(await size(4_000, 2_000)).toEqual([1_024, 512]);
    expect(await size(300, 1_200)).toEqual([256, 1_024]);
    expect(await size(20, 30)).toEqual([20, 30]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('stands upright: EXIF orientation %i', async (orientation) => {
    // Not a square, and large enough to be made smaller.
    const lying = await sharp(await quarters(64).toBuffer(), { raw: { width: 64, height: 64, channels: 3 } })
      .resize({ width: 2_048, height: 1_024, fit: 'fill', kernel: 'nearest' })
      .png({ compressionLevel: 1 })
      .withMetadata({ orientation })
      .toBuffer();
    const { png, width, height } = await make(lying);
    const expected = await sharp(lying).autoOrient().resize({ width, height }).raw().toBuffer();
    expect([width, height]).toEqual(orientation < 5 ? [1_024, 512] : [512, 1_024]);
    const got = await sharp(png).raw().toBuffer();
    const corner = (pixels: Buffer, x: number, y: number) => [
      ...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
    ];
    for (const [x, y] of [
      [9, 9],
      [width - 9, 9],
      [9, height - 9],
      [width - 9, height - 9],
    ] as const)
      expect(corner(got, x, y)).toEqual(corner(expected, x, y));
  });

  it('lies on white where it is transparent, and is sRGB whatever its profile', async () => {
    const first = async (bytes: Buffer) => [
      ...(
        await sharp((await make(bytes)).png)
          .raw()
          .toBuffer()
      ).subarray(0, 3),
    ];
    expect(await first(await flat(64, 64, { r: 255, g: 0, b: 0, alpha: 0 }).png().toBuffer())).toEqual([255, 255, 255]);
    const wide = await first(await flat(64, 64, { r: 200, g: 60, b: 50 }).png().withIccProfile('p3').toBuffer());
    for (const [i, value] of [200, 60, 50].entries()) expect(Math.abs((wide[i] ?? 0) - value)).toBeLessThanOrEqual(3);
  });

  it('is the same file each time, also from its own file, and from one that has only warnings', async () => {
    const bytes = await noisy(300, 200).jpeg().toBuffer();
    const { png } = await make(bytes);
    expect((await make(bytes)).png.equals(png)).toBe(true);
    expect((await make(png)).png.equals(png)).toBe(true);
    // As some cameras write them: bytes that belong to nothing before the end.
    const careless = Buffer.concat([bytes.subarray(0, -2), Buffer.alloc(64), bytes.subarray(-2)]);
    expect(await toldOf(careless)).toBe('READY');
  });

  it.each(['png', 'webp', 'jpeg', 'avif'] as const)('gives the recipe that a %s holds', async (format) => {
    const weights = 'ab'.repeat(32);
    const recipe: Recipe = {
      version: 2,
      modelId: 'm1',
      mix: [{ weight: 1, conditions: { style: 'ukiyo-e' } }],
      source: { kind: 'latent', latent: [{ weight: 1, seed: 42 }], truncation: 0.7 },
    };
    const bytes = await quarters(64).withXmp(xmpOf(recipe, weights)).toFormat(format).toBuffer();
    const found = recipeText({ kind: 'recipe', recipe: { ...recipe, modelId: weights } });
    expect((await make(bytes)).recipe).toBe(found);
  });

  it('as a square is what training would see of it', async () => {
    const { png } = await make(await quarters(96).png().toBuffer());
    const square = await middleSquare(png, 32);
    expect(square).toHaveLength(32 * 32 * 3);
    expect([...square.subarray(0, 3)]).toEqual([255, 0, 0]);
    await expect(middleSquare((await make(await flat(16, 400).png().toBuffer())).png, 256)).rejects.toMatchObject({
      code: 'BAD_PICTURE',
      message: expect.stringContaining('29 pixels'),
    });
  });
});

describe('a file that was made to do harm', () => {
  it.each(HOSTILE.map((hostile) => [hostile.name, hostile] as const))('%s', async (_, { bytes, told }) => {
    const content = await bytes();
    expect(content.length).toBeLessThanOrEqual(20_000_000);
    expect(told).toContain(await toldOf(content));
  });

  it.each(POLYGLOTS.map((hostile) => [hostile.name, hostile] as const))(
    'is a picture alone: %s',
    async (_, { bytes }) => {
      const content = await bytes();
      expect(content.includes(SECRET.slice(0, 20))).toBe(true);
      const { png } = await make(content);
      for (const part of [SECRET, SECRET.slice(0, 12), 'PK\x03\x04', '<html', 'alert'])
        expect(png.includes(part)).toBe(false);
      // It ends where the picture does, and has no chunk that could hold anything else.
      expect(png.subarray(-8, -4).toString('latin1')).toBe('IEND');
      expect([...chunksOf(png)]).toEqual(expect.arrayContaining(['IHDR', 'IDAT', 'IEND']));
      expect(chunksOf(png).filter((type) => !['IHDR', 'pHYs', 'IDAT', 'IEND'].includes(type))).toEqual([]);
    },
  );

  it('has no recipe, however much its XML would grow', async () => {
    const bytes = await quarters(64).withXmp(LAUGHS).png().toBuffer();
    expect((await make(bytes)).recipe).toBeNull();
  });
});

function chunksOf(png: Buffer): string[] {
  const types: string[] = [];
  for (let at = 8; at + 12 <= png.length; at += 12 + png.readUInt32BE(at))
    types.push(png.toString('latin1', at + 4, at + 8));
  return types;
}
