/**
 * Training presets: plain, complete objects, printed with the run. `startTraining(config:)` may change any field by its
 * name and nothing else.
 */
import { z } from 'zod';
import { AppError } from './errors.ts';
import { didYouMean, LABEL_KINDS } from './labels.ts';

/** Side lengths, in pixels, that the networks can be built for. */
export const RESOLUTIONS = [32, 64, 128, 256] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

const share = z.number().min(0).max(1);
/** Of a moving average; at 1 it would never move. */
const decay = z.number().min(0).max(0.99999);
const rate = z.number().positive().max(1);
const every = z.int().min(1).max(1_000_000_000);

/** The fields of a preset that a user may change, with their limits. */
export const tunable = z.strictObject({
  /** Kinds of labels that the networks are conditioned on; `icip2017` and `tip2019` know exactly one. */
  labelKinds: z.array(z.enum(LABEL_KINDS)).min(1).max(3),
  /** Pictures in one step, of each kind (real and generated). */
  batchSize: z.int().min(2).max(1024),
  /** Length of the latent vector z. */
  latentSize: z.int().min(1).max(1024),
  /** Channels of the widest-resolution layer; deeper layers have multiples of it. */
  width: z.int().min(2).max(512),
  optimizer: z.enum(['rmsprop', 'adam']),
  generatorLearningRate: rate,
  discriminatorLearningRate: rate,
  /** Adam's decay of the first and second moment; RMSProp uses `beta2` as its decay (rho). */
  beta1: decay,
  beta2: decay,
  /** Adam adds it to the root of the second moment, RMSProp within the root. */
  epsilon: z.number().positive().max(1),
  /** Share of the steps after which the learning rates are multiplied by `learningRateDropFactor`; 1: never. */
  learningRateDropAt: share,
  learningRateDropFactor: rate,
  /** Weight of the L2 pixel reconstruction in G's loss (tip2019: in both losses); 0 leaves the path out. */
  reconstructionWeight: z.number().min(0).max(100),
  /** Decay of the moving average of G's weights that paints the pictures; 0: the weights themselves. */
  emaDecay: decay,
  /** Mirror half of the real pictures. */
  flips: z.boolean(),
  /** Cut the training square at a random place instead of the middle. */
  crops: z.boolean(),
  /** Differentiable augmentation of what D sees, real and generated (DiffAugment, Zhao et al. 2020). */
  augment: z.array(z.enum(['color', 'translation', 'cutout'])).max(3),
  /** 0: works are drawn as the collection holds them; 1: every label equally often. */
  labelBalance: share,
  /**
   * Share of the generated pictures for which a kind of label is not asked for, so that G learns to paint without it.
   * Real works always tell D what they are. For studio alone: the others have no entry for "not asked for".
   */
  labelDropout: share,
  /**
   * Share of the generated pictures whose labels are those of several works, one for each kind: so that G learns to paint
   * combinations that no work has. For studio alone.
   */
  labelMixing: share,
  /**
   * Weight, in G's loss, of the variety that two pictures of the same labels lack against two such works; above 0 works
   * and latents are drawn in pairs.
   */
  diversityWeight: z.number().min(0).max(100),
  metricsEvery: every,
  sampleEvery: every,
  checkpointEvery: every,
  /** Measured against the collection every so many steps (core/measures.ts), with a checkpoint; 0: never. */
  evaluateEvery: z.int().min(0).max(1_000_000_000),
  /** Checkpoints kept besides the newest; older ones are deleted, but for those of the next two fields. */
  keepCheckpoints: z.int().min(1).max(1000),
  /** Measured checkpoints with the lowest KID that are kept. */
  keepBest: z.int().min(0).max(1000),
  /** Checkpoints of steps that are multiples of this are kept; 0: none for that. */
  keepEvery: z.int().min(0).max(1_000_000_000),
});
export type Tunable = z.infer<typeof tunable>;

