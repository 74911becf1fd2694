/**
 * The state of a training run and its steps: compiled to a TensorFlow graph that holds the state itself, or eagerly.
 * Takes plain arrays, gives numbers; everything random is drawn from (seed, purpose, step).
 */
import type { Variable } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { Program, type Tensors } from '../graph/program.ts';
import { compiles, tf } from '../tensorflow.ts';
import type { Architecture } from './architecture.ts';
import { slotSpecs } from './optimisers.ts';
import { type TrainingState, trainingStep } from './step.ts';
import { type Batch, flatten, type StepInputs, stepInputs } from './step-inputs.ts';
import { Weights } from './weights.ts';

export interface Losses {
  readonly dLoss: number;
  readonly gLoss: number;
  /** null where the preset has no reconstruction. */
  readonly l2Loss: number | null;
}

export interface Accuracies {
  /** Share of the known labels of real pictures that D names; null where none is known. */
  readonly realAccuracy: number | null;
  /** Share of the labels asked for that D names for generated pictures. */
  readonly fakeAccuracy: number | null;
}

export type StateGroup = keyof TrainingState;
export const STATE_GROUPS: readonly StateGroup[] = ['weights', 'average', 'slots'];

export interface TrainerOptions {
  /** Run steps as a recorded graph; unless told, wherever TensorFlow computes and ENGINE is not "eager". */
  readonly compiled?: boolean;
}

export class Trainer implements Disposable {
  readonly net: Architecture;
  readonly #config: TrainConfig;
  readonly #seed: number;
  readonly #compiled: boolean;
  readonly #state: TrainingState;
  #program: Program | undefined;
  /** The program has gone on: its variables are newer than those of `#state`. */
  #ahead = false;

  constructor(net: Architecture, config: TrainConfig, seed: number, { compiled = compiles }: TrainerOptions = {}) {
    this.net = net;
    this.#config = config;
    this.#seed = seed;
    this.#compiled = compiled;
    const weights = Weights.fromSeed(net.specs, seed);
    const generator = net.specs.filter(({ name }) => name.startsWith('generator.'));
    this.#state = {
      weights,
      slots: Weights.fromSeed(slotSpecs(config.optimizer, net.specs), seed),
      average: new Weights(generator, ({ name }) => weights.get(name).dataSync<'float32'>()),
    };
  }

  /** The state after the last step, to be read. */
  get state(): TrainingState {
    if (this.#ahead) this.#pull();
    return this.#state;
  }

  /** The moving average of G, which paints. */
  get average(): Weights {
    return this.state.average;
  }

  /** Replaces the whole state. */
  restore(values: Readonly<Record<StateGroup, ReadonlyMap<string, Float32Array>>>): void {
    for (const group of STATE_GROUPS) this.#state[group].load(values[group]);
    this.#program?.write(variablesOf(this.#state));
    this.#ahead = false;
  }

  /** Runs step `step` (from 1) of `totalSteps`. */
  step(step: number, batch: Batch, totalSteps: number): Losses & Accuracies {
    return scoped(() => {
      const outputs = this.#run(stepInputs(batch, this.#config, { seed: this.#seed, step, totalSteps }));
      const numberOf = (name: string) => outputs[name]?.dataSync()[0] ?? Number.NaN;
      const share = (name: string) => (Number.isNaN(numberOf(name)) ? null : numberOf(name));
      return {
        dLoss: numberOf('dLoss'),
        gLoss: numberOf('gLoss'),
        l2Loss: this.#config.reconstructionWeight === 0 ? null : numberOf('l2Loss'),
        realAccuracy: share('realAccuracy'),
        fakeAccuracy: share('fakeAccuracy'),
      };
    });
  }

  [Symbol.dispose](): void {
    this.#program?.[Symbol.dispose]();
    for (const group of STATE_GROUPS) this.#state[group][Symbol.dispose]();
  }

  #run(inputs: StepInputs): Tensors {
    const run = () => ({ ...trainingStep({ net: this.net, config: this.#config, ...this.#state }, inputs) });
    if (!this.#compiled) return run();
    const flat = flatten(inputs);
    this.#program ??= Program.compile(variablesOf(this.#state), { step: { inputs: flat, body: run } });
    this.#ahead = true;
    return this.#program.run('step', flat);
  }

  #pull(): void {
    const values = this.#program?.read() ?? new Map();
    for (const [name, variable] of variablesOf(this.#state)) {
      const value = values.get(name);
      if (value === undefined) throw new Error(`The program has no ${name}`);
      variable.assign(value);
      value.dispose();
    }
    this.#ahead = false;
  }
}

function variablesOf(state: TrainingState): Map<string, Variable> {
  const named = STATE_GROUPS.flatMap((group) =>
    [...state[group].variables].map(([name, variable]) => [`${group}/${name}`, variable] as const),
  );
  return new Map(named);
}

/** Frees every tensor that `work` made and did not keep; what it returns are plain values. */
function scoped<T>(work: () => T): T {
  tf.engine().startScope();
  try {
    return work();
  } finally {
    tf.engine().endScope();
  }
}
