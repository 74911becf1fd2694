/** An operation's attribute as tfjs-node gives it, as the graph's. */
import type { NativeBackend, OpAttribute } from './backend.ts';
import type { Attribute } from './graph-def.ts';

/** @throws where it is of a kind that no graph has been written with */
export function recordedAttribute({ name, type, value }: OpAttribute, { binding }: NativeBackend): Attribute {
  const isList = Array.isArray(value);
  if (type === binding.TF_ATTR_TYPE && typeof value === 'number') return { is: 'type', value };
  if (type === binding.TF_ATTR_STRING && typeof value === 'string') return { is: 'string', value };
  if (type === binding.TF_ATTR_BOOL && !isList) return { is: 'bool', value: Boolean(value) };
  if (type === binding.TF_ATTR_INT && typeof value === 'number') return { is: 'int', value };
  if (type === binding.TF_ATTR_FLOAT && typeof value === 'number') return { is: 'float', value };
  if (type === binding.TF_ATTR_INT && isList) return { is: 'ints', value: value.map(Number) };
  if (type === binding.TF_ATTR_FLOAT && isList) return { is: 'floats', value: value.map(Number) };
  if (type === binding.TF_ATTR_SHAPE && isList) return { is: 'shape', value: value.map(Number) };
  throw new Error(`The attribute ${name} of type ${type} cannot be recorded`);
}
