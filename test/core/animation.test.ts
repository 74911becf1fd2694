import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { animationOf, decodeAnimation, encodeAnimation, frameCountOf, framesOf } from '../../src/core/animation.ts';
import { type Latent, plainLatent } from '../../src/core/latents.ts';
import { plainMix } from '../../src/core/mix.ts';
import { decodeRecipe, encodeRecipe, type Recipe, recipeOf } from '../../src/core/recipe.ts';

const stop = (seed: number, { modelId = 'm', style = 'warm', truncation = 1 } = {}): Recipe =>
  recipeOf({ modelId, mix: plainMix({ style }), latent: plainLatent(seed), truncation });
const ofLatent = (latent: Latent) => recipeOf({ modelId: 'm', mix: plainMix({}), latent, truncation: 1 });
const base = { framesPerStop: 4, loop: false, frameMs: 100 };
const packed = (json: unknown) => deflateRawSync(JSON.stringify(json)).toString('base64url');
const jsonOf = (recipe: Recipe) => JSON.parse(Buffer.from(encodeRecipe(recipe), 'base64url').toString());

describe('the frames of an animation', () => {
  it('lead from stop to stop, which are what they were, to the last', () => {
    const stops = [stop(1), stop(2, { style: 'cool', truncation: 0.5 }), stop(3)];
    const frames = framesOf({ ...base, stops });
    expect(frames).toHaveLength(9);
    expect([frames[0], frames[4], frames[8]]).toEqual(stops);
    // Half-way: 45 degrees, half of each label, a truncation between.
    expect(frames[2]).toEqual({
      version: 2,
      modelId: 'm',
      mix: [
        { weight: 0.5, conditions: { style: 'cool' } },
        { weight: 0.5, conditions: { style: 'warm' } },
      ],
      source: {
        kind: 'latent',
        truncation: 0.75,
        latent: [
          { weight: expect.closeTo(Math.SQRT1_2, 6), seed: 1 },
          { weight: expect.closeTo(Math.SQRT1_2, 6), seed: 2 },
        ],
      },
    });
    // Each is a picture by its own id.
    for (const frame of frames) expect(decodeRecipe(encodeRecipe(frame))).toEqual(frame);
  });

  it('lead back to the first where they go on without end', () => {
    const animation = { ...base, stops: [stop(1), stop(2)], loop: true };
    const frames = framesOf(animation);
    expect([frames.length, frameCountOf(animation)]).toEqual([8, 8]);
    expect([frames[0], frames[4]]).toEqual(animation.stops);
    // There and back: the same pictures.
    expect(frames[7]).toEqual(frames[1]);
  });

  it('are of the newest version, so that their files say what they are', () => {
    const old: Recipe = { ...stop(1), version: 1 };
    expect(animationOf({ ...base, stops: [old, stop(2)] }).stops[0]).toEqual(stop(1));
  });
});

describe('an animation', () => {
  it('is its id', () => {
    const animation = { stops: [stop(1), stop(2, { style: 'cool' })], framesPerStop: 15, loop: true, frameMs: 40 };
    expect(decodeAnimation(encodeAnimation(animation))).toEqual(animation);
  });

  const upload: Recipe = { ...stop(1), source: { kind: 'upload', sha256: 'a'.repeat(64) } };
  const many = (from: number) => Array.from({ length: 16 }, (_, i) => ({ weight: 0.25, seed: from + i }));

  it.each([
    ['one stop', { stops: [stop(1)] }],
    ['too many stops', { stops: Array.from({ length: 17 }, (_, i) => stop(i)), framesPerStop: 1 }],
    ['no frames', { framesPerStop: 0 }],
    ['half a frame', { framesPerStop: 1.5 }],
    ['too many frames', { framesPerStop: 240 }],
    ['too fast', { frameMs: 19 }],
    ['too slow', { frameMs: 10_001 }],
    ['two models', { stops: [stop(1), stop(2, { modelId: 'other' })] }],
    ['an upload', { stops: [stop(1), upload] }],
    ['opposites', { stops: [ofLatent([{ weight: 1, seed: 1 }]), ofLatent([{ weight: -1, seed: 1 }])] }],
    ['more seeds between than a recipe holds', { stops: [ofLatent(many(0)), ofLatent(many(100))] }],
  ])('is refused: %s', (_what, wrong) => {
    const animation = { ...base, stops: [stop(1), stop(2)], ...wrong };
    expect(() => animationOf(animation)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });

  it.each([
    ['nothing', ''],
    ['no deflated text', 'AAAA'],
    ['another version', packed([2, 4, 100, 0, [jsonOf(stop(1)), jsonOf(stop(2))]])],
    ['one stop', packed([1, 4, 100, 0, [jsonOf(stop(1))]])],
    ['no recipes', packed([1, 4, 100, 0, [1, 2]])],
    ['two models', packed([1, 4, 100, 0, [jsonOf(stop(1)), jsonOf(stop(2, { modelId: 'other' }))]])],
    ['too many frames', packed([1, 240, 100, 0, [jsonOf(stop(1)), jsonOf(stop(2))]])],
    ['a million stops', packed([1, 4, 100, 0, Array(1_000_000).fill(1)])],
  ])('is not what holds %s', (_what, id) => {
    expect(decodeAnimation(id)).toBeUndefined();
  });
});
