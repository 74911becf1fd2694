/** One recorded graph for batches of any size. */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { Program } from '../../src/engine/graph/program.ts';
import type { BatchFunction, Tensors } from '../../src/engine/graph/recording.ts';
import { recordForAnyBatch } from '../../src/engine/graph/recording.ts';
import { neededFor, signatureOf } from '../../src/engine/graph/signature.ts';
import { tf } from '../../src/engine/tensorflow.ts';
import { numbers } from '../helpers/engine.ts';

const opened: Disposable[] = [];
afterEach(() => {
  for (const part of opened.splice(0)) part[Symbol.dispose]();
  tf.disposeVariables();
});

const kernel = () => numbers(9, 3, 3, 2, 4);
/** Shapes that hold the batch, and a multiple of it, once in the middle. */
const network = (weights: () => ReturnType<typeof kernel>): BatchFunction => ({
  inputs: (rows) => ({ x: numbers(1, rows, 16) }),
  body: ({ x }) => {
    const rows = x?.shape[0] ?? 0;
    const map = tf.reshape(x as Tensor2D, [rows, 2, 2, 4]) as Tensor4D;
    const large = tf.conv2dTranspose(map, weights() as Tensor4D, [rows, 4, 4, 2], 2, 'same');
    const pixels = tf.reshape(large, [rows * 16, 2]);
    return { y: tf.reshape(tf.add(pixels, 1), [rows, 32]) };
  },
});
const listOf = (tensors: Tensors) => [...(tensors['y']?.dataSync() ?? [])];

describe('a graph for any batch', () => {
  it('gives for every size what the function gives', () => {
    const weights = tf.variable(kernel());
    const whole = network(() => weights);
    const program = Program.compileForAnyBatch(new Map([['w', weights]]), 'f', whole);
    opened.push(program);
    for (const rows of [1, 2, 5, 11, 64]) {
      const inputs = { x: numbers(rows, rows, 16) };
      const [ours, theirs] = [listOf(program.run('f', inputs)), listOf(whole.body(inputs))];
      expect(ours).toHaveLength(rows * 32);
      ours.forEach((value, i) => void expect(value).toBeCloseTo(theirs[i] ?? Number.NaN, 5));
    }
  });

  it('holds frozen weights as constants, with what follows from them alone', () => {
    const weights = tf.variable(kernel());
    const frozen = network(() => tf.mul(weights, 2) as ReturnType<typeof kernel>);
    const recording = recordForAnyBatch(new Map(), 'f', frozen, { frozen: [weights] });
    const signature = signatureOf(recording, 'f', { y: { dtype: 1, shape: [-1, 32] } });
    const nodes = neededFor(signature, recording.nodes);
    expect(nodes.filter(({ op }) => /Variable|VarHandle/.test(op))).toEqual([]);
    // The product with 2 was done while it was recorded; the Mul that is left makes 16 x the batch.
    const products = nodes.filter(({ op }) => op === 'Mul').map(({ inputs }) => inputs[0]);
    expect(products).toEqual(['batch']);
    expect(signature.inputs.get('x')).toEqual({ tensor: 'inputs/f/x:0', dtype: 1, shape: [-1, 16] });
    const program = Program.compileForAnyBatch(new Map(), 'f', frozen, { frozen: [weights] });
    opened.push(program);
    const before = listOf(program.run('f', { x: numbers(3, 3, 16) }));
    weights.assign(tf.zerosLike(weights));
    expect(listOf(program.run('f', { x: numbers(3, 3, 16) }))).toEqual(before);
  });

  it('refuses other shapes, and functions that are not the same for all sizes', () => {
    const program = Program.compileForAnyBatch(new Map(), 'f', {
      inputs: (rows) => ({ x: tf.zeros([rows, 2]) }),
      body: ({ x }) => ({ y: tf.add(x as Tensor2D, 1) }),
    });
    opened.push(program);
    expect(() => program.run('f', { x: tf.zeros([2, 3]) })).toThrow('x must be float32 [n, 2]');
    const refuses = (body: (x: Tensor2D, rows: number) => Tensors) => () =>
      recordForAnyBatch(new Map(), 'f', {
        inputs: (rows) => ({ x: tf.zeros([rows, 2]) }),
        body: ({ x }) => body(x as Tensor2D, x?.shape[0] ?? 0),
      });
    expect(refuses((x, rows) => ({ y: rows > 11 ? tf.exp(x) : tf.neg(x) }))).toThrow('another operation');
    expect(refuses((x, rows) => ({ y: tf.mul(x, tf.ones([rows, 1])) }))).toThrow('differs with the size of the batch');
    expect(refuses((x, rows) => ({ y: tf.reshape(tf.tile(x, [1, 3]), [rows + 1, -1]) }))).toThrow();
  });
});