export const trainConfig = tunable.extend({
  preset: z.enum(['studio', 'icip2017', 'tip2019']),
  resolution: z.literal(RESOLUTIONS),
  // Models and runs that were written before there were these fields.
  labelMixing: tunable.shape.labelMixing.default(0),
  evaluateEvery: tunable.shape.evaluateEvery.default(0),
  keepBest: tunable.shape.keepBest.default(0),
  keepEvery: tunable.shape.keepEvery.default(0),
});
/** Everything that decides how a run trains, besides the data, the seed and the number of steps. */
export type TrainConfig = z.infer<typeof trainConfig>;
export type PresetName = TrainConfig['preset'];

interface Preset {
  readonly summary: string;
  readonly resolutions: readonly Resolution[];
  readonly config: Tunable;
}

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  icip2017: {
    summary: 'The networks, losses and optimiser of the ICIP 2017 paper, conditioned on one kind of label.',
    resolutions: [64],
    config: {
      labelKinds: ['style'],
      batchSize: 128,
      latentSize: 100,
      width: 128,
      optimizer: 'rmsprop',
      generatorLearningRate: 1e-3,
      discriminatorLearningRate: 1e-3,
      beta1: 0,
      beta2: 0.9,
      epsilon: 1e-10,
      learningRateDropAt: 0.8,
      learningRateDropFactor: 0.1,
      reconstructionWeight: 1,
      emaDecay: 0,
      flips: false,
      crops: true,
      augment: [],
      labelBalance: 0,
      labelDropout: 0,
      labelMixing: 0,
      diversityWeight: 0,
      metricsEvery: 10,
      sampleEvery: 100,
      checkpointEvery: 500,
      evaluateEvery: 2_500,
      keepCheckpoints: 3,
      keepBest: 1,
      keepEvery: 0,
    },
  },
  tip2019: {
    summary: 'Its successor (TIP 2019): magnified learning, a discriminator that is an autoencoder, K logits.',
    resolutions: [64],
    config: {
      labelKinds: ['style'],
      batchSize: 100,
      latentSize: 100,
      width: 32,
      optimizer: 'adam',
      generatorLearningRate: 2e-4,
      discriminatorLearningRate: 2e-4,
      beta1: 0.5,
      beta2: 0.999,
      epsilon: 1e-8,
      learningRateDropAt: 0.6,
      learningRateDropFactor: 0.1,
      reconstructionWeight: 0.5,
      emaDecay: 0,
      flips: true,
      crops: true,
      augment: [],
      labelBalance: 0,
      labelDropout: 0,
      labelMixing: 0,
      diversityWeight: 0,
      metricsEvery: 10,
      sampleEvery: 100,
      checkpointEvery: 500,
      evaluateEvery: 2_500,
      keepCheckpoints: 3,
      keepBest: 1,
      keepEvery: 0,
    },
  },
  studio: {
    summary: 'The same objective for artist, style and genre together, light enough for two CPU cores.',
    resolutions: RESOLUTIONS,
    config: {
      labelKinds: ['artist', 'style', 'genre'],
      batchSize: 16,
      latentSize: 128,
      width: 16,
      optimizer: 'adam',
      generatorLearningRate: 6e-4,
      discriminatorLearningRate: 1.2e-3,
      beta1: 0,
      beta2: 0.99,
      epsilon: 1e-8,
      learningRateDropAt: 0.8,
      learningRateDropFactor: 0.2,
      reconstructionWeight: 1,
      emaDecay: 0.999,
      flips: true,
      crops: true,
      augment: ['translation', 'cutout'],
      labelBalance: 0.5,
      labelDropout: 0.4,
      labelMixing: 0.25,
      diversityWeight: 1,
      metricsEvery: 10,
      sampleEvery: 100,
      checkpointEvery: 500,
      evaluateEvery: 2_500,
      keepCheckpoints: 3,
      keepBest: 1,
      keepEvery: 0,
    },
  },
};

export interface ConfigRequest {
  readonly preset: string;
  readonly resolution: number;
  readonly batchSize?: number | undefined;
  /** Fields of the preset to change, as the user sent them. */
  readonly config?: unknown;
}

/**
 * The complete configuration of a run.
 * @throws AppError UNKNOWN_PRESET or INVALID_INPUT, with the path of the mistake and all reasons.
 */
