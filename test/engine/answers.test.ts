/** The line of requests in front of the engine: what is taken out of it together. */
import { describe, expect, it } from 'vitest';
import { plainLatent } from '../../src/core/latents.ts';
import { plainMix } from '../../src/core/mix.ts';
import { takeNext } from '../../src/engine/child/answers.ts';
import type { ToGenerator } from '../../src/engine/protocol.ts';

const picture = { mix: plainMix({}), latent: plainLatent(1), truncation: 1 };
const painting = (id: number, pictures: number, modelDir = 'm'): ToGenerator => {
  return { type: 'paint', id, modelDir, pictures: Array.from({ length: pictures }, () => picture) };
};
const classifying = (id: number): ToGenerator => ({ type: 'classify', id, modelDir: 'm', pixels: new Uint8Array(3) });

/** The ids that are taken together, until the line is empty. */
function taken(line: ToGenerator[], most = 16): number[][] {
  const all: number[][] = [];
  while (line.length > 0) all.push(takeNext(line, most).map(({ id }) => id));
  return all;
}

describe('takeNext', () => {
  it('takes paintings by one model together, as long as they are for no more pictures than it may', () => {
    expect(taken([painting(1, 1), painting(2, 8), painting(3, 7), painting(4, 1)])).toEqual([[1, 2, 3], [4]]);
  });

  it('leaves the last ones for next time where they would be painted with rows that nobody asked for', () => {
    const singles = (count: number) => Array.from({ length: count }, (_, i) => painting(i + 1, 1));
    const numbers = (count: number) => taken(singles(count)).map(({ length }) => length);
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 18, 20].map(numbers)).toEqual([
      [1],
      [2],
      [3],
      [4],
      [4, 1],
      [4, 2],
      [7],
      [8],
      [8, 1],
      [16, 2],
      [16, 4],
    ]);
  });

  it('takes the first however large it is, and then nothing with it', () => {
    expect(taken([painting(1, 40), painting(2, 1), painting(3, 40)])).toEqual([[1], [2], [3]]);
  });

  it('changes nothing about the order', () => {
    expect(taken([painting(1, 1, 'a'), painting(2, 1, 'b'), painting(3, 1, 'a')])).toEqual([[1], [2], [3]]);
    expect(taken([painting(1, 1), classifying(2), classifying(3), painting(4, 1), painting(5, 1)])).toEqual([
      [1],
      [2],
      [3],
      [4, 5],
    ]);
  });

  it('takes nothing from an empty line', () => {
    expect(takeNext([], 16)).toEqual([]);
  });
});
