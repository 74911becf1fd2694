/**
 * Functions of tensors as one TensorFlow graph: recorded once, then run inside TensorFlow's executor, where the variables
 * live, too. The eager functions stay the reference: the tests compare both.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { tf } from '../tensorflow.ts';
import { type NativeBackend, nativeBackend } from './backend.ts';
import { FLOAT, type GraphNode, SERVE, savedModel } from './graph-def.ts';
import { Recorder } from './recorder.ts';

export type Tensors = Readonly<Record<string, Tensor>>;

export interface Recordable {
  /** Tensors of the shapes and types that every run will have; their values do not matter. */
  readonly inputs: Tensors;
  /** May assign to the variables and use nothing else that changes. */
  readonly body: () => Tensors;
}

interface Entry {
  /** Shapes and types by name: TensorFlow itself would take others, and compute something else. */
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
  /** A node that is there once the variables have changed. */
  readonly done: string;
}

export class Program implements Disposable {
  readonly #backend: NativeBackend;
  readonly #session: number;
  readonly #variables: ReadonlyMap<string, Variable>;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(
    nodes: readonly GraphNode[],
    parts: { variables: ReadonlyMap<string, Variable>; entries: ReadonlyMap<string, Entry> },
  ) {
    const backend = nativeBackend();
    if (backend === undefined) throw new Error('A program needs TensorFlow');
    this.#backend = backend;
    this.#variables = parts.variables;
    this.#entries = parts.entries;
    this.#session = load(backend, nodes);
  }

  /**
   * Records functions over the same variables, whose values now are the first ones. The variables themselves stay as
   * they are: they are examples from here on.
   */
  static compile(variables: ReadonlyMap<string, Variable>, functions: Readonly<Record<string, Recordable>>): Program {
    const recorder = new Recorder(variables);
    const { nodes } = recorder;
    const entries = new Map<string, Entry>();
    for (const [name, { inputs, body }] of Object.entries(functions)) {
      const named = new Map(Object.entries(inputs).map(([input, tensor]) => [`${name}/${input}`, tensor]));
      const { outputs, changes } = recorder.record(named, body);
      const kinds = new Map(Object.entries(inputs).map(([input, tensor]) => [input, kindOf(tensor)]));
      entries.set(name, { inputs: kinds, outputs, done: after(recorder, `done/${name}`, changes) });
    }
    const assign = (name: string, handle: string, value: string) =>
      nodes.named(name, { op: 'AssignVariableOp', attributes: { dtype: FLOAT }, inputs: [handle, value] });
    const writes = [...variables].map(([name, variable]) => {
      const attributes = { dtype: FLOAT, shape: { is: 'shape', value: variable.shape } } as const;
      const value = nodes.named(`write/${name}`, { op: 'Placeholder', attributes });
      return assign(`assign/${name}`, recorder.handleOf(variable), value);
    });
    const cleared = [...recorder.scratch].map(([name, { handle, of }]) => {
      const zeros = nodes.pure({ op: 'ZerosLike', attributes: { T: FLOAT }, inputs: [`write/${of}`] });
      return assign(`clear/${name}`, handle, zeros);
    });
    after(recorder, 'written', [...writes, ...cleared]);
    const program = new Program(nodes.all, { variables, entries });
    program.write(variables);
    return program;
  }

  /** Runs a function; the caller disposes of what it gives. */
  run(name: string, inputs: Tensors): Record<string, Tensor> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new Error(`The program has no function ${name}`);
    const given = [...entry.inputs].map(([input, kind]) => checked(input, kind, inputs[input]));
    const names = [...entry.inputs.keys()].map((input) => ({ name: `inputs/${name}/${input}:0` }));
    const wanted = [...entry.outputs.values(), entry.done].map(withIndex);
    const results = this.#backend.runSavedModel(this.#session, given, names, wanted);
    results.pop()?.dispose();
    return Object.fromEntries([...entry.outputs.keys()].map((output, i) => [output, results[i] ?? missing(output)]));
  }

  /** Variables as they are now, all or those of these names; the caller disposes of them. */
  read(names: readonly string[] = [...this.#variables.keys()]): Map<string, Tensor> {
    const values = this.#backend.runSavedModel(
      this.#session,
      [],
      [],
      names.map((name) => `read/${name}:0`),
    );
    return new Map(names.map((name, i) => [name, values[i] ?? missing(name)]));
  }

  /** Gives every variable a value. */
  write(values: ReadonlyMap<string, Tensor>): void {
    const names = [...this.#variables.keys()];
    const given = names.map((name) => values.get(name) ?? missing(name));
    const places = names.map((name) => ({ name: `write/${name}:0` }));
    tf.dispose(this.#backend.runSavedModel(this.#session, given, places, ['written:0']));
  }

  [Symbol.dispose](): void {
    this.#backend.deleteSavedModel(this.#session);
  }
}

/** A constant that is there once these nodes have run: what has no output cannot be fetched itself. */
function after(recorder: Recorder, name: string, nodes: readonly string[]): string {
  const value = { is: 'tensor', value: { dtype: 1, shape: [], content: new Uint8Array(4) } } as const;
  return recorder.nodes.named(name, {
    op: 'Const',
    attributes: { dtype: FLOAT, value },
    after: nodes,
  });
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

const kindOf = ({ dtype, shape }: Tensor) => `${dtype} [${shape.join(', ')}]`;

function checked(name: string, kind: string, tensor: Tensor = missing(name)): Tensor {
  if (kindOf(tensor) !== kind) throw new Error(`${name} must be ${kind}, not ${kindOf(tensor)}`);
  return tensor;
}

const withIndex = (edge: string) => (edge.includes(':') ? edge : `${edge}:0`);

function missing(name: string): never {
  throw new Error(`No tensor for ${name}`);
}
