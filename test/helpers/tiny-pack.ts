/** A packed dataset of flat, noisy pictures in a few colours, one style per colour, made without decoding anything. */
import { uniform } from '../../src/core/seeds.ts';
import { type FinishedPack, PackWriter } from '../../src/datasets/pack.ts';

const COLOURS = [
  { slug: 'red', name: 'Red', rgb: [200, 40, 40] },
  { slug: 'blue', name: 'Blue', rgb: [40, 40, 200] },
] as const;

/** `works` pictures for 32 pixels, red and blue in turn. */
export async function tinyPack(folder: string, works = 12): Promise<FinishedPack> {
  await using writer = await PackWriter.create(folder, 32);
  for (let i = 0; i < works; i++) {
    const colour = COLOURS[i % COLOURS.length] ?? COLOURS[0];
    const noise = uniform(i, 'crop', 0, writer.stride);
    const tiles = Uint8Array.from(noise, (value, at) => (colour.rgb[at % 3] ?? 0) + value * 30);
    await writer.add(tiles, { style: { slug: colour.slug, name: colour.name } });
  }
  return await writer.finish();
}
