/**
 * TensorFlow's fused kernels, each with its gradient, for the operations that tfjs composes out of many full-size passes:
 * batch normalisation in training, biases, and the gradients of activations. Where the backend is not TensorFlow (the JavaScript
 * fallback), the same mathematics is composed of tfjs operations.
 */
import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { type NativeBackend, nativeBackend, type OpAttribute, typeAttribute } from '../graph/backend.ts';
import { tf } from '../tensorflow.ts';

export interface NormInput {
  readonly x: Tensor4D;
  readonly scale: Tensor1D;
  readonly offset: Tensor1D;
  readonly epsilon: number;
}

/**
 * Batch normalisation by the batch's own statistics per channel:
 * y = (x - mean) / sqrt(variance + epsilon) * scale + offset.
 * The statistics come as kept tensors: the caller disposes of them.
 */
export function batchNormTraining({ x, scale, offset, epsilon }: NormInput): {
  y: Tensor4D;
  mean: Tensor1D;
  variance: Tensor1D;
} {
  const backend = nativeBackend();
  if (backend === undefined) {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    const [m, v] = [mean as Tensor1D, variance as Tensor1D];
    const count = x.size / x.shape[3];
    return {
      y: tf.batchNorm4d(x, m, v, offset, scale, epsilon),
      mean: tf.keep(m.clone()),
      // Of the population that the batch is a sample of, as TensorFlow's kernel gives it.
      variance: tf.keep(tf.mul(v, count / Math.max(1, count - 1))),
    };
  }
  const { binding } = backend;
  const attributes = [
    typeAttribute('T', 'float32', backend),
    typeAttribute('U', 'float32', backend),
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL, value: true },
  ];
  let statistics: { mean: Tensor1D; variance: Tensor1D } | undefined;
  const normalise = tf.customGrad((...args) => {
    const [input, gain, shift] = args as Tensor[];
    const save = args.at(-1) as unknown as (tensors: Tensor[]) => void;
    if (input === undefined || gain === undefined || shift === undefined) throw new Error('Three inputs are needed');
    const none = tf.tensor1d([], 'float32');
    const out = backend.executeMultipleOutputs('FusedBatchNormV3', attributes, [input, gain, shift, none, none], 6);
    const [y, mean, variance, reserve1, reserve2, reserve3] = out;
    if (!y || !mean || !variance || !reserve1 || !reserve2 || !reserve3)
      throw new Error('FusedBatchNormV3 gave too few outputs');
    statistics = { mean: tf.keep(mean.clone() as Tensor1D), variance: tf.keep(variance.clone() as Tensor1D) };
    save([input, gain, reserve1, reserve2, reserve3]);
    const gradFunc = (dy: Tensor, saved: Tensor[]) =>
      backend.executeMultipleOutputs('FusedBatchNormGradV3', attributes, [dy, ...saved], 5).slice(0, 3);
    return { value: y, gradFunc };
  });
  const y = normalise(x, scale, offset) as Tensor4D;
  if (statistics === undefined) throw new Error('Batch normalisation did not run');
  return { y, ...statistics };
}

/** x where it is positive, slope * x elsewhere. */
export function leakyRelu<T extends Tensor>(x: T, slope: number): T {
  const alpha = (backend: NativeBackend) => [{ name: 'alpha', type: backend.binding.TF_ATTR_FLOAT, value: slope }];
  const gradient = (dy: Tensor, y: Tensor) => [dy, y];
  return activation(x, { op: 'LeakyRelu', gradient, attributes: alpha, otherwise: () => tf.leakyRelu(x, slope) });
}

export function relu<T extends Tensor>(x: T): T {
  return activation(x, { op: 'Relu', gradient: (dy, y) => [dy, y], otherwise: () => tf.relu(x) });
}

export function sigmoid<T extends Tensor>(x: T): T {
  return activation(x, { op: 'Sigmoid', gradient: (dy, y) => [y, dy], otherwise: () => tf.sigmoid(x) });
}

export function tanh<T extends Tensor>(x: T): T {
  return activation(x, { op: 'Tanh', gradient: (dy, y) => [y, dy], otherwise: () => tf.tanh(x) });
}

/** x [..., C] + bias [C]. */
export function biasAdd<T extends Tensor>(x: T, bias: Tensor1D): T {
  const backend = nativeBackend();
  if (backend === undefined) return tf.add<T>(x, bias);
  const attributes = [
    typeAttribute('T', 'float32', backend),
    { name: 'data_format', type: backend.binding.TF_ATTR_STRING, value: 'NHWC' },
  ];
  const add = tf.customGrad((...args) => {
    const [input, shift] = args as Tensor[];
    if (input === undefined || shift === undefined) throw new Error('Two inputs are needed');
    return {
      value: backend.executeSingleOutput('BiasAdd', attributes, [input, shift]),
      gradFunc: (dy: Tensor) => [dy, backend.executeSingleOutput('BiasAddGrad', attributes, [dy])],
    };
  });
  return add(x, bias) as T;
}

interface Activation<T extends Tensor> {
  /** `<op>Grad` is its gradient. */
  readonly op: 'LeakyRelu' | 'Relu' | 'Sigmoid' | 'Tanh';
  /** The inputs of the gradient, in TensorFlow's order. */
  readonly gradient: (dy: Tensor, y: Tensor) => Tensor[];
  readonly attributes?: (backend: NativeBackend) => readonly OpAttribute[];
  /** Without TensorFlow. */
  readonly otherwise: () => T;
}

/** An activation whose gradient is computed from what it gave: its input can be fused into the operation before. */
function activation<T extends Tensor>(x: T, { op, gradient, attributes, otherwise }: Activation<T>): T {
  const backend = nativeBackend();
  if (backend === undefined) return otherwise();
  const all = [typeAttribute('T', 'float32', backend), ...(attributes?.(backend) ?? [])];
  const activate = tf.customGrad((...args) => {
    const [input] = args as Tensor[];
    const save = args.at(-1) as unknown as (tensors: Tensor[]) => void;
    if (input === undefined) throw new Error('An input is needed');
    const value = backend.executeSingleOutput(op, all, [input]);
    save([value]);
    const gradFunc = (dy: Tensor, [y]: Tensor[]) =>
      backend.executeSingleOutput(`${op}Grad`, all, gradient(dy, y ?? value));
    return { value, gradFunc };
  });
  return activate(x) as T;
}
