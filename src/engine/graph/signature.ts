/** What a graph that leaves the house takes and gives, by names that people can read. */
import type { Attribute, GraphNode } from './graph-def.ts';
import { placeOf, type Recording } from './recording.ts';

export interface TensorPlace {
  /** The graph's tensor, `<node>:<output>`. */
  readonly tensor: string;
  /** TensorFlow's number of the type. */
  readonly dtype: number;
  /** -1: any. */
  readonly shape: readonly number[];
}

export interface Signature {
  readonly inputs: ReadonlyMap<string, TensorPlace>;
  readonly outputs: ReadonlyMap<string, TensorPlace>;
}

/** The types and shapes of outputs, by name: a graph does not hold them. */
export type OutputKinds = Readonly<Record<string, Pick<TensorPlace, 'dtype' | 'shape'>>>;

/** Of one function of a recording. */
export function signatureOf({ nodes, entries }: Recording, name: string, outputs: OutputKinds): Signature {
  const entry = entries.get(name);
  if (entry === undefined) throw new Error(`There is no function ${name}`);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const inputs = [...entry.inputs.keys()].map((input): [string, TensorPlace] => {
    const place = placeOf(name, input);
    const { attributes } = byName.get(place) ?? missing(place);
    return [input, { tensor: `${place}:0`, dtype: typeIn(attributes), shape: shapeIn(attributes) }];
  });
  const given = [...entry.outputs].map(([output, edge]): [string, TensorPlace] => {
    const kind = outputs[output] ?? missing(output);
    return [output, { tensor: edge.includes(':') ? edge : `${edge}:0`, ...kind }];
  });
  return { inputs: new Map(inputs), outputs: new Map(given) };
}

/** The nodes that the outputs are computed from, in their order. */
export function neededFor({ inputs, outputs }: Signature, nodes: readonly GraphNode[]): GraphNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const needed = new Set<string>();
  const waiting = [...outputs.values(), ...inputs.values()].map(({ tensor }) => nodeOf(tensor));
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (needed.has(name)) continue;
    needed.add(name);
    const { inputs: edges, after } = byName.get(name) ?? missing(name);
    waiting.push(...edges.map(nodeOf), ...after);
  }
  return nodes.filter(({ name }) => needed.has(name));
}

const nodeOf = (edge: string) => edge.split(':')[0] ?? edge;

function typeIn(attributes: ReadonlyMap<string, Attribute>): number {
  const type = attributes.get('dtype');
  return type?.is === 'type' ? type.value : missing('dtype');
}

function shapeIn(attributes: ReadonlyMap<string, Attribute>): readonly number[] {
  const shape = attributes.get('shape');
  return shape?.is === 'shape' ? shape.value : missing('shape');
}

function missing(name: string): never {
  throw new Error(`The graph has no ${name}`);
}
