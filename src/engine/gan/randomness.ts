/**
 * Random numbers inside a step, as a pure function of a seed that comes in as a tensor: TensorFlow's stateless
 * operations, so that an eager, a recorded and a resumed step draw the same ones. For noise as large as the feature maps;
 * what is small is drawn outside (core/seeds.ts).
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { normal, uniform } from '../../core/seeds.ts';
import { nativeBackend, typeAttribute } from '../graph/backend.ts';
import { tf } from '../tensorflow.ts';

export class Randomness {
  readonly #seed: Tensor1D;
  #uses = 0;

  /** seed: [2], int32. */
  constructor(seed: Tensor1D) {
    this.#seed = seed;
  }

  /** N(0, 1), of this shape. */
  normal(shape: readonly number[]): Tensor {
    return this.#draw('StatelessRandomNormal', shape);
  }

  /** x with a share of its numbers set to 0 and the rest made larger, so that its mean stays (Srivastava et al. 2014). */
  dropout<T extends Tensor>(x: T, share: number): T {
    const kept = tf.greaterEqual(this.#draw('StatelessRandomUniform', x.shape), share);
    return tf.mul<T>(x, tf.mul(tf.cast(kept, 'float32'), 1 / (1 - share)));
  }

  #draw(op: 'StatelessRandomNormal' | 'StatelessRandomUniform', shape: readonly number[]): Tensor {
    const seed = tf.add<Tensor1D>(this.#seed, tf.tensor1d([this.#uses++, 0], 'int32'));
    const backend = nativeBackend();
    if (backend === undefined) return drawOutside(op, shape, seed);
    const attributes = [
      typeAttribute('dtype', 'float32', backend),
      typeAttribute('T', 'int32', backend),
      typeAttribute('Tseed', 'int32', backend),
    ];
    return backend.executeSingleOutput(op, attributes, [tf.tensor1d([...shape], 'int32'), seed]);
  }
}

/** Without TensorFlow: other numbers, but as repeatable. */
function drawOutside(op: string, shape: readonly number[], seed: Tensor1D): Tensor {
  const [first = 0, second = 0] = seed.dataSync();
  const size = shape.reduce((product, side) => product * side, 1);
  const source = op === 'StatelessRandomNormal' ? normal : uniform;
  return tf.tensor(source(first >>> 0, 'noise', second >>> 0, size), [...shape]);
}
