/**
 * Animations: ways between pictures. Nothing is kept; an animation's id is its recipe, and its frames are painted for
 * its URL.
 */
import { createHash } from 'node:crypto';
import {
  type Animation,
  animationOf,
  decodeAnimation,
  encodeAnimation,
  frameCountOf,
  framesOf,
  MOST_FRAMES,
  MOST_STOPS,
} from '../core/animation.ts';
import { AppError } from '../core/errors.ts';
import { localId } from '../core/global-id.ts';
import { plainLatent } from '../core/latents.ts';
import { xmpOf } from '../core/picture-metadata.ts';
import { encodeRecipe, recipeOf, seedAt } from '../core/recipe.ts';
import type { ModelRow } from '../store/tables.ts';
import type { Original } from './delivery.ts';
import type { GenerationService, Picture, PictureRequest } from './generation.ts';
import { animatedWebp } from './moving-pictures.ts';
import type { Asker, PaintingService } from './painting.ts';
import type { Encoded } from './picture-cache.ts';
import { squareOfPng } from './pictures.ts';

export interface InterpolateRequest {
  /** Ids of pictures. */
  readonly from: string;
  readonly to: string;
  /** In all, from the one to the other; with `loop` those of the way back come on top. */
  readonly frames: number;
  readonly frameMs: number;
  readonly loop: boolean;
}

export interface WalkRequest extends PictureRequest {
  readonly stops: number;
  readonly framesPerStop: number;
  readonly frameMs: number;
  readonly loop: boolean;
}

/** An animation as it is answered with. */
export interface MovingPicture {
  readonly id: string;
  readonly animation: Animation;
  readonly model: ModelRow;
}

export interface AnimationOptions {
  readonly generation: GenerationService;
  readonly painting: PaintingService;
}

/** All frames together; undecoded each takes 3 bytes. */
const MOST_PIXELS = 20_000_000;
const MOST_FRAMES_AT_ONCE = 64;

export class AnimationService {
  readonly #options: AnimationOptions;

  constructor(options: AnimationOptions) {
    this.#options = options;
  }

  /**
   * The way from one picture to another. Paints nothing.
   * @throws AppError NOT_FOUND, INVALID_INPUT where they are not of one model, or there is no way
   */
  async interpolate({ from, to, frames, frameMs, loop }: InterpolateRequest): Promise<MovingPicture> {
    const { painting } = this.#options;
    if (!Number.isInteger(frames) || frames < 2)
      throw new AppError('INVALID_INPUT', 'frames must be a whole number from 2.', { path: ['frames'] });
    const [first, last] = [await painting.find(from, ['from']), await painting.find(to, ['to'])];
    const stops = [first.recipe, last.recipe];
    return movingPicture(animationOf({ stops, framesPerStop: frames - 1, frameMs, loop }), first.model);
  }

  /**
   * A walk from one random picture to the next, all of the same labels. Paints nothing.
   * @throws AppError INVALID_INPUT, or as GenerationService.resolve
   */
  async walk({ stops, framesPerStop, frameMs, loop, ...request }: WalkRequest): Promise<MovingPicture> {
    if (!Number.isInteger(stops) || stops < 2 || stops > MOST_STOPS)
      throw new AppError('INVALID_INPUT', `stops must be a whole number from 2 to ${MOST_STOPS}.`, { path: ['stops'] });
    const { model, mix, seed, truncation } = await this.#options.generation.resolve(request);
    const recipes = Array.from({ length: stops }, (_, i) =>
      recipeOf({ modelId: model.id, mix, latent: plainLatent(seedAt(seed, i)), truncation }),
    );
    return movingPicture(animationOf({ stops: recipes, framesPerStop, frameMs, loop }), model);
  }

  /** The animation of an id. @throws AppError NOT_FOUND */
  async find(text: string): Promise<MovingPicture> {
    const animation = decodeAnimation(localId(text, 'Animation'));
    if (animation === undefined) throw notFound();
    // Each of them: the model must know all labels.
    const found = await Promise.all(animation.stops.map((stop) => this.#options.painting.find(encodeRecipe(stop))));
    const [first] = found;
    if (first === undefined) throw notFound();
    return movingPicture(animation, first.model);
  }

  /** Some of the frames, painted together. @throws AppError INVALID_INPUT, OVERLOADED, ENGINE_UNAVAILABLE */
  async frames(
    { animation, model }: MovingPicture,
    { first, skip }: { readonly first: number; readonly skip: number },
    asker: Asker,
  ): Promise<Picture[]> {
    const whole = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max;
    if (!whole(first, 1, MOST_FRAMES_AT_ONCE) || !whole(skip, 0, MOST_FRAMES))
      throw new AppError('INVALID_INPUT', `first must be 1 to ${MOST_FRAMES_AT_ONCE}, skip 0 to ${MOST_FRAMES}.`, {
        path: ['first'],
      });
    return this.#options.generation.paint(model, framesOf(animation).slice(skip, skip + first), asker);
  }

  /** What the URL of an animation serves: animated WebP. @throws AppError NOT_FOUND where the text is none */
  original(id: string): Original {
    const animation = decodeAnimation(id);
    if (animation === undefined) throw notFound();
    return {
      // A text can be deflated in many ways.
      key: `animation:${createHash('sha256').update(encodeAnimation(animation)).digest('hex')}`,
      prepare: async ({ width }, asker) => {
        const { model } = await this.find(id);
        const side = width ?? model.resolution;
        checkPixels(animation, side);
        const frames = framesOf(animation);
        const pngs = await this.#options.painting.pngs(model, frames, asker);
        return () => filmOf({ animation, side, pngs, model });
      },
    };
  }
}

interface Film {
  readonly animation: Animation;
  readonly model: ModelRow;
  /** Of the frames, in their own size. */
  readonly pngs: readonly Encoded[];
  readonly side: number;
}

/** The file tells the recipe of the first frame. */
async function filmOf({ animation, model, pngs, side }: Film): Promise<Buffer> {
  const { frameMs, loop, stops } = animation;
  const [first] = stops;
  if (first === undefined) throw new Error('An animation has stops');
  const each = side * side * 3;
  const pixels = Buffer.alloc(pngs.length * each);
  for (const [i, { body }] of pngs.entries()) (await squareOfPng(body, side)).copy(pixels, i * each);
  return animatedWebp({ pixels, count: pngs.length, side, frameMs, loop, xmp: xmpOf(first, model.sha256) });
}

function movingPicture(animation: Animation, model: ModelRow): MovingPicture {
  return { id: encodeAnimation(animation), animation, model };
}

function checkPixels(animation: Animation, side: number): void {
  const frames = frameCountOf(animation);
  if (frames * side * side <= MOST_PIXELS) return;
  const most = Math.floor(Math.sqrt(MOST_PIXELS / frames));
  throw new AppError('INVALID_INPUT', `An animation of ${frames} frames can be ${most} pixels wide, not ${side}.`, {
    path: ['width'],
  });
}

function notFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such animation: its id is not the recipe of one.', { path: ['id'] });
}
