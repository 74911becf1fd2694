/**
 * Functions of tensors as the nodes of one TensorFlow graph: for inputs of fixed shapes, or for batches of any size.
 * program.ts runs them; an export writes them to a file.
 */
import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { scoped } from '../tensorflow.ts';
import { forAnyBatch, RECORDED_SIZES } from './any-batch.ts';
import { FLOAT, type GraphNode } from './graph-def.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';

export type Tensors = Readonly<Record<string, Tensor>>;
export type Variables = ReadonlyMap<string, Variable>;

export interface Recordable {
  /** Tensors of the shapes and types that every run will have; their values do not matter. */
  readonly inputs: Tensors;
  /** May assign to the variables and use nothing else that changes. */
  readonly body: () => Tensors;
}

/** A function of batches: the first side of its inputs and outputs is their number of rows. */
export interface BatchFunction {
  /** Inputs of so many rows; their values do not matter. */
  readonly inputs: (rows: number) => Tensors;
  readonly body: (inputs: Tensors) => Tensors;
}

export interface Entry {
  /** Shapes and types by name: TensorFlow itself would take others, and compute something else. */
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
  /** A node that is there once the variables have changed. */
  readonly done: string;
}

export interface Recording {
  readonly nodes: readonly GraphNode[];
  readonly entries: ReadonlyMap<string, Entry>;
  /** Whether the first side of the inputs may be any. */
  readonly anyBatch: boolean;
}

/** The placeholder of a function's input. */
export const placeOf = (name: string, input: string) => `inputs/${name}/${input}`;
/** The placeholder of a variable's new value. */
export const writeOf = (name: string) => `write/${name}`;
/** The node that gives a variable's value. */
export const readOf = (name: string) => `read/${name}`;
/** The node that is there once all variables have their new values. */
export const WRITTEN = 'written';

export const kindOf = ({ dtype, shape }: Tensor, anyBatch: boolean) =>
  `${dtype} [${shape.map((side, i) => (anyBatch && i === 0 ? 'n' : side)).join(', ')}]`;

/** Records functions over the same variables. */
export function record(
  variables: Variables,
  functions: Readonly<Record<string, Recordable>>,
  options: RecorderOptions & { readonly anyBatch?: boolean } = {},
): Recording {
  const { anyBatch = false } = options;
  const recorder = new Recorder(variables, options);
  const { nodes } = recorder;
  const entries = new Map<string, Entry>();
  for (const [name, { inputs, body }] of Object.entries(functions)) {
    const named = new Map(Object.entries(inputs).map(([input, tensor]) => [`${name}/${input}`, tensor]));
    const { outputs, changes } = recorder.record(named, body);
    const kinds = new Map(Object.entries(inputs).map(([input, tensor]) => [input, kindOf(tensor, anyBatch)]));
    entries.set(name, { inputs: kinds, outputs, done: after(recorder, `done/${name}`, changes) });
  }
  const assign = (name: string, handle: string, value: string) =>
    nodes.named(name, { op: 'AssignVariableOp', attributes: { dtype: FLOAT }, inputs: [handle, value] });
  const writes = [...variables].map(([name, variable]) => {
    const attributes = { dtype: FLOAT, shape: { is: 'shape', value: variable.shape } } as const;
    const value = nodes.named(writeOf(name), { op: 'Placeholder', attributes });
    return assign(`assign/${name}`, recorder.handleOf(variable), value);
  });
  const cleared = [...recorder.scratch].map(([name, { handle, of }]) => {
    const zeros = nodes.pure({ op: 'ZerosLike', attributes: { T: FLOAT }, inputs: [writeOf(of)] });
    return assign(`clear/${name}`, handle, zeros);
  });
  after(recorder, WRITTEN, [...writes, ...cleared]);
  return { nodes: nodes.all, entries, anyBatch };
}

/** Records one function for batches of any size. @throws where it is not one function for all sizes */
export function recordForAnyBatch(
  variables: Variables,
  name: string,
  { inputs, body }: BatchFunction,
  options: Pick<RecorderOptions, 'frozen'> = {},
): Recording {
  const [first, second] = RECORDED_SIZES.map((rows) =>
    scoped(() => {
      const given = inputs(rows);
      const recordable = { inputs: given, body: () => body(given) };
      return record(variables, { [name]: recordable }, { ...options, sharedConstants: false, anyBatch: true });
    }),
  );
  const [input] = first?.entries.get(name)?.inputs.keys() ?? [];
  if (first === undefined || second === undefined || input === undefined) throw new Error(`${name} has no inputs`);
  return { ...first, nodes: forAnyBatch([first.nodes, second.nodes], placeOf(name, input)) };
}

/** A constant that is there once these nodes have run: what has no output cannot be fetched itself. */
function after(recorder: Recorder, name: string, nodes: readonly string[]): string {
  const value = { is: 'tensor', value: { dtype: 1, shape: [], content: new Uint8Array(4) } } as const;
  return recorder.nodes.named(name, { op: 'Const', attributes: { dtype: FLOAT, value }, after: nodes });
}
