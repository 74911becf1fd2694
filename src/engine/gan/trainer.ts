/**
 * The state of a training run and its steps: compiled to a TensorFlow graph that holds the state itself, or eagerly.
 * Takes plain arrays, gives numbers; everything random is drawn from (seed, purpose, step).
 */
import type { Variable } from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../core/presets.ts';
import { Program } from '../graph/program.ts';
import type { Tensors } from '../graph/recording.ts';
import { compiles, scoped } from '../tensorflow.ts';
import { type Architecture, specsOfGenerator } from './architecture.ts';
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
  /** Groups of `#state` that are older than the program's variables. */
  readonly #stale = new Set<StateGroup>();

  constructor(net: Architecture, config: TrainConfig, seed: number, { compiled = compiles }: TrainerOptions = {}) {
    this.net = net;
    this.#config = config;
    this.#seed = seed;
    this.#compiled = compiled;
    const weights = Weights.fromSeed(net.specs, seed);
    this.#state = {
      weights,
      slots: Weights.fromSeed(slotSpecs(config.optimizer, net.specs), seed),
      average: new Weights(specsOfGenerator(net), ({ name }) => weights.get(name).dataSync<'float32'>()),
    };
  }

  /** The state after the last step, to be read. */
  get state(): TrainingState {
    for (const group of STATE_GROUPS) this.#pull(group);
    return this.#state;
  }

  /** The moving average of G, which paints. */
  get average(): Weights {
    this.#pull('average');
    return this.#state.average;
  }

  /** Replaces the whole state. */
  restore(values: Readonly<Record<StateGroup, ReadonlyMap<string, Float32Array>>>): void {
    for (const group of STATE_GROUPS) this.#state[group].load(values[group]);
    this.#program?.write(variablesOf(this.#state));
    this.#stale.clear();
  }

  /** Runs step `step` (from 1) of `totalSteps`. */
  step(step: number, batch: Batch, totalSteps: number): Losses & Accuracies {
    return scoped(() => {
      const outputs = this.#run(stepInputs(batch, this.#config, { seed: this.#seed, step, totalSteps }));
      const numberOf = (name: string) => outputs[name]?.dataSync()[0] ?? Number.NaN;
      const share = (name: string) => {
        const value = numberOf(name);
        return Number.isNaN(value) ? null : value;
      };
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
    for (const group of STATE_GROUPS) this.#stale.add(group);
    return this.#program.run('step', flat);
  }

  /** Brings a group up to the last step. */
  #pull(group: StateGroup): void {
    if (!this.#stale.delete(group) || this.#program === undefined) return;
    const variables = namedVariables(group, this.#state[group]);
    for (const [name, value] of this.#program.read([...variables.keys()])) {
      variables.get(name)?.assign(value);
      value.dispose();
    }
  }
}

function variablesOf(state: TrainingState): Map<string, Variable> {
  return new Map(STATE_GROUPS.flatMap((group) => [...namedVariables(group, state[group])]));
}

/** Under the names that they have in a program: the average has weights of the same names as G. */
function namedVariables(group: StateGroup, { variables }: Weights): Map<string, Variable> {
  return new Map([...variables].map(([name, variable]) => [`${group}/${name}`, variable]));
}
