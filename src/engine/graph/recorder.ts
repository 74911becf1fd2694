/**
 * Writes down what a function does as a TensorFlow graph, while it runs once, eagerly. Every kernel of tfjs goes through
 * two methods of the backend; for the time of the recording they also note operation, attributes and inputs.
 *
 *   - a declared input becomes a Placeholder, a declared variable a VarHandleOp with a ReadVariableOp;
 *   - `variable.assign(value)` only swaps the data of the variable, so that what follows reads the new value; at the end
 *     the last one becomes an AssignVariableOp, which waits for all reads of the old;
 *   - a tensor that is neither recorded nor declared becomes a Const, and so does what is computed from such ones alone;
 *   - what cannot be written down is refused: random numbers (but for stateless ones, which come from a seed that is an
 *     input), values that are read, variables that were not declared.
 */
import type { DataId, Tensor, TensorInfo, Variable } from '@tensorflow/tfjs-core';
import { tf } from '../tensorflow.ts';
import { recordedAttribute } from './attributes.ts';
import { type NativeBackend, nativeBackend, type OpAttribute } from './backend.ts';
import { type Attribute, FLOAT } from './graph-def.ts';
import { Nodes } from './nodes.ts';

/** Operations whose outputs differ from run to run, or that do something else than compute them. */
const NOT_PURE =
  /^(Random|Multinomial|ParameterizedTruncatedNormal|TruncatedNormal|Write|SummaryWriter|VarHandle|Assign)/;
/** Larger constants are a mistake nearly always: data of one step that was not declared. */
const MOST_CONSTANT_BYTES = 16 * 2 ** 20;
/** What is computed from constants alone is a constant itself, unless it is so many times larger than they are. */
const MOST_GROWTH = 2;

/** A variable of TensorFlow, in the graph. */
interface Slot {
  readonly handle: string;
  /** The node that gives its first value. */
  readonly read: string;
  /** The nodes that read or changed it so far, in order: the next change waits for them. */
  readonly touched: Set<string>;
  /** Those that changed it. */
  readonly updates: Set<string>;
  /** The node that gives what it holds after the last change. */
  newest: string;
}

interface Scratch {
  readonly handle: string;
  /** The variable whose shape it has. */
  readonly of: string;
}

/** A change of variables by one operation of TensorFlow, like an optimiser's. */
export interface InPlace {
  readonly op: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Inputs in order: variables that it changes, tensors, or `scratch`, a variable of the same shape for it alone. */
  readonly inputs: readonly (Variable | Tensor | { readonly scratch: Variable })[];
  /** The same change, eagerly. */
  readonly eagerly: () => void;
}

let active: Recorder | undefined;

/** Makes a change eagerly, or writes it down as one operation where a recording is under way. */
export function inPlace(change: InPlace): void {
  if (active === undefined) change.eagerly();
  else active.inPlace(change);
}

export interface RecorderOptions {
  /** Tensors, also variables, that the graph holds as constants, however large they are. */
  readonly frozen?: readonly Tensor[];
  /** Whether equal constants become one node; not where two recordings are to be compared node by node. */
  readonly sharedConstants?: boolean;
}

export class Recorder {
  readonly nodes = new Nodes();
  readonly #backend: NativeBackend;
  readonly #slots = new Map<Variable, Slot>();
  readonly #names: ReadonlyMap<string, Variable>;
  /** Variables that operations need for themselves: they begin as zeros, and nobody sees them. */
  readonly #scratch = new Map<string, Scratch>();
  /** The graph's tensors by the data of the eager ones. */
  #edges = new Map<DataId, string>();
  /** What may be a constant however large it is, with what was computed from it. */
  readonly #frozen: Set<DataId>;
  readonly #sharedConstants: boolean;
  /** Nodes that are constants. */
  readonly #constants = new Set<string>();
  #paused = false;

  /** @throws where TensorFlow does not compute */
  constructor(variables: ReadonlyMap<string, Variable>, { frozen = [], sharedConstants = true }: RecorderOptions = {}) {
    const backend = nativeBackend();
    if (backend === undefined) throw new Error('Only what TensorFlow computes can be recorded');
    this.#backend = backend;
    this.#names = variables;
    this.#frozen = new Set(frozen.map(({ dataId }) => dataId));
    this.#sharedConstants = sharedConstants;
    for (const [name, variable] of variables) this.#slots.set(variable, this.#slot(name, variable.shape));
  }

  /** Its scratch variables by name. */
  get scratch(): ReadonlyMap<string, Scratch> {
    return this.#scratch;
  }

  /** The node of a variable's handle. */
  handleOf(variable: Variable): string {
    const slot = this.#slots.get(variable);
    if (slot === undefined) throw new Error('A variable was used that was not declared');
    return slot.handle;
  }

