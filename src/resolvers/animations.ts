/** Animations: from one picture to another, or a walk through what a model can paint for some labels. */
import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { frameCountOf } from '../core/animation.ts';
import { encodeGlobalId } from '../core/global-id.ts';
import type { MovingPicture } from '../services/animations.ts';
import type { Context } from './context.ts';
import { PAINTING_COST } from './images.ts';
import { type FieldArgs, numberIn, Policy, STATEMENT_COST } from './policy.ts';
import { UrlScalar } from './scalars.ts';
import { Animation, FramesArgs, InterpolateArgs, LatentWalkArgs } from './types/animations.ts';
import { GeneratedImage } from './types/images.ts';
import { Model } from './types/models.ts';
import { pictureUrl } from './urls.ts';

/** The recipes of all frames are made, to see whether they can be. */
const ANIMATION_COST = 100;
const USUAL_FRAMES = 16;
const MOST_FRAMES_AT_ONCE = 64;

const framesIn = (args: FieldArgs) => Math.min(MOST_FRAMES_AT_ONCE, Math.max(1, numberIn(args, 'first', USUAL_FRAMES)));

@Resolver(() => Animation)
export class AnimationResolver {
  @Query(() => Animation, { description: 'The way from one picture to another: labels, latent and truncation.' })
  @Policy({ scope: 'generate', cost: ANIMATION_COST })
  interpolate(@Args(() => InterpolateArgs) args: InterpolateArgs, @Ctx() { animations }: Context) {
    return animations.interpolate(args);
  }

  @Query(() => Animation, { description: 'A walk from one random picture to the next, all for the same labels.' })
  @Policy({ scope: 'generate', cost: ANIMATION_COST + STATEMENT_COST })
  latentWalk(@Args(() => LatentWalkArgs) args: LatentWalkArgs, @Ctx() { animations }: Context) {
    return animations.walk(args);
  }

  @FieldResolver(() => ID)
  id(@Root() { id }: MovingPicture) {
    return encodeGlobalId('Animation', id);
  }

  @FieldResolver(() => Int)
  width(@Root() { model }: MovingPicture) {
    return model.resolution;
  }

  @FieldResolver(() => Int)
  height(@Root() { model }: MovingPicture) {
    return model.resolution;
  }

  @FieldResolver(() => Int)
  frameCount(@Root() { animation }: MovingPicture) {
    return frameCountOf(animation);
  }

  @FieldResolver(() => Int)
  frameMs(@Root() { animation }: MovingPicture) {
    return animation.frameMs;
  }

  @FieldResolver(() => Int)
  durationMs(@Root() { animation }: MovingPicture) {
    return frameCountOf(animation) * animation.frameMs;
  }

  @FieldResolver(() => Boolean, { description: 'Whether it is shown without end.' })
  loop(@Root() { animation }: MovingPicture) {
    return animation.loop;
  }

  @FieldResolver(() => Model)
  model(@Root() { model }: MovingPicture) {
    return model;
  }

  @FieldResolver(() => [GeneratedImage], { description: 'Its pictures, painted together.' })
  @Policy({ cost: (args) => PAINTING_COST * framesIn(args), size: framesIn })
  frames(
    @Root() moving: MovingPicture,
    @Args(() => FramesArgs) page: FramesArgs,
    @Ctx() { animations, asker }: Context,
  ) {
    return animations.frames(moving, page, asker);
  }

  @FieldResolver(() => UrlScalar, { description: 'Of the animated WebP, whose frames are painted when it is opened.' })
  url(
    @Root() { id }: MovingPicture,
    @Arg('width', () => Int, { nullable: true }) width: number | null | undefined,
    @Ctx() context: Context,
  ) {
    return pictureUrl(context, ['animations', id], { format: 'WEBP', width });
  }
}
