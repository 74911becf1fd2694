/**
 * TensorFlow graphs in the format that TensorFlow.js loads in a browser (`tf.loadGraphModel`): a JSON file with the graph,
 * and the constants as raw numbers in files beside it.
 */
import { unreachable } from '../../core/errors.ts';
import type { Attribute, GraphNode } from './graph-def.ts';
import type { Signature, TensorPlace } from './signature.ts';

const TYPES = new Map([
  [1, { name: 'DT_FLOAT', weight: 'float32' }],
  [3, { name: 'DT_INT32', weight: 'int32' }],
  [10, { name: 'DT_BOOL', weight: 'bool' }],
]);
/** Files of at most this size, as browsers and caches like them; what TensorFlow's own converter makes, too. */
const SHARD_BYTES = 4 * 2 ** 20;

export interface GraphModelInput {
  readonly nodes: readonly GraphNode[];
  readonly signature: Signature;
  /** For people and programs: `model.metadata` in the browser. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Files by name; `model.json` is the one to load. */
export function graphModel({ nodes, signature, metadata }: GraphModelInput): Map<string, Uint8Array> {
  const constants = nodes.flatMap(({ name, op, attributes }) => {
    const value = attributes.get('value');
    return op === 'Const' && value?.is === 'tensor' ? [{ name, ...value.value }] : [];
  });
  const numbers = Buffer.concat(constants.map(({ content }) => content));
  const shards: Buffer[] = [];
  for (let at = 0; at < numbers.length; at += SHARD_BYTES) shards.push(numbers.subarray(at, at + SHARD_BYTES));
  const files = shards.map((bytes, i): [string, Uint8Array] => [`weights-${i + 1}-of-${shards.length}.bin`, bytes]);
  const places = (all: Signature['inputs']) =>
    Object.fromEntries([...all].map(([name, place]) => [name, tensorInfo(place)]));
  const json = {
    format: 'graph-model',
    generatedBy: 'artgan',
    convertedBy: null,
    signature: { inputs: places(signature.inputs), outputs: places(signature.outputs) },
    userDefinedMetadata: metadata,
    modelTopology: { node: nodes.map(nodeJson), library: {}, versions: { producer: 1087 } },
    weightsManifest: [
      {
        paths: files.map(([name]) => name),
        weights: constants.map(({ name, shape, dtype }) => ({ name, shape, dtype: typeOf(dtype).weight })),
      },
    ],
  };
  return new Map([['model.json', Buffer.from(JSON.stringify(json))], ...files]);
}

function typeOf(dtype: number) {
  const type = TYPES.get(dtype);
  if (type === undefined) throw new Error(`A browser has no numbers of TensorFlow's type ${dtype}`);
  return type;
}

const shapeJson = (shape: readonly number[]) => ({ dim: shape.map((size) => ({ size: String(size) })) });

function tensorInfo({ tensor, dtype, shape }: TensorPlace) {
  return { name: tensor, dtype: typeOf(dtype).name, tensorShape: shapeJson(shape) };
}

function nodeJson({ name, op, inputs, after, attributes }: GraphNode) {
  const attr = Object.fromEntries([...attributes].map(([key, attribute]) => [key, attributeJson(attribute)]));
  return { name, op, input: [...inputs, ...after.map((node) => `^${node}`)], attr };
}

function attributeJson(attribute: Attribute): unknown {
  switch (attribute.is) {
    case 'string':
      return { s: Buffer.from(attribute.value).toString('base64') };
    case 'int':
      return { i: String(attribute.value) };
    case 'float':
      return { f: attribute.value };
    case 'bool':
      return { b: attribute.value };
    case 'type':
      return { type: typeOf(attribute.value).name };
    case 'ints':
      return { list: { i: attribute.value.map(String) } };
    case 'floats':
      return { list: { f: attribute.value } };
    case 'shape':
      return { shape: shapeJson(attribute.value) };
    case 'tensor':
      // The numbers are in the files.
      return { tensor: { dtype: typeOf(attribute.value.dtype).name, tensorShape: shapeJson(attribute.value.shape) } };
    default:
      return unreachable(attribute);
  }
}
