/**
 * The named weights of a network: made from a seed, listed in one order, loaded and saved by name.
 * `trainable` weights are moved by an optimiser; the others (running statistics of batch normalisation) by the step itself.
 */
import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { normal } from '../../core/seeds.ts';
import { tf } from '../tensorflow.ts';

export interface WeightSpec {
  /** `<part>.<layer>.<what>`, e.g. `generator.dec1.kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** A standard deviation for N(0, std), or a constant. */
  readonly init: { readonly std: number } | { readonly constant: number };
  readonly trainable: boolean;
}

/** What a network computes with: weights by name, as they are or as something has changed them for this pass. */
export interface Parameters {
  /** @throws where there is no such weight */
  get(name: string): Tensor;
  has(name: string): boolean;
}

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1);

export class Weights implements Parameters, Disposable {
  readonly specs: readonly WeightSpec[];
  readonly #variables: ReadonlyMap<string, Variable>;

  constructor(specs: readonly WeightSpec[], values: (spec: WeightSpec) => Float32Array) {
    this.specs = specs;
    this.#variables = new Map(
      specs.map((spec) => {
        const value = tf.tensor(values(spec), [...spec.shape], 'float32');
        const variable = tf.variable(value, spec.trainable);
        value.dispose();
        return [spec.name, variable];
      }),
    );
  }

  /** Fresh weights: a pure function of the seed and the list. */
  static fromSeed(specs: readonly WeightSpec[], seed: number): Weights {
    const position = new Map(specs.map((spec, index) => [spec.name, index]));
    return new Weights(specs, ({ name, shape, init }) => {
      const size = sizeOf(shape);
      if ('constant' in init) return new Float32Array(size).fill(init.constant);
      return normal(seed, 'weights', position.get(name) ?? 0, size).map((value) => value * init.std);
    });
  }

  /** All of them by name, in the order of the list. */
  get variables(): ReadonlyMap<string, Variable> {
    return this.#variables;
  }

  get(name: string): Variable {
    const variable = this.#variables.get(name);
    if (variable === undefined) throw new Error(`No weight is called ${name}`);
    return variable;
  }

  has(name: string): boolean {
    return this.#variables.has(name);
  }

  /** The trainable weights whose name starts with `prefix`, in the order of the list. */
  trainable(prefix: string): Map<string, Variable> {
    const names = this.specs
      .filter(({ name, trainable }) => trainable && name.startsWith(prefix))
      .map(({ name }) => name);
    return new Map(names.map((name) => [name, this.get(name)]));
  }

  /** Replaces a weight's value; the tensor stays the caller's. */
  assign(name: string, value: Tensor): void {
    this.get(name).assign(value);
  }

  /** Replaces all values by name. */
  load(values: ReadonlyMap<string, Float32Array>): void {
    for (const { name, shape } of this.specs) {
      const value = values.get(name);
      if (value === undefined) throw new Error(`No value for ${name}`);
      tf.tidy(() => this.assign(name, tf.tensor(value, [...shape], 'float32')));
    }
  }

  /** Copies every value out of TensorFlow. */
  async read(): Promise<Map<string, Float32Array>> {
    const out = new Map<string, Float32Array>();
    for (const [name, variable] of this.#variables) out.set(name, Float32Array.from(await variable.data()));
    return out;
  }

  [Symbol.dispose](): void {
    for (const variable of this.#variables.values()) variable.dispose();
  }
}