  /**
   * Runs `body` and writes down what it does. Afterwards the variables are as they were.
   * @returns the graph's tensors of the outputs, and the nodes that must run so that the variables change
   */
  record(
    inputs: ReadonlyMap<string, Tensor>,
    body: () => Readonly<Record<string, Tensor>>,
  ): { readonly outputs: Map<string, string>; readonly changes: string[] } {
    if (active !== undefined) throw new Error('A recording is under way already');
    const outputs = new Map<string, string>();
    const changes: string[] = [];
    const before = this.#begin(inputs);
    const release = this.#listen();
    active = this;
    try {
      tf.tidy(() => {
        for (const [name, tensor] of Object.entries(body())) outputs.set(name, this.#edgeOf(tensor));
        for (const [variable, slot] of this.#slots) changes.push(...this.#changesOf(variable, slot));
      });
    } finally {
      active = undefined;
      release();
      for (const [variable, value] of before) {
        variable.assign(value);
        value.dispose();
      }
    }
    return { outputs, changes };
  }

  /** Every input and every variable as a tensor of the graph. -> the variables' values, to be put back */
  #begin(inputs: ReadonlyMap<string, Tensor>): Map<Variable, Tensor> {
    this.#edges = new Map([...inputs].map(([name, tensor]) => [tensor.dataId, this.#placeholder(name, tensor)]));
    if (this.#edges.size < inputs.size) throw new Error('Two inputs share their data: give each a tensor of its own');
    const values = new Map<Variable, Tensor>();
    for (const [variable, slot] of this.#slots) {
      // Two variables may share their data, as after a.assign(b); in the graph they are two.
      if (this.#edges.has(variable.dataId)) tf.tidy(() => variable.assign(tf.add(variable, 0)));
      this.#edges.set(variable.dataId, slot.read);
      slot.updates.clear();
      slot.touched.clear();
      slot.touched.add(slot.read);
      slot.newest = slot.read;
      values.set(variable, tf.keep(variable.clone()));
    }
    return values;
  }

  inPlace({ op, attributes, inputs, eagerly }: InPlace): void {
    const changed: { variable: Variable; slot: Slot }[] = [];
    const edges = inputs.map((input) => {
      if ('scratch' in input) return this.#scratchHandle(input.scratch);
      const slot = this.#slots.get(input as Variable);
      if (slot === undefined) return this.#edgeOf(input);
      if (this.#edgeOf(input) !== slot.newest) throw new Error(`${op} after an assignment cannot be recorded`);
      changed.push({ variable: input as Variable, slot });
      return slot.handle;
    });
    const after = [...new Set(changed.flatMap(({ slot }) => [...slot.touched]))];
    const update = this.nodes.named(`${op}_${this.nodes.all.length}`, { op, attributes, inputs: edges, after });
    this.#quietly(eagerly);
    for (const { variable, slot } of changed) {
      const read = this.nodes.pure({
        op: 'ReadVariableOp',
        attributes: OF_VARIABLE,
        inputs: [slot.handle],
        after: [update],
      });
      slot.updates.add(update);
      slot.touched.add(update).add(read);
      slot.newest = read;
      this.#edges.set(variable.dataId, read);
    }
  }

  #slot(name: string, shape: readonly number[]): Slot {
    const attributes: Record<string, Attribute> = {
      ...OF_VARIABLE,
      shape: { is: 'shape', value: shape },
      shared_name: { is: 'string', value: name },
    };
    const handle = this.nodes.named(`variables/${name}`, { op: 'VarHandleOp', attributes });
    const read = this.nodes.named(`read/${name}`, { op: 'ReadVariableOp', attributes: OF_VARIABLE, inputs: [handle] });
    return { handle, read, touched: new Set(), updates: new Set(), newest: read };
  }

  #scratchHandle(like: Variable): string {
    const of = [...this.#names].find(([, variable]) => variable === like)?.[0] ?? '';
    const name = `scratch/${of}`;
    const known = this.#scratch.get(name);
    if (known !== undefined) return known.handle;
    const { handle } = this.#slot(name, like.shape);
    this.#scratch.set(name, { handle, of });
    return handle;
  }

  #placeholder(name: string, tensor: Tensor): string {
    return this.nodes.named(`inputs/${name}`, {
      op: 'Placeholder',
      attributes: {
        dtype: { is: 'type', value: this.#backend.getDTypeInteger(tensor.dtype) },
        shape: { is: 'shape', value: tensor.shape },
      },
    });
  }

  /** The nodes that must run so that the variable has its last value. */
  #changesOf(variable: Variable, { handle, touched, updates, newest }: Slot): string[] {
    const value = this.#edgeOf(variable);
    // What an operation has put there, or what was there before.
    if (value === newest) return [...updates];
    const name = `AssignVariableOp_${this.nodes.all.length}`;
    const assign = { op: 'AssignVariableOp', attributes: OF_VARIABLE, inputs: [handle, value], after: [...touched] };
    return [this.nodes.named(name, assign)];
  }

  #edgeOf(tensor: TensorInfo): string {
    return this.#edges.get(tensor.dataId) ?? this.#constant(tensor);
  }

  #constant({ dataId, dtype, shape }: TensorInfo): string {
    const frozen = this.#frozen.has(dataId);
    if (isVariable(dataId) && !frozen) throw new Error('A variable was used that was not declared');
    const values = this.#quietly(() => this.#backend.readSync(dataId));
    if (!ArrayBuffer.isView(values)) throw new Error(`A constant of type ${dtype} cannot be recorded`);
    if (values.byteLength > MOST_CONSTANT_BYTES && !frozen) {
      throw new Error(`A tensor of shape [${shape.join(', ')}] comes from nowhere: declare it as an input`);
    }
    const content = Uint8Array.from(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    const constant = { dtype: this.#backend.getDTypeInteger(dtype), shape, content };
    const edge = this.nodes.constant(constant, this.#sharedConstants);
    this.#constants.add(edge);
    this.#edges.set(dataId, edge);
    return edge;
  }

  #quietly<T>(work: () => T): T {
    const before = this.#paused;
    this.#paused = true;
    try {
      return work();
    } finally {
      this.#paused = before;
    }
  }

  /** Stands in front of the backend's methods. -> the way back */
  #listen(): () => void {
    const backend = this.#backend;
    const { executeSingleOutput, executeMultipleOutputs, readSync } = backend;
    Object.assign(backend, {
      executeSingleOutput: (op: string, attributes: readonly OpAttribute[], inputs: readonly TensorInfo[]) => {
        const output = executeSingleOutput.call(backend, op, attributes, inputs);
        this.#note({ op, attributes, inputs, outputs: [output] });
        return output;
      },
      executeMultipleOutputs: (
        op: string,
        attributes: readonly OpAttribute[],
        inputs: readonly TensorInfo[],
        count: number,
      ) => {
        const outputs = executeMultipleOutputs.call(backend, op, attributes, inputs, count);
        this.#note({ op, attributes, inputs, outputs });
        return outputs;
      },
      readSync: (dataId: DataId) => {
        if (!this.#paused) throw new Error('A recorded function must not read the values of tensors');
        return readSync.call(backend, dataId);
      },
    });
    // The methods are the prototype's: without our own they are seen again.
    return () => {
      for (const method of ['executeSingleOutput', 'executeMultipleOutputs', 'readSync'] as const)
        Reflect.deleteProperty(backend, method);
    };
  }

  #note({ op, attributes, inputs, outputs }: Executed): void {
    if (this.#paused) return;
    if (NOT_PURE.test(op))
      throw new Error(`${op} cannot be recorded: draw random numbers outside and give them as inputs`);
    if (this.#fold(inputs, outputs)) return;
    const node = this.nodes.pure({
      op,
      attributes: Object.fromEntries(attributes.map((given) => [given.name, recordedAttribute(given, this.#backend)])),
      inputs: inputs.map((input) => this.#edgeOf(input)),
    });
    outputs.forEach((output, i) => void this.#edges.set(output.dataId, i === 0 ? node : `${node}:${i}`));
  }

  /** Whether this operation need not be in the graph: its outputs are known now, and become constants where they are used. */
  #fold(inputs: readonly TensorInfo[], outputs: readonly TensorInfo[]): boolean {
    const isConstant = ({ dataId }: TensorInfo) => {
      const edge = this.#edges.get(dataId);
      return edge === undefined ? !isVariable(dataId) || this.#frozen.has(dataId) : this.#constants.has(edge);
    };
    if (!inputs.every(isConstant) || sizeOf(outputs) > MOST_GROWTH * sizeOf(inputs)) return false;
    if (inputs.some(({ dataId }) => this.#frozen.has(dataId)))
      for (const { dataId } of outputs) this.#frozen.add(dataId);
    return true;
  }
}

/** How many numbers they hold. */
function sizeOf(tensors: readonly TensorInfo[]): number {
  return tensors.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0);
}

function isVariable(dataId: DataId): boolean {
  return Object.values(tf.engine().registeredVariables).some((variable) => variable.dataId === dataId);
}

interface Executed {
  readonly op: string;
  readonly attributes: readonly OpAttribute[];
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** Of an operation on a variable: they hold float32. */
const OF_VARIABLE: Readonly<Record<string, Attribute>> = { dtype: FLOAT };
