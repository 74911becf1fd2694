import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { plainLatent } from '../../src/core/latents.ts';
import { mixOf, plainMix } from '../../src/core/mix.ts';
import { encodeRecipe, recipeOf } from '../../src/core/recipe.ts';
import { checkSheet, decodeSheet, encodeSheet, sizeOfSheet } from '../../src/core/sheet.ts';
import { Dice } from '../helpers/dice.ts';

const MODEL = '3f2a9c1e-8d5b-4d1a-9e57-0c1a2b3c4d5e';
const conditions = { artist: 'claude-monet', style: 'impressionism', genre: 'landscape' };
const picture = (seed: number, mix = plainMix(conditions)) =>
  encodeRecipe(recipeOf({ modelId: MODEL, mix, latent: plainLatent(seed), truncation: 1 }));
const pictures = (n: number) => Array.from({ length: n }, (_, i) => picture(i));
const packed = (json: string) => deflateRawSync(json).toString('base64url');

describe('the id of a sheet', () => {
  it('is its recipe', () => {
    const sheet = { images: [picture(3), picture(1), picture(3)], columns: 2, cell: 64 };
    expect(decodeSheet(encodeSheet(sheet))).toEqual(sheet);
  });

  it('is short: a URL of 64 pictures of one request, or of 100 of random seeds, fits everywhere', () => {
    const inOrder = Array.from({ length: 64 }, (_, i) => picture(4_503_599_627_370_000 + i));
    expect(encodeSheet({ images: inOrder, columns: 8, cell: 128 }).length).toBeLessThan(600);
    const dice = new Dice(1);
    const random = Array.from({ length: 100 }, () => picture(dice.below(2 ** 32)));
    expect(encodeSheet({ images: random, columns: 10, cell: 128 }).length).toBeLessThan(2_000);
  });

  it('is refused where no URL could hold it', () => {
    const dice = new Dice(1);
    const images = Array.from({ length: 100 }, () => {
      const parts = Array.from({ length: 16 }, () => {
        const slug = Array.from({ length: 10 }, () => dice.below(2 ** 32).toString(36)).join('-');
        return { weight: 1, conditions: { artist: slug } };
      });
      return picture(dice.below(2 ** 32), mixOf(parts));
    });
    expect(() => encodeSheet({ images, columns: 10, cell: 64 })).toThrow(/too|Take fewer/);
  });

  it.each([
    ['', 'nothing'],
    ['AAAA', 'no deflated text'],
    ['not base64url!', 'no base64url'],
    ['A'.repeat(12_001), 'too long'],
    [packed('[1,64,2,['), 'no JSON'],
    [packed('{"a":1}'), 'no list'],
    [packed(JSON.stringify([2, 64, 2, [JSON.parse(Buffer.from(picture(1), 'base64url').toString())]])), 'a later one'],
    [packed(JSON.stringify([1, 64, 2, [[2, MODEL, [], [1, []]]]])), 'no recipe in it'],
    [packed(JSON.stringify([1, 64, 2, []])), 'empty'],
    [packed(JSON.stringify([1, 15, 2, ['x']])), 'cells too small'],
    [packed(JSON.stringify([1, 64, 2, Array(1_000_000).fill(0)])), 'a million pictures'],
    [packed(`[1,64,2,[${'['.repeat(100_000)}${']'.repeat(100_000)}]]`), 'nested deeply'],
    [packed(' '.repeat(100_000_000)), 'a hundred megabytes of blanks'],
  ])('is not %.30s: %s', (text) => {
    const before = process.memoryUsage().rss;
    expect(decodeSheet(text)).toBeUndefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
  });
});

describe('the size of a sheet', () => {
  it('is that of its cells with gaps of a thirty-second between', () => {
    // 3 x 64 + 2 x 2 by 2 x 64 + 2
    expect(sizeOfSheet({ images: pictures(5), columns: 3, cell: 64 })).toEqual({
      width: 196,
      height: 130,
      rows: 2,
      gap: 2,
    });
    expect(sizeOfSheet({ images: pictures(2), columns: 9, cell: 16 })).toEqual({
      width: 33,
      height: 16,
      rows: 1,
      gap: 1,
    });
  });

  it.each([
    [{ images: [], columns: 1, cell: 64 }, 'images'],
    [{ images: pictures(101), columns: 10, cell: 16 }, 'images'],
    [{ images: pictures(1), columns: 0, cell: 64 }, 'columns'],
    [{ images: pictures(1), columns: 1.5, cell: 64 }, 'columns'],
    [{ images: pictures(1), columns: 1, cell: 2_000 }, 'cell'],
    // 100 million pixels
    [{ images: pictures(100), columns: 10, cell: 1_000 }, 'cell'],
    // 18 million, but wider than WebP can be
    [{ images: pictures(100), columns: 100, cell: 420 }, 'cell'],
  ])('is refused with what is wrong: %#', (sheet, path) => {
    expect(() => checkSheet(sheet)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT', path: [path] }));
  });
});
