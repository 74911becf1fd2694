/** The training presets, printed. */
import { Field, Int, ObjectType, Query, Resolver } from 'type-graphql';
import { PRESETS } from '../core/presets.ts';
import { Policy } from './policy.ts';
import { JsonScalar } from './scalars.ts';

@ObjectType({ description: 'A way to train. startTraining(config:) may change any field of config.' })
export class TrainingPreset {
  @Field(() => String)
  name!: string;

  @Field(() => String)
  summary!: string;

  @Field(() => [Int])
  resolutions!: readonly number[];

  @Field(() => JsonScalar)
  config!: unknown;
}

@Resolver()
export class PresetQueries {
  @Query(() => [TrainingPreset])
  @Policy({ cacheSeconds: 3_600 })
  presets(): TrainingPreset[] {
    return Object.entries(PRESETS).map(([name, preset]) => ({ name, ...preset }));
  }
}
