/** What an evaluation says of a generator. */
import { Field, Float, Int, ObjectType } from 'type-graphql';
import { LabelKindEnum, MeasureWarningEnum } from '../enums.ts';
import { TrainingEvent } from '../interfaces.ts';
import { Policy } from '../policy.ts';

const KINDS = 3;
/** Combinations of kinds, seen and not; kinds of warnings are about as many. */
const COMBINATIONS = 4;

@ObjectType({ description: 'A number with its 95 % interval.' })
export class Estimate {
  @Field(() => Float)
  value!: number;

  @Field(() => Float)
  low!: number;

  @Field(() => Float)
  high!: number;
}

@ObjectType()
export class LabelAccuracy {
  @Field(() => String)
  slug!: string;

  @Field(() => Float, { description: '0..1' })
  accuracy!: number;
}

@ObjectType({
  description:
    "How often a classifier of the collection, trained apart from the GAN, reads the label that was asked for. heldOut is its own accuracy on works that it was not trained on; chance is a guesser's.",
})
export class LabelFidelity {
  @Field(() => LabelKindEnum)
  kind!: string;

  @Field(() => Float, { description: '0..1, mean over the labels of the kind.' })
  accuracy!: number;

  @Field(() => Float)
  chance!: number;

  @Field(() => Float)
  heldOut!: number;

  @Field(() => [LabelAccuracy])
  labels!: LabelAccuracy[];
}

@ObjectType()
export class KindAccuracy {
  @Field(() => LabelKindEnum)
  kind!: string;

  @Field(() => Float)
  accuracy!: number;

  @Field(() => Float)
  chance!: number;
}

@ObjectType({ description: 'All kinds asked for together, each read back by itself.' })
export class CombinationFidelity {
  @Field(() => Boolean, { description: 'Whether works have these combinations.' })
  seen!: boolean;

  @Field(() => Int)
  pictures!: number;

  @Field(() => [KindAccuracy])
  @Policy({ size: KINDS })
  kinds!: KindAccuracy[];
}

@ObjectType()
export class LogLikelihood {
  @Field(() => Float)
  logLikelihood!: number;

  @Field(() => Float)
  standardError!: number;
}

@ObjectType()
export class MeasureWarning {
  @Field(() => MeasureWarningEnum)
  code!: string;

  @Field(() => String)
  message!: string;
}

@ObjectType({
  implements: TrainingEvent,
  description: "A run's generator measured against its collection; docs/evaluation.md says how to read the numbers.",
})
export class TrainingMeasures extends TrainingEvent {
  @Field(() => Int)
  step!: number;

  @Field(() => Int, { description: 'Generated pictures, compared with as many works.' })
  pictures!: number;

  @Field(() => Estimate, {
    description: "Kernel inception distance in the features of the collection's own classifier.",
  })
  kid!: Estimate;

  @Field(() => [LabelFidelity])
  @Policy({ size: KINDS })
  fidelity!: LabelFidelity[];

  @Field(() => [CombinationFidelity])
  @Policy({ size: COMBINATIONS })
  combinations!: CombinationFidelity[];

  @Field(() => Float, { description: 'Of pictures of a label, against works of it: 1 is as varied, 0 is one picture.' })
  diversity!: number;

  @Field(() => Float, { description: 'Share of the pictures that are copies of a work, 0..1.' })
  memorised!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Root of the mean squared error of Dec(Enc(work)); pixels in 0..1.',
  })
  reconstruction!: number | null;

  @Field(() => LogLikelihood, { description: 'Of works under a Parzen window on generated pictures, in nats.' })
  parzen!: LogLikelihood;

  @Field(() => [MeasureWarning])
  @Policy({ size: COMBINATIONS })
  warnings!: MeasureWarning[];
}
