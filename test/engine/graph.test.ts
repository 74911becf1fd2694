/** Recorded graphs against the eager path: operation by operation, then what only whole programs have. */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { batchNormTraining, leakyRelu } from '../../src/engine/gan/fused-ops.ts';
import { Nodes } from '../../src/engine/graph/nodes.ts';
import { Program } from '../../src/engine/graph/program.ts';
import { inPlace, Recorder } from '../../src/engine/graph/recorder.ts';
import type { Tensors } from '../../src/engine/graph/recording.ts';
import { tf } from '../../src/engine/tensorflow.ts';
import { numbers } from '../helpers/engine.ts';

const opened: Disposable[] = [];
function keep<T extends Disposable>(part: T): T {
  opened.push(part);
  return part;
}
afterEach(() => {
  for (const part of opened.splice(0)) part[Symbol.dispose]();
  tf.disposeVariables();
});

const scalar = (value: number) => tf.variable(tf.scalar(value));
const listOf = (tensor: Tensor | undefined) => [...(tensor?.dataSync() ?? [])];

/** The function's outputs for `second` when it was recorded on `first`, and its eager outputs for `second`. */
function both(body: (inputs: Tensors) => Tensors, first: Tensors, second: Tensors) {
  const program = keep(Program.compile(new Map(), { f: { inputs: first, body: () => body(first) } }));
  const recorded = program.run('f', second);
  const eager = tf.tidy(() => ({ ...body(second) }));
  return { recorded, eager };
}

type Op = (x: Tensor4D, w: Tensor4D) => Tensor;
const flat = (x: Tensor4D): Tensor2D => tf.reshape(x, [2, -1]);
const operations: Readonly<Record<string, Op>> = {
  'conv2d, stride 1': (x, w) => tf.conv2d(x, w, 1, 'same'),
  'conv2d, stride 2': (x, w) => tf.conv2d(x, w, 2, 'same'),
  conv2dTranspose: (x, w) => tf.conv2dTranspose(x, w, [2, 16, 16, 3], 2, 'same'),
  matMul: (x) => tf.matMul(flat(x), flat(x), false, true),
  'matMul of batches': (x) => tf.matMul(tf.reshape(x, [2, 8, 24]) as Tensor3D, tf.ones([2, 24, 4]) as Tensor3D),
  'add, sub, mul, div': (x) => tf.div(tf.mul(tf.add(x, 1), tf.sub(x, 2)), 3),
  'broadcast over a channel': (x) => tf.add(x, tf.tensor1d([1, 2, 3])),
  'abs, neg, exp, log1p, square, sqrt': (x) => tf.sqrt(tf.square(tf.log1p(tf.exp(tf.neg(tf.abs(x)))))),
  'relu, sigmoid, tanh': (x) => tf.concat([tf.relu(x), tf.sigmoid(x), tf.tanh(x)], 3),
  leakyRelu: (x) => leakyRelu(x, 0.2),
  'fused batch normalisation': (x) => {
    const { y, mean, variance } = batchNormTraining({ x, scale: tf.ones([3]), offset: tf.zeros([3]), epsilon: 1e-5 });
    tf.dispose([mean, variance]);
    return y;
  },
  'stored batch normalisation': (x) => {
    const channel = (value: number): Tensor1D => tf.fill([3], value);
    return tf.batchNorm4d(x, channel(0.1), channel(2), channel(0.3), channel(1.5), 1e-5);
  },
  moments: (x) => tf.moments(x, [0, 1]).variance,
  'mean, sum, max, min': (x) => tf.stack([tf.mean(x, [1, 2]), tf.sum(x, [1, 2]), tf.max(x, [1, 2]), tf.min(x, [1, 2])]),
  logSumExp: (x) => tf.logSumExp(flat(x), 1),
  squaredDifference: (x) => tf.squaredDifference(x, 0.5),
  addN: (x) => tf.addN([x, x, x]),
  'reshape, transpose, slice': (x) => tf.slice(tf.transpose(x, [0, 3, 1, 2]), [0, 1, 2, 0], [2, 2, 3, 4]),
  'argMax, equal, cast': (x) => tf.cast(tf.equal(tf.argMax(flat(x), 1), 3), 'float32'),
  'greaterEqual, less, logicalAnd': (x) => tf.cast(tf.logicalAnd(tf.greaterEqual(x, -1), tf.less(x, 1)), 'float32'),
  oneHot: (x) => tf.oneHot(tf.argMax(flat(x), 1) as Tensor1D, 200, 1, 0, 'float32'),
  'round, clip, to whole numbers': (x) => tf.cast(tf.clipByValue(tf.round(tf.mul(x, 100)), 0, 255), 'int32'),
  'fill, zerosLike, ones': (x) => tf.add(tf.fill([2, 8, 8, 3], 2), tf.add(tf.zerosLike(x), tf.ones([3]))),
  norm: (x) => tf.norm(x),
  resizeNearestNeighbor: (x) => tf.image.resizeNearestNeighbor(x, [16, 16]),
  'avgPool and pad': (x) =>
    tf.avgPool(
      tf.pad(x, [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ]) as Tensor4D,
      2,
      2,
      'valid',
    ),
};

