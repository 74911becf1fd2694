/**
 * What the engine needs of tfjs-node's backend: every kernel of tfjs goes through its two `execute` methods, so whoever
 * stands in front of them sees the operations that a function is made of.
 */
import type { DataId, DataType, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import { tf } from '../tensorflow.ts';

/** One attribute of an operation; `type` is one of the binding's TF_ATTR_ numbers. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

type Constant =
  | `TF_ATTR_${'STRING' | 'INT' | 'FLOAT' | 'BOOL' | 'TYPE' | 'SHAPE'}`
  | `TF_${'FLOAT' | 'INT32' | 'BOOL' | 'INT64' | 'UINT8'}`;

export interface NativeBackend {
  readonly binding: Readonly<Record<Constant, number>>;
  executeSingleOutput(op: string, attributes: readonly OpAttribute[], inputs: readonly TensorInfo[]): Tensor;
  executeMultipleOutputs(
    op: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TensorInfo[],
    outputs: number,
  ): Tensor[];
  readSync(dataId: DataId): Float32Array | Int32Array | Uint8Array;
  /** TensorFlow's number of a type. */
  getDTypeInteger(dtype: DataType): number;
  /** -> the number of the session that now holds the graph. */
  loadSavedModelMetaGraph(folder: string, tags: string): number;
  runSavedModel(
    session: number,
    inputs: readonly Tensor[],
    names: readonly { readonly name: string }[],
    outputs: readonly string[],
  ): Tensor[];
  deleteSavedModel(session: number): void;
}

/** The backend where TensorFlow itself computes; undefined on the JavaScript fallback. */
export function nativeBackend(): NativeBackend | undefined {
  const backend: unknown = tf.backend();
  return isNative(backend) ? backend : undefined;
}

function isNative(backend: unknown): backend is NativeBackend {
  return typeof backend === 'object' && backend !== null && 'executeMultipleOutputs' in backend;
}

/** An attribute that says of what type an operation's numbers are. */
export function typeAttribute(name: string, dtype: DataType, backend: NativeBackend): OpAttribute {
  return { name, type: backend.binding.TF_ATTR_TYPE, value: backend.getDTypeInteger(dtype) };
}
