/** The wire format of protocol buffers, as far as a TensorFlow graph needs it: every function writes one field. */

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** A whole number, an enum or a boolean. Negative numbers take ten bytes, as int64 does. */
export function integer(field: number, value: number): Buffer {
  return Buffer.concat([key(field, VARINT), varint(value)]);
}

export function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, FIXED32), bytes]);
}

export function bytes(field: number, value: Uint8Array | string): Buffer {
  const content = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([key(field, BYTES), varint(content.length), content]);
}

export function message(field: number, ...parts: readonly Uint8Array[]): Buffer {
  return bytes(field, Buffer.concat(parts));
}

/** A packed list of whole numbers, enums or booleans. */
export function integers(field: number, values: readonly number[]): Buffer {
  return bytes(field, Buffer.concat(values.map(varint)));
}

/** A packed list of floats. */
export function floats(field: number, values: readonly number[]): Buffer {
  return bytes(field, new Uint8Array(Float32Array.from(values).buffer));
}

function key(field: number, wireType: number): Buffer {
  return varint(field * 8 + wireType);
}

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Buffer.from(out);
}
