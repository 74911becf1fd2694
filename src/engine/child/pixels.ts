/** What the networks paint as the bytes of pictures. */
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { nativeBackend, typeAttribute } from '../graph/backend.ts';
import { tf } from '../tensorflow.ts';

/** Values of the networks -> whole numbers 0..255, as floats. */
export function wholeNumbers(pictures: Tensor4D, [low, high]: readonly [number, number]): Tensor4D {
  const scaled: Tensor4D = tf.mul(tf.sub(pictures, low), 255 / (high - low));
  return tf.clipByValue(tf.round(scaled), 0, 255);
}

/**
 * Whole numbers [n, R, R, 3] -> what `bytesOf` reads: four of them in each int32, in the order of the machine. Tensors
 * of bytes cannot be read themselves; of one number each they would be four times as large, and converted one by one.
 */
export function packedBytes(pixels: Tensor4D): Tensor {
  const backend = nativeBackend();
  if (backend === undefined) return pixels;
  const { TF_ATTR_TYPE: type, TF_ATTR_BOOL: flag, TF_UINT8: uint8 } = backend.binding;
  const fours: Tensor2D = tf.reshape(pixels, [pixels.size / 4, 4]);
  const cast = [
    typeAttribute('SrcT', 'float32', backend),
    { name: 'DstT', type, value: uint8 },
    { name: 'Truncate', type: flag, value: false },
  ];
  const bytes = backend.executeSingleOutput('Cast', cast, [fours]);
  return backend.executeSingleOutput(
    'Bitcast',
    [{ name: 'T', type, value: uint8 }, typeAttribute('type', 'int32', backend)],
    [bytes],
  );
}

/** Picture after picture; the tensor, which `packedBytes` gave, is disposed of. */
export function bytesOf(packed: Tensor): Uint8Array {
  const values = packed.dataSync();
  packed.dispose();
  if (nativeBackend() === undefined) return Uint8Array.from(values);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
