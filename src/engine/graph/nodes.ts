/**
 * A graph while it is being written: nodes by name, and the same operation on the same inputs only once, so that work
 * that a function does twice is done once by its graph.
 */
import { createHash } from 'node:crypto';
import type { Attribute, Constant, GraphNode } from './graph-def.ts';

export interface NewNode {
  readonly op: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly inputs?: readonly string[];
  readonly after?: readonly string[];
}

export class Nodes {
  readonly #nodes: GraphNode[] = [];
  readonly #known = new Map<string, string>();

  get all(): readonly GraphNode[] {
    return this.#nodes;
  }

  /** A node that is computed from its inputs alone. -> its name, perhaps that of an earlier one */
  pure(node: NewNode): string {
    const attributes = Object.entries(node.attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify([
      node.op,
      attributes.map(([name, value]) => [name, told(value)]),
      node.inputs,
      node.after,
    ]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const name = this.named(`${node.op}_${this.#nodes.length}`, node);
    this.#known.set(key, name);
    return name;
  }

  /** A node under a name of its own: a place where numbers come in, or one that changes a variable. */
  named(name: string, { op, attributes = {}, inputs = [], after = [] }: NewNode): string {
    this.#nodes.push({ name, op, attributes: new Map(Object.entries(attributes)), inputs, after });
    return name;
  }

  /** `shared`: equal constants are one node. */
  constant(value: Constant, shared: boolean): string {
    const dtype: Attribute = { is: 'type', value: value.dtype };
    const node: NewNode = { op: 'Const', attributes: { dtype, value: { is: 'tensor', value } } };
    return shared ? this.pure(node) : this.named(`Const_${this.#nodes.length}`, node);
  }
}

/** An attribute as text that differs where the attribute does. */
function told(attribute: Attribute): unknown {
  if (attribute.is !== 'tensor') return [attribute.is, attribute.value];
  const { dtype, shape, content } = attribute.value;
  return [dtype, shape, createHash('sha256').update(content).digest('hex')];
}
