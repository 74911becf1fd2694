/**
 * The safetensors file format (Hugging Face): an 8-byte little-endian header length, a JSON header
 * `{ name: { dtype, shape, data_offsets }, __metadata__ }`, then the raw numbers. Only F32 is written and read.
 * The same tensors always give the same bytes: names are sorted, and nothing else goes in.
 */
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const MAX_HEADER = 100_000_000;
const entry = z.object({
  dtype: z.literal('F32'),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const headerSchema = z.record(z.string(), z.unknown());
const metadataSchema = z.record(z.string(), z.string());

export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Buffer {
  const names = [...tensors.keys()].sort();
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const name of names) {
    const tensor = tensors.get(name);
    if (tensor === undefined) continue;
    header[name] = { dtype: 'F32', shape: tensor.shape, data_offsets: [end, end + tensor.values.byteLength] };
    end += tensor.values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  // The numbers begin at a multiple of 8; the format pads the header with spaces.
  const padded = Math.ceil(json.length / 8) * 8;
  const out = Buffer.alloc(8 + padded + end, 0x20);
  out.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(out, 8);
  let at = 8 + padded;
  for (const name of names) {
    const { values } = tensors.get(name) ?? { values: new Float32Array() };
    out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return out;
}

/** @throws AppError DAMAGED_FILE where the bytes are not what the header says. */
export function decodeSafetensors(bytes: Buffer): {
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
} {
  const headerLength = bytes.length >= 8 ? Number(bytes.readBigUInt64LE(0)) : Number.NaN;
  if (!(headerLength > 1 && headerLength <= MAX_HEADER && headerLength + 8 <= bytes.length)) throw damaged('no header');
  const header = headerSchema.safeParse(parseJson(bytes.toString('utf8', 8, 8 + headerLength)));
  if (!header.success) throw damaged('unreadable header');
  const { __metadata__: rawMetadata = {}, ...entries } = header.data;
  const metadata = metadataSchema.safeParse(rawMetadata);
  if (!metadata.success) throw damaged('unreadable metadata');
  const tensors = new Map<string, StoredTensor>();
  let covered = 0;
  for (const [name, raw] of Object.entries(entries)) {
    const parsed = entry.safeParse(raw);
    if (!parsed.success) throw damaged(`unreadable entry ${name}`);
    const { shape, data_offsets: offsets } = parsed.data;
    const size = shape.reduce((product, side) => product * side, 1) * 4;
    const start = 8 + headerLength + offsets[0];
    if (offsets[1] - offsets[0] !== size || start + size > bytes.length) throw damaged(`${name} is cut off`);
    // A copy: the numbers may lie at an offset that a Float32Array cannot start at.
    tensors.set(name, { shape, values: new Float32Array(Uint8Array.from(bytes.subarray(start, start + size)).buffer) });
    covered += size;
  }
  if (8 + headerLength + covered !== bytes.length) throw damaged('bytes that no tensor owns');
  return { tensors, metadata: metadata.data };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function damaged(what: string): AppError {
  return new AppError('DAMAGED_FILE', `Not a whole safetensors file: ${what}.`);
}