describe('a recorded operation', () => {
  const kernel = () => numbers(9, 4, 4, 3, 3) as Tensor4D;
  const picture = (seed: number) => numbers(seed, 2, 8, 8, 3) as Tensor4D;

  it.each(Object.keys(operations))('%s gives what it gives eagerly, for other inputs too', (name) => {
    const op = operations[name] ?? (() => tf.scalar(Number.NaN));
    const body = ({ x, w }: Tensors) => ({ y: op(x as Tensor4D, w as Tensor4D) });
    const { recorded, eager } = both(body, { x: picture(1), w: kernel() }, { x: picture(2), w: kernel() });
    expect(recorded['y']?.shape).toEqual(eager['y']?.shape);
    expect(listOf(recorded['y'])).toEqual(listOf(eager['y']).map((value) => expect.closeTo(value, 4)));
  });

  it.each([
    'conv2d, stride 2',
    'conv2dTranspose',
    'matMul',
    'leakyRelu',
    'fused batch normalisation',
    'logSumExp',
    'relu, sigmoid, tanh',
    'broadcast over a channel',
    'moments',
  ])('%s has the same gradient', (name) => {
    const op = operations[name] ?? (() => tf.scalar(Number.NaN));
    const body = ({ x, w }: Tensors): Tensors => {
      const loss = (...args: Tensor[]) => tf.mean(tf.square(op(args[0] as Tensor4D, args[1] as Tensor4D)));
      const used = name.startsWith('conv') ? [x, w] : [x];
      const [dx, dw] = tf.grads((...args) => loss(...args, ...(args.length === 1 ? [w as Tensor] : [])))(
        used.flatMap((tensor) => tensor ?? []),
      );
      return { ...(dx && { dx }), ...(dw && { dw }) };
    };
    const { recorded, eager } = both(body, { x: picture(1), w: kernel() }, { x: picture(2), w: kernel() });
    expect(Object.keys(recorded)).toEqual(Object.keys(eager));
    for (const [output, tensor] of Object.entries(eager)) {
      expect(listOf(recorded[output])).toEqual(listOf(tensor).map((value) => expect.closeTo(value, 4)));
    }
  });

  it('takes inputs of every type', () => {
    const body = ({ b, i, f }: Tensors) => ({
      y: tf.add(tf.cast(b as Tensor, 'float32'), tf.add(tf.cast(i as Tensor, 'float32'), f as Tensor)),
    });
    const inputs = (on: boolean, whole: number, real: number) => ({
      b: tf.tensor1d([on], 'bool'),
      i: tf.tensor1d([whole], 'int32'),
      f: tf.tensor1d([real]),
    });
    expect(listOf(both(body, inputs(false, 1, 0.5), inputs(true, -7, 0.25)).recorded['y'])).toEqual([-5.75]);
  });
});

