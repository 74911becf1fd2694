/** Animations and what they are asked for by, without their relations. */
import { ArgsType, Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { Node } from '../interfaces.ts';
import { SeedScalar } from '../scalars.ts';
import { MixArgs } from './images.ts';

@ArgsType()
export class InterpolateArgs {
  @Field(() => ID, { description: 'A generated picture.' })
  from!: string;

  @Field(() => ID, { description: 'Another one of the same model.' })
  to!: string;

  @Field(() => Int, { defaultValue: 16, description: '2..240, both pictures among them.' })
  frames!: number;

  @Field(() => Int, { defaultValue: 100, description: 'Milliseconds that each is shown, 20..10000.' })
  frameMs!: number;

  @Field(() => Boolean, { defaultValue: false, description: 'And back again, without end: twice the frames but two.' })
  loop!: boolean;
}

@ArgsType()
export class LatentWalkArgs extends MixArgs {
  @Field(() => Int, { defaultValue: 4, description: '2..16 pictures, of seeds that follow each other.' })
  stops!: number;

  @Field(() => Int, { defaultValue: 8, description: 'From each to the next. There are 240 frames at most.' })
  framesPerStop!: number;

  @Field(() => SeedScalar, { nullable: true, description: 'Of the first stop; drawn where it is left out.' })
  seed?: number | null;

  @Field(() => Float, { defaultValue: 1, description: '0..1: nearer to 0 is nearer to the average picture.' })
  truncation!: number;

  @Field(() => ID, { nullable: true, description: 'The default model unless told.' })
  model?: string | null;

  @Field(() => Boolean, { defaultValue: true, description: 'Back to the first stop, without end.' })
  loop!: boolean;

  @Field(() => Int, { defaultValue: 100, description: 'Milliseconds that each frame is shown, 20..10000.' })
  frameMs!: number;
}

@ArgsType()
export class FramesArgs {
  @Field(() => Int, { defaultValue: 16, description: '1..64' })
  first!: number;

  @Field(() => Int, { defaultValue: 0, description: 'So many frames from the start are left out.' })
  skip!: number;
}

@ObjectType({
  implements: Node,
  description:
    'A way through the pictures of a model, from stop to stop. Its id is its recipe: nothing is painted before its url or its frames are asked for.',
})
export class Animation extends Node {
  @Field(() => Int)
  width!: number;

  @Field(() => Int)
  height!: number;

  @Field(() => Int)
  frameCount!: number;

  @Field(() => Int)
  frameMs!: number;

  @Field(() => Int)
  durationMs!: number;

  @Field(() => Boolean)
  loop!: boolean;
}
