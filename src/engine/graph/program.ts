/**
 * Functions of tensors as one TensorFlow graph: recorded once, then run inside TensorFlow's executor, where the variables
 * live, too. The eager functions stay the reference: the tests compare both.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import { tf } from '../tensorflow.ts';
import { type NativeBackend, nativeBackend } from './backend.ts';
import { type GraphNode, SERVE, savedModel } from './graph-def.ts';
import type { RecorderOptions } from './recorder.ts';
import {
  type BatchFunction,
  kindOf,
  placeOf,
  type Recordable,
  type Recording,
  readOf,
  record,
  recordForAnyBatch,
  type Tensors,
  type Variables,
  WRITTEN,
  writeOf,
} from './recording.ts';

/** Tensors, also variables, whose values now the graph holds as constants. */
type Frozen = Pick<RecorderOptions, 'frozen'>;

export class Program implements Disposable {
  readonly #backend: NativeBackend;
  readonly #session: number;
  readonly #variables: Variables;
  readonly #recording: Recording;

  /** The variables' values now are the first ones; the variables themselves stay as they are. */
  private constructor(recording: Recording, variables: Variables) {
    const backend = nativeBackend();
    if (backend === undefined) throw new Error('A program needs TensorFlow');
    this.#backend = backend;
    this.#variables = variables;
    this.#recording = recording;
    this.#session = load(backend, recording.nodes);
    if (variables.size > 0) this.write(variables);
  }

  /** Records functions over the same variables, for inputs of fixed shapes. */
  static compile(
    variables: Variables,
    functions: Readonly<Record<string, Recordable>>,
    { frozen = [] }: Frozen = {},
  ): Program {
    return new Program(record(variables, functions, { frozen }), variables);
  }

  /** Records one function for batches of any size. */
  static compileForAnyBatch(
    variables: Variables,
    name: string,
    batchFunction: BatchFunction,
    options: Frozen = {},
  ): Program {
    return new Program(recordForAnyBatch(variables, name, batchFunction, options), variables);
  }

  /** Runs a function; the caller disposes of what it gives. */
  run(name: string, inputs: Tensors): Record<string, Tensor> {
    const { entries, anyBatch } = this.#recording;
    const entry = entries.get(name);
    if (entry === undefined) throw new Error(`The program has no function ${name}`);
    const given = [...entry.inputs].map(([input, kind]) => checked(input, kind, { tensor: inputs[input], anyBatch }));
    const names = [...entry.inputs.keys()].map((input) => ({ name: withIndex(placeOf(name, input)) }));
    const wanted = [...entry.outputs.values(), entry.done].map(withIndex);
    const results = this.#backend.runSavedModel(this.#session, given, names, wanted);
    results.pop()?.dispose();
    return Object.fromEntries([...entry.outputs.keys()].map((output, i) => [output, results[i] ?? missing(output)]));
  }

  /** Variables as they are now, all or those of these names; the caller disposes of them. */
  read(names: readonly string[] = [...this.#variables.keys()]): Map<string, Tensor> {
    const wanted = names.map((name) => withIndex(readOf(name)));
    const values = this.#backend.runSavedModel(this.#session, [], [], wanted);
    return new Map(names.map((name, i) => [name, values[i] ?? missing(name)]));
  }

  /** Gives every variable a value. */
  write(values: ReadonlyMap<string, Tensor>): void {
    const names = [...this.#variables.keys()];
    const given = names.map((name) => values.get(name) ?? missing(name));
    const places = names.map((name) => ({ name: withIndex(writeOf(name)) }));
    tf.dispose(this.#backend.runSavedModel(this.#session, given, places, [withIndex(WRITTEN)]));
  }

  [Symbol.dispose](): void {
    this.#backend.deleteSavedModel(this.#session);
  }
}

function load(backend: NativeBackend, nodes: readonly GraphNode[]): number {
  const folder = mkdtempSync(join(tmpdir(), 'artgan-graph-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), savedModel(nodes));
    return backend.loadSavedModelMetaGraph(folder, SERVE);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Given {
  readonly tensor: Tensor | undefined;
  readonly anyBatch: boolean;
}

function checked(name: string, kind: string, { tensor = missing(name), anyBatch }: Given): Tensor {
  if (kindOf(tensor, anyBatch) !== kind) throw new Error(`${name} must be ${kind}, not ${kindOf(tensor, anyBatch)}`);
  return tensor;
}

const withIndex = (edge: string) => (edge.includes(':') ? edge : `${edge}:0`);

function missing(name: string): never {
  throw new Error(`No tensor for ${name}`);
}