describe('variables of a program', () => {
  it('live in it: they go on from run to run, are read and are written', () => {
    const count = scalar(1);
    const by = tf.scalar(2);
    const body = () => {
      count.assign(tf.mul(count, by));
      return { now: tf.add(count, 0) };
    };
    const program = keep(Program.compile(new Map([['count', count]]), { double: { inputs: { by }, body } }));
    // The example stays as it was.
    expect(listOf(count)).toEqual([1]);
    expect(listOf(program.run('double', { by })['now'])).toEqual([2]);
    expect(listOf(program.run('double', { by: tf.scalar(5) })['now'])).toEqual([10]);
    expect(listOf(program.read().get('count'))).toEqual([10]);
    program.write(new Map([['count', tf.scalar(-1)]]));
    expect(listOf(program.run('double', { by })['now'])).toEqual([-2]);
  });

  it('are shared by its functions', () => {
    const x = scalar(3);
    const double = () => {
      x.assign(tf.mul(x, 2));
      return {};
    };
    const look = () => ({ x: tf.add(x, 0.5) });
    const functions = { double: { inputs: {}, body: double }, look: { inputs: {}, body: look } };
    const program = keep(Program.compile(new Map([['x', x]]), functions));
    program.run('double', {});
    expect(listOf(program.run('look', {})['x'])).toEqual([6.5]);
  });

  it('may be swapped: every read sees the value of its place in the order', () => {
    const [a, b] = [scalar(1), scalar(2)];
    const body = () => {
      const before = tf.clone(a);
      a.assign(tf.clone(b));
      b.assign(before);
      return { sum: tf.add(tf.mul(a, 10), b) };
    };
    const variables = new Map([
      ['a', a],
      ['b', b],
    ]);
    const program = keep(Program.compile(variables, { swap: { inputs: {}, body } }));
    expect([1, 2, 3].map(() => listOf(program.run('swap', {})['sum'])[0])).toEqual([21, 12, 21]);
  });

  it('are two even where they share their data when they are recorded', () => {
    const [a, b] = [scalar(1), scalar(2)];
    b.assign(tf.clone(a));
    const body = () => {
      a.assign(tf.add(a, 1));
      return { b: tf.mul(b, 1) };
    };
    const variables = new Map([
      ['a', a],
      ['b', b],
    ]);
    const program = keep(Program.compile(variables, { grow: { inputs: {}, body } }));
    program.run('grow', {});
    expect(listOf(program.run('grow', {})['b'])).toEqual([1]);
    expect(listOf(program.read(['a']).get('a'))).toEqual([3]);
  });

  it('can be put back to its first value after a change in place', () => {
    const [w, x] = [scalar(1), tf.scalar(5)];
    const body = () => {
      const before = tf.clone(w);
      const attributes = { dtype: { is: 'type', value: 1 } } as const;
      inPlace({ op: 'AssignSubVariableOp', attributes, inputs: [w, x], eagerly: () => w.assign(tf.sub(w, x)) });
      const after = tf.add(w, 0);
      w.assign(before);
      return { after };
    };
    const program = keep(Program.compile(new Map([['w', w]]), { f: { inputs: { x }, body } }));
    expect([1, 2].map(() => listOf(program.run('f', { x })['after'])[0])).toEqual([-4, -4]);
    expect(listOf(program.read().get('w'))).toEqual([1]);
  });

  it('can be changed in place by an operation, between a read before and a read after', () => {
    const [w, m, v] = [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.zeros([2])), tf.variable(tf.zeros([2]))];
    const gradient = tf.tensor1d([0.5, -4]);
    const adam = () => {
      const before = tf.mul(w, 100);
      const one = (value: number) => tf.scalar(value);
      inPlace({
        op: 'ResourceApplyAdam',
        attributes: { T: { is: 'type', value: 1 } },
        inputs: [w, m, v, one(0), one(0), one(0.1), one(0.9), one(0.99), one(1e-8), gradient],
        eagerly: () => {
          m.assign(tf.add(tf.mul(m, 0.9), tf.mul(gradient, 0.1)));
          v.assign(tf.add(tf.mul(v, 0.99), tf.mul(tf.square(gradient), 0.01)));
          w.assign(tf.sub(w, tf.div(tf.mul(m, 0.1), tf.add(tf.sqrt(v), 1e-8))));
        },
      });
      return { before, after: tf.mul(w, 100) };
    };
    const variables = new Map([
      ['w', w],
      ['m', m],
      ['v', v],
    ]);
    const program = keep(Program.compile(variables, { adam: { inputs: { gradient }, body: adam } }));
    for (let step = 1; step <= 3; step++) {
      const recorded = program.run('adam', { gradient });
      const eager = tf.tidy(() => ({ ...adam() }));
      expect(listOf(recorded['before'])).toEqual(listOf(eager.before).map((value) => expect.closeTo(value, 3)));
      expect(listOf(recorded['after'])).toEqual(listOf(eager.after).map((value) => expect.closeTo(value, 3)));
    }
  });
});

