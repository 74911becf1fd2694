import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { uniform } from '../../src/core/seeds.ts';
import { pngOf } from '../../src/services/png.ts';

/** Smooth with some noise, as paint is. */
function painting(width: number, height: number) {
  const noise = uniform(1, 'crop', 0, width * height * 3);
  const pixels = Uint8Array.from(noise, (value, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return 128 + 100 * Math.sin((x + y * 2 + i) / 17) + 20 * value;
  });
  return { pixels, width, height };
}

describe('pngOf', () => {
  it.each([
    [1, 1],
    [2, 3],
    [64, 64],
    [64, 32],
    // Large enough to be deflated on another thread.
    [256, 200],
  ])('is read back as the pixels that it was made of: %i x %i', async (width, height) => {
    const picture = painting(width, height);
    const { data, info } = await sharp(await pngOf(picture))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([width, height, 3]);
    expect(Buffer.compare(data, picture.pixels)).toBe(0);
  });

  it('holds every value of a byte beside every other', async () => {
    const pixels = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => [0, 255, 1, 254, i % 256][i % 5] ?? 0);
    const data = await sharp(await pngOf({ pixels, width: 64, height: 64 }))
      .raw()
      .toBuffer();
    expect(Buffer.compare(data, pixels)).toBe(0);
  });

  it('carries a packet of metadata, which other programs find', async () => {
    const packet = '<x:xmpmeta xmlns:x="adobe:ns:meta/">é</x:xmpmeta>';
    const png = await pngOf(painting(16, 16), packet);
    expect((await sharp(png).metadata()).xmp?.toString()).toBe(packet);
    const webp = await sharp(png).keepXmp().webp().toBuffer();
    expect((await sharp(webp).metadata()).xmp?.toString()).toBe(packet);
  });

  it('is smaller than sharp makes it', async () => {
    const picture = painting(64, 64);
    const raw = { width: 64, height: 64, channels: 3 } as const;
    const theirs = await sharp(picture.pixels, { raw }).png({ compressionLevel: 6 }).toBuffer();
    expect((await pngOf(picture)).length).toBeLessThan(theirs.length);
  });
});
