import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodePixels, encodePng, mediaType, PICTURE_FORMATS } from '../../src/services/pictures.ts';

const side = 32;
const pixels = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 7) % 256);
const picture = { pixels, width: side, height: side };

describe('pictures', () => {
  it('keeps every pixel in a PNG, and the same pixels give the same bytes', async () => {
    const png = await encodePixels(picture, { format: 'png' });
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: side, height: side, channels: 3 });
    expect(new Uint8Array(data)).toEqual(pixels);
    expect((await encodePixels(picture, { format: 'png' })).equals(png)).toBe(true);
  });

  it.each(PICTURE_FORMATS)('writes %s, also in another width', async (format) => {
    const png = await encodePixels(picture, { format: 'png' });
    const body = await encodePng(png, { format, width: 64 });
    const found = await sharp(body).metadata();
    expect([found.width, found.height]).toEqual([64, 64]);
    expect(format === 'avif' ? found.compression : found.format).toBe(format === 'avif' ? 'av1' : format);
    expect(mediaType(format)).toBe(`image/${format}`);
  });

  it.each([0, 15, 2049, 64.5, Number.NaN])('refuses the width %s', async (width) => {
    await expect(encodePixels(picture, { format: 'png', width })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path: ['width'],
    });
  });
});