describe('a recording', () => {
  it('does the same work once', () => {
    const x = tf.tensor1d([1, 2]);
    const recorder = new Recorder(new Map());
    recorder.record(new Map([['x', x]]), () => ({ y: tf.add(tf.exp(tf.mul(x, 2)), tf.exp(tf.mul(x, 2))) }));
    expect(recorder.nodes.all.filter(({ op }) => op === 'Exp')).toHaveLength(1);
  });

  it('knows two constants apart', () => {
    const nodes = new Nodes();
    const one = { dtype: 1, shape: [1], content: Uint8Array.of(0, 0, 128, 63) };
    expect(nodes.constant(one, true)).toBe(nodes.constant({ ...one }, true));
    expect(nodes.constant(one, true)).not.toBe(nodes.constant({ ...one, shape: [] }, true));
    expect(nodes.constant(one, true)).not.toBe(nodes.constant({ ...one, content: Uint8Array.of(0, 0, 0, 64) }, true));
  });

  const refuses = (body: () => Tensors) => () => keep(Program.compile(new Map(), { f: { inputs: {}, body } }));

  it('refuses random numbers, values that are read, and data that nobody declared', () => {
    expect(refuses(() => ({ y: tf.multinomial(tf.tensor1d([0.5, 0.5]), 3, 1) }))).toThrow('random numbers');
    expect(refuses(() => ({ y: tf.scalar(tf.exp(1).dataSync()[0] ?? 0) }))).toThrow('must not read');
    const large = numbers(1, 2 ** 23 / 2 + 1);
    expect(refuses(() => ({ y: tf.exp(large) }))).toThrow('declare it as an input');
  });

  it('refuses what it would get wrong: shared inputs, undeclared variables, a change in place after an assignment', () => {
    const x = tf.scalar(1);
    const shared = { a: x, b: tf.clone(x) };
    expect(() => Program.compile(new Map(), { f: { inputs: shared, body: () => ({ y: tf.add(x, 1) }) } })).toThrow(
      'share',
    );
    const stranger = scalar(3);
    expect(refuses(() => ({ y: tf.add(stranger, 1) }))).toThrow('not declared');
    const w = scalar(1);
    const body = () => {
      w.assign(tf.mul(w, 10));
      const attributes = { dtype: { is: 'type', value: 1 } } as const;
      inPlace({ op: 'AssignSubVariableOp', attributes, inputs: [w, x], eagerly: () => w.assign(tf.sub(w, x)) });
      return {};
    };
    expect(() => Program.compile(new Map([['w', w]]), { f: { inputs: { x }, body } })).toThrow('after an assignment');
  });

  it('leaves the backend as it was, also where it fails', () => {
    const { numTensors } = tf.memory();
    expect(refuses(() => ({ y: tf.scalar(tf.exp(1).dataSync()[0] ?? 0) }))).toThrow();
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(listOf(tf.tidy(() => tf.add(1, 2)))).toEqual([3]);
  });

  it('needs a run to give what it declared', () => {
    const x = tf.scalar(1);
    const program = keep(Program.compile(new Map(), { f: { inputs: { x }, body: () => ({ y: tf.exp(x) }) } }));
    expect(() => program.run('f', {})).toThrow('No tensor for x');
    expect(() => program.run('g', {})).toThrow('no function g');
    expect(() => program.run('f', { x: tf.tensor1d([1, 2]) })).toThrow('x must be float32 [], not float32 [2]');
  });
});
