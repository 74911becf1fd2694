/** Bytes against those that the protocol-buffer documentation gives, and a graph's attributes of every kind. */
import { describe, expect, it } from 'vitest';
import { recordedAttribute } from '../../src/engine/graph/attributes.ts';
import { nativeBackend } from '../../src/engine/graph/backend.ts';
import { bytes, float, floats, integer, integers, message } from '../../src/engine/graph/protobuf.ts';

const hex = (buffer: Buffer) => buffer.toString('hex');

describe('the wire format', () => {
  it('is that of the documentation of protocol buffers', () => {
    expect(hex(integer(1, 150))).toBe('089601');
    expect(hex(bytes(2, 'testing'))).toBe('120774657374696e67');
    expect(hex(message(3, integer(1, 150)))).toBe('1a03089601');
    expect(hex(integers(6, [3, 270, 86942]))).toBe('3206038e029ea705');
  });

  it('writes negative numbers in ten bytes, and floats in four', () => {
    expect(hex(integer(1, -2))).toBe('08feffffffffffffffff01');
    expect(hex(float(4, 1.5))).toBe('250000c03f');
    expect(hex(floats(4, [1.5, -2]))).toBe('22080000c03f000000c0');
  });
});

describe('an attribute', () => {
  const backend = nativeBackend();
  if (backend === undefined) throw new Error('These tests need TensorFlow');
  const { binding } = backend;

  it.each([
    [binding.TF_ATTR_TYPE, binding.TF_FLOAT, { is: 'type', value: 1 }],
    [binding.TF_ATTR_STRING, 'SAME', { is: 'string', value: 'SAME' }],
    [binding.TF_ATTR_BOOL, true, { is: 'bool', value: true }],
    [binding.TF_ATTR_INT, 7, { is: 'int', value: 7 }],
    [binding.TF_ATTR_INT, [1, 2], { is: 'ints', value: [1, 2] }],
    [binding.TF_ATTR_FLOAT, 0.5, { is: 'float', value: 0.5 }],
    [binding.TF_ATTR_FLOAT, [0.5], { is: 'floats', value: [0.5] }],
    [binding.TF_ATTR_SHAPE, [2, -1], { is: 'shape', value: [2, -1] }],
  ])('of type %i with the value %j is recorded', (type, value, expected) => {
    expect(recordedAttribute({ name: 'a', type, value }, backend)).toEqual(expected);
  });

  it('of another kind is refused by name', () => {
    expect(() => recordedAttribute({ name: 'f', type: 99, value: {} }, backend)).toThrow('The attribute f of type 99');
  });
});
