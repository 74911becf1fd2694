/**
 * TensorFlow graphs as data, and as the bytes of a SavedModel with one MetaGraph.
 * Field numbers: tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape}.proto and
 * tensorflow/core/protobuf/{meta_graph,saved_model}.proto.
 */
import { unreachable } from '../../core/errors.ts';
import { bytes, float, floats, integer, integers, message } from './protobuf.ts';
import type { Signature } from './signature.ts';

export type Attribute =
  | { readonly is: 'string'; readonly value: string }
  | { readonly is: 'int' | 'float' | 'type'; readonly value: number }
  | { readonly is: 'bool'; readonly value: boolean }
  | { readonly is: 'ints' | 'floats'; readonly value: readonly number[] }
  /** A side of -1 is one that is not known. */
  | { readonly is: 'shape'; readonly value: readonly number[] }
  | { readonly is: 'tensor'; readonly value: Constant };

/** The type float32. */
export const FLOAT: Attribute = { is: 'type', value: 1 };

/** Numbers as TensorFlow keeps them: row-major, little-endian. */
export interface Constant {
  /** TensorFlow's number of the type. */
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly content: Uint8Array;
}

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** `<node>` for its first output, `<node>:<i>` for another one. */
  readonly inputs: readonly string[];
  /** Nodes that must have run before. */
  readonly after: readonly string[];
}

export const SERVE = 'serve';
/** Of the graph format. Older than every TensorFlow that the project runs on, newer than every operation that it uses. */
const PRODUCER = 1087;

/** The name under which TensorFlow and TF Serving look for a SavedModel's function. */
const DEFAULT_FUNCTION = 'serving_default';
const PREDICT = 'tensorflow/serving/predict';

/** The bytes of `saved_model.pb`; with a signature where others than we will run it. */
export function savedModel(nodes: readonly GraphNode[], signature?: Signature): Buffer {
  const graph = message(2, ...nodes.map(nodeDef), message(4, integer(1, PRODUCER)));
  const info = message(1, bytes(4, SERVE), bytes(5, '2.0.0'));
  const named = signature === undefined ? [] : [message(5, bytes(1, DEFAULT_FUNCTION), signatureDef(signature))];
  return Buffer.concat([integer(1, 1), message(2, info, graph, ...named)]);
}

function signatureDef({ inputs, outputs }: Signature): Buffer {
  const places = (field: number, all: Signature['inputs']) =>
    [...all].map(([name, { tensor, dtype, shape }]) => {
      const info = [bytes(1, tensor), integer(2, dtype), message(3, shapeOf(shape))];
      return message(field, bytes(1, name), message(2, ...info));
    });
  return message(2, ...places(1, inputs), ...places(2, outputs), bytes(3, PREDICT));
}

function nodeDef({ name, op, attributes, inputs, after }: GraphNode): Buffer {
  return message(
    1,
    bytes(1, name),
    bytes(2, op),
    ...inputs.map((input) => bytes(3, input)),
    ...after.map((node) => bytes(3, `^${node}`)),
    ...[...attributes].map(([key, attribute]) => message(5, bytes(1, key), message(2, attributeValue(attribute)))),
  );
}

function attributeValue(attribute: Attribute): Buffer {
  switch (attribute.is) {
    case 'string':
      return bytes(2, attribute.value);
    case 'int':
      return integer(3, attribute.value);
    case 'float':
      return float(4, attribute.value);
    case 'bool':
      return integer(5, attribute.value ? 1 : 0);
    case 'type':
      return integer(6, attribute.value);
    case 'shape':
      return message(7, shapeOf(attribute.value));
    case 'tensor':
      return message(8, tensorProto(attribute.value));
    case 'ints':
      return message(1, integers(3, attribute.value));
    case 'floats':
      return message(1, floats(4, attribute.value));
    default:
      return unreachable(attribute);
  }
}

function shapeOf(sides: readonly number[]): Buffer {
  return Buffer.concat(sides.map((side) => message(2, integer(1, side))));
}

function tensorProto({ dtype, shape, content }: Constant): Buffer {
  return Buffer.concat([integer(1, dtype), message(2, shapeOf(shape)), bytes(4, content)]);
}
