/** What a model's discriminator makes of pictures: it names their labels, and has them repainted. */
import { Arg, Args, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import type {
  Classification as Classified,
  KindClassification as Kind,
  LabelProbability as Likely,
} from '../services/classification.ts';
import { labelKey } from '../store/labels.ts';
import type { Context } from './context.ts';
import { PAINTING_COST } from './images.ts';
import { Label, labelTypeName, tagged } from './interfaces.ts';
import { numberIn, Policy, STATEMENT_COST } from './policy.ts';
import {
  Classification,
  ClassifyArgs,
  KindClassification,
  LabelProbability,
  ReconstructArgs,
} from './types/classification.ts';
import { GeneratedImage } from './types/images.ts';
import { Model } from './types/models.ts';

/** One picture, by itself, is several times the work of one in a batch. */
const CLASSIFYING_COST = 400;
const USUAL_LABELS = 5;
const MOST_LABELS = 1_000;

@Resolver(() => Classification)
export class ClassificationResolver {
  @Query(() => Classification, {
    description: 'How likely a picture has each artist, style and genre that a model knows, by its discriminator.',
  })
  @Policy({ scope: 'generate', cost: CLASSIFYING_COST })
  classify(@Args(() => ClassifyArgs) args: ClassifyArgs, @Ctx() { classification, viewer, asker }: Context) {
    return classification.classify(args, viewer, asker);
  }

  @Query(() => GeneratedImage, {
    description:
      'An upload as a model sees it: its encoder makes a code of the picture, and the generator paints from that code. With labels it paints in their manner.',
  })
  @Policy({ scope: 'generate', cost: PAINTING_COST + CLASSIFYING_COST })
  async reconstruct(
    @Args(() => ReconstructArgs) { upload, ...request }: ReconstructArgs,
    @Ctx() { generation, uploads, viewer, asker }: Context,
  ) {
    const { sha256 } = await uploads.picture(upload, viewer);
    return generation.reconstruct({ ...request, upload: sha256 }, asker);
  }

  @FieldResolver(() => Model)
  model(@Root() { model }: Classified) {
    return model;
  }
}

@Resolver(() => KindClassification)
export class KindClassificationResolver {
  @FieldResolver(() => [LabelProbability], { description: 'The likeliest first.' })
  @Policy({ once: STATEMENT_COST, size: (args) => Math.min(MOST_LABELS, numberIn(args, 'first', USUAL_LABELS)) })
  labels(
    @Root() { labels }: Kind,
    @Arg('first', () => Int, { defaultValue: USUAL_LABELS, description: 'At most so many.' }) first: number,
  ) {
    return labels.slice(0, Math.max(0, Math.min(MOST_LABELS, first)));
  }
}

@Resolver(() => LabelProbability)
export class LabelProbabilityResolver {
  @FieldResolver(() => Label)
  async label(@Root() { kind, slug }: Likely, @Ctx() { load }: Context) {
    const row = await load.labelBySlug.load(labelKey({ kind, slug }));
    if (row === undefined) throw new Error(`A model knows the ${kind} ${slug}, which has no row`);
    return tagged(labelTypeName(row.kind), row);
  }
}