export function resolveConfig({ preset: name, resolution, batchSize, config }: ConfigRequest): TrainConfig {
  const names = Object.keys(PRESETS);
  const found = names.find((known): known is PresetName => known === name);
  if (found === undefined) {
    throw new AppError('UNKNOWN_PRESET', `There is no preset "${name}". Presets: ${names.join(', ')}.`, {
      path: ['input', 'preset'],
      suggestions: didYouMean(name, names),
    });
  }
  const preset = PRESETS[found];
  const size = preset.resolutions.find((known) => known === resolution);
  if (size === undefined) {
    throw new AppError(
      'INVALID_INPUT',
      `Preset ${found} trains at ${preset.resolutions.join(', ')} pixels, not at ${resolution}.`,
      {
        path: ['input', 'resolution'],
      },
    );
  }
  const fields = asFields(config);
  if (batchSize !== undefined && fields['batchSize'] !== undefined)
    throw new AppError('INVALID_INPUT', 'batchSize is given twice: as an argument and in config. Give one of them.', {
      path: ['input', 'config', 'batchSize'],
    });
  const changes = tunable.partial().safeParse({ ...(batchSize === undefined ? {} : { batchSize }), ...fields });
  if (!changes.success) {
    const [first] = changes.error.issues;
    const reasons = firstByField(changes.error.issues).map(([name, message]) => `${name}: ${message}.`);
    const unknown = changes.error.issues.some(({ code }) => code === 'unrecognized_keys');
    const hint = unknown ? ` Fields: ${Object.keys(preset.config).join(', ')}.` : '';
    const [field, ...rest] = first?.path.map(String) ?? [];
    throw new AppError('INVALID_INPUT', reasons.join(' ') + hint, {
      path: [...placeOf(field, batchSize), ...rest],
    });
  }
  const defined = Object.fromEntries(Object.entries(changes.data).filter(([, value]) => value !== undefined));
  const complete = trainConfig.parse({ ...preset.config, ...defined, preset: found, resolution: size });
  checkTogether(complete, batchSize);
  return complete;
}

/** Where a field was given: the batch size has an argument of its own. */
function placeOf(field: string | undefined, batchSize: number | undefined): string[] {
  if (field === 'batchSize' && batchSize !== undefined) return ['input', 'batchSize'];
  return field === undefined ? ['input', 'config'] : ['input', 'config', field];
}

/** What each field allows by itself, but not together with others. @throws AppError INVALID_INPUT */
function checkTogether(config: TrainConfig, asked: number | undefined): void {
  const { preset, labelKinds, augment, batchSize, diversityWeight, labelDropout, labelMixing } = config;
  const refuse = (field: string, message: string) => {
    throw new AppError('INVALID_INPUT', message, { path: placeOf(field, asked) });
  };
  if (new Set(labelKinds).size !== labelKinds.length) refuse('labelKinds', 'labelKinds names a kind twice.');
  if (new Set(augment).size !== augment.length) refuse('augment', 'augment names a change twice.');
  if (preset !== 'studio' && labelKinds.length !== 1)
    refuse('labelKinds', `Preset ${preset} is conditioned on exactly one kind of label, e.g. ["style"].`);
  if (diversityWeight > 0 && batchSize % 2 === 1)
    refuse('batchSize', 'batchSize must be even where diversityWeight is above 0: pictures come in pairs.');
  if (preset !== 'studio' && labelMixing > 0)
    refuse('labelMixing', `Preset ${preset} is conditioned on one kind of label: labelMixing must be 0.`);
  if (preset !== 'studio' && labelDropout > 0)
    refuse('labelDropout', `Preset ${preset} has no entry for a label that is not asked for: labelDropout must be 0.`);
}

/** One reason a field: what comes after the first follows from it. */
function firstByField(issues: readonly z.core.$ZodIssue[]): [string, string][] {
  const first = new Map<string, string>();
  for (const { path, message } of issues) {
    const name = path.join('.') || 'config';
    if (!first.has(name)) first.set(name, message);
  }
  return [...first];
}

function asFields(config: unknown): Readonly<Record<string, unknown>> {
  if (config === undefined || config === null) return {};
  if (typeof config !== 'object' || Array.isArray(config)) {
    throw new AppError('INVALID_INPUT', 'config must be an object of preset fields, e.g. { "metricsEvery": 5 }.', {
      path: ['input', 'config'],
    });
  }
  return { ...config };
}
