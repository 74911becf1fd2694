/**
 * A graph for batches of any size out of two recordings of one function, for batches of different sizes. Both have the
 * same nodes; where they differ, the size of the batch shows through: in the placeholders' first side, and in whole
 * numbers (shapes, mostly) that are computed from the batch instead.
 */
import type { Attribute, Constant, GraphNode } from './graph-def.ts';

/** Sizes that are recorded: primes that nothing else in a network is likely to have as a side. */
export const RECORDED_SIZES = [11, 13] as const;

const INT32: Attribute = { is: 'type', value: 3 };
const INT32_NUMBER = 3;
const BATCH = 'batch';

/** @throws where the recordings differ in something else, or the size shows in what cannot be computed from it */
export function forAnyBatch(
  [first, second]: readonly [readonly GraphNode[], readonly GraphNode[]],
  /** A placeholder whose first side is the batch. */
  input: string,
): GraphNode[] {
  if (first.length !== second.length) throw new Error('The function does other things for another size of the batch');
  const differs = new Map<string, GraphNode>();
  const merged = first.map((node, i): GraphNode => {
    const other = second[i];
    if (other === undefined || !alike(node, other))
      throw new Error(`${node.name} is another operation for another size of the batch`);
    const attributes = new Map<string, Attribute>();
    for (const [name, value] of node.attributes) {
      const theirs = other.attributes.get(name);
      if (theirs !== undefined && same(value, theirs)) attributes.set(name, value);
      else if (node.op === 'Placeholder' && value.is === 'shape')
        attributes.set(name, { is: 'shape', value: [-1, ...value.value.slice(1)] });
      else if (node.op === 'Const') differs.set(node.name, other);
      else throw new Error(`${name} of ${node.name} cannot be computed from the size of the batch`);
    }
    return { ...node, attributes };
  });
  const size = sizeNodes(input, typeOf(first, input));
  const graph = merged.flatMap((node, i) => {
    const other = differs.get(node.name);
    return other === undefined ? [node] : computed(first[i] ?? node, other);
  });
  // A node may stand anywhere in a graph, whoever reads it.
  return differs.size === 0 ? graph : [...graph, ...size];
}

const alike = (a: GraphNode, b: GraphNode) =>
  a.name === b.name && a.op === b.op && a.inputs.join() === b.inputs.join() && a.after.join() === b.after.join();

function same(a: Attribute, b: Attribute): boolean {
  if (a.is === 'tensor' && b.is === 'tensor') return a.value.dtype === b.value.dtype && sameConstant(a.value, b.value);
  return JSON.stringify(a) === JSON.stringify(b);
}

const sameConstant = (a: Constant, b: Constant) =>
  a.shape.join() === b.shape.join() && Buffer.compare(a.content, b.content) === 0;

function typeOf(nodes: readonly GraphNode[], input: string): Attribute {
  const type = nodes.find(({ name }) => name === input)?.attributes.get('dtype');
  if (type === undefined) throw new Error(`${input} is no placeholder`);
  return type;
}

/** The size of the batch as a number, int32. */
function sizeNodes(input: string, type: Attribute): GraphNode[] {
  const bound = (name: string, value: number) => constantNode(`${BATCH}/${name}`, [1], [value]);
  const types: [string, Attribute][] = [
    ['T', INT32],
    ['Index', INT32],
  ];
  const masks = ['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask'].map((name): [string, Attribute] => [
    name,
    { is: 'int', value: 0 },
  ]);
  return [
    node(
      `${BATCH}/shape`,
      'Shape',
      [input],
      [
        ['T', type],
        ['out_type', INT32],
      ],
    ),
    bound('from', 0),
    bound('to', 1),
    bound('by', 1),
    node(
      BATCH,
      'StridedSlice',
      [`${BATCH}/shape`, `${BATCH}/from`, `${BATCH}/to`, `${BATCH}/by`],
      [...types, ...masks, ['shrink_axis_mask', { is: 'int', value: 1 }]],
    ),
  ];
}

/** A list of whole numbers, some of them multiples of the size, as nodes that compute it under the constant's name. */
function computed(constant: GraphNode, other: GraphNode): GraphNode[] {
  const [ours, theirs] = [valuesOf(constant), valuesOf(other)];
  const { name } = constant;
  const parts: GraphNode[] = [];
  const inputs = ours.map((value, i) => {
    const place = `${name}/${i}`;
    if (value === theirs[i]) {
      parts.push(constantNode(place, [], [value]));
      return place;
    }
    const factor = value / RECORDED_SIZES[0];
    if (!Number.isInteger(factor) || theirs[i] !== factor * RECORDED_SIZES[1])
      throw new Error(`${name} is no multiple of the size of the batch`);
    if (factor === 1) return BATCH;
    parts.push(constantNode(`${place}/factor`, [], [factor]));
    parts.push(node(place, 'Mul', [BATCH, `${place}/factor`], [['T', INT32]]));
    return place;
  });
  const attributes: [string, Attribute][] = [
    ['N', { is: 'int', value: inputs.length }],
    ['T', INT32],
    ['axis', { is: 'int', value: 0 }],
  ];
  return [...parts, node(name, 'Pack', inputs, attributes)];
}

function valuesOf({ name, attributes }: GraphNode): number[] {
  const value = attributes.get('value');
  if (value?.is !== 'tensor' || value.value.dtype !== INT32_NUMBER || value.value.shape.length !== 1)
    throw new Error(`${name} is not a list of whole numbers, and differs with the size of the batch`);
  const { buffer, byteOffset, byteLength } = Uint8Array.from(value.value.content);
  return [...new Int32Array(buffer, byteOffset, byteLength / 4)];
}

function constantNode(name: string, shape: readonly number[], values: readonly number[]): GraphNode {
  const content = new Uint8Array(Int32Array.from(values).buffer);
  return node(
    name,
    'Const',
    [],
    [
      ['dtype', INT32],
      ['value', { is: 'tensor', value: { dtype: INT32_NUMBER, shape, content } }],
    ],
  );
}

function node(
  name: string,
  op: string,
  inputs: readonly string[],
  attributes: readonly [string, Attribute][],
): GraphNode {
  return { name, op, inputs, attributes: new Map(attributes), after: [] };
}
