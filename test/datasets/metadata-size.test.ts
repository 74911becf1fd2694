import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { metadataBytes } from '../../src/datasets/metadata-size.ts';
import { quarters } from './fixtures.ts';

const TEXT = 'x'.repeat(50_000);

describe('what a file says beside its pixels', () => {
  it.each(['png', 'webp', 'tiff'] as const)('is counted without decoding it: %s', async (format) => {
    const plain = metadataBytes(await quarters(64).toFormat(format).toBuffer());
    expect(plain).toBeLessThan(100);
    const bytes = await quarters(64).withXmp(TEXT).toFormat(format).toBuffer();
    expect((await sharp(bytes).metadata()).xmp).toHaveLength(TEXT.length);
    // A PNG is made with its text compressed where that is shorter.
    const stored = format === 'png' ? bytes.length - (await quarters(64).png().toBuffer()).length : TEXT.length;
    expect(Math.abs(metadataBytes(bytes) - plain - stored)).toBeLessThan(100);
  });

  it('is read in both orders of bytes', () => {
    const little = Buffer.from(
      '49492a0008000000' + '0100' + 'bc02' + '0100' + '40420f00' + '00000000' + '00000000',
      'hex',
    );
    const big = Buffer.from(
      '4d4d002a00000008' + '0001' + '02bc' + '0001' + '000f4240' + '00000000' + '00000000',
      'hex',
    );
    // A million bytes are said, and no more can be there than the file has.
    expect([metadataBytes(little), metadataBytes(big)]).toEqual([little.length, big.length]);
  });

  it('is nothing in files that say nothing, lie, or are no pictures', () => {
    for (const hex of [
      '',
      '89504e47',
      `89504e470d0a1a0a${'ffffffff'.repeat(4)}`,
      '49492a00ffffffff'.padEnd(64, '0'),
      '00'.repeat(100),
    ])
      expect(metadataBytes(Buffer.from(hex, 'hex'))).toBeLessThanOrEqual(hex.length / 2);
  });
});
