/** Class indices as what the networks take and are measured by. -1: no label of this kind, or none is asked for. */
import type { Rank, Scalar, Tensor2D } from '@tensorflow/tfjs-core';
import { tf } from '../tensorflow.ts';
import type { Architecture, Head } from './architecture.ts';

/** Per head a class index for each picture. */
export type Labels = readonly Int32Array[];

/** [B, heads], int32. */
export function labelTensor(labels: Labels): Tensor2D {
  const batch = labels[0]?.length ?? 0;
  const rows = Int32Array.from(
    { length: batch * labels.length },
    (_, i) => labels[i % labels.length]?.[Math.floor(i / labels.length)] ?? -1,
  );
  return tf.tensor2d(rows, [batch, labels.length], 'int32');
}

/** y of single labels, as rows one after another: [B x columns], the same numbers as `conditions` gives. */
export function conditionRows(net: Pick<Architecture, 'heads' | 'unspecified'>, labels: Labels): Float32Array {
  const columns = conditionColumns(net.heads, net.unspecified);
  const rows = new Float32Array((labels[0]?.length ?? 0) * columns);
  for (let start = 0; start < rows.length; start += columns) {
    const indices = labels.map((column) => column[start / columns] ?? -1);
    addConditions(rows.subarray(start, start + columns), net, { indices, weight: 1 });
  }
  return rows;
}

/** Adds a combination of labels, a class index per head, to a row of y with a weight. */
export function addConditions(
  row: Float32Array,
  { heads, unspecified }: Pick<Architecture, 'heads' | 'unspecified'>,
  { indices, weight }: { readonly indices: readonly number[]; readonly weight: number },
): void {
  let start = 0;
  heads.forEach(({ classes }, head) => {
    const index = indices[head] ?? -1;
    const column = index >= 0 ? index : unspecified ? classes : undefined;
    if (column !== undefined) row[start + column] = (row[start + column] ?? 0) + weight;
    start += classes + (unspecified ? 1 : 0);
  });
}

/** Width of y. */
export function conditionColumns(heads: readonly Head[], unspecified: boolean): number {
  return heads.reduce((sum, { classes }) => sum + classes + (unspecified ? 1 : 0), 0);
}

/** y [B, columns]: one-hot per kind; "unspecified" has a column of its own where the network has one, else zeros. */
export function conditions(
  { heads, unspecified }: Pick<Architecture, 'heads' | 'unspecified'>,
  labels: Tensor2D,
): Tensor2D {
  const columns = heads.flatMap(({ classes }, head) => {
    const oneHot = oneHotOf(labels, head, classes);
    return unspecified ? [oneHot, tf.sub(1, tf.sum(oneHot, 1, true)) as Tensor2D] : [oneHot];
  });
  return tf.concat(columns, 1);
}

/** Targets per head [B, K + 1] (see losses.ts): the label, or any label where it is -1. */
export function targets({ heads }: Pick<Architecture, 'heads'>, labels: Tensor2D): Tensor2D[] {
  return heads.map(({ classes }, head) => {
    const known = oneHotOf(labels, head, classes + 1);
    const unknown = tf.sub(1, tf.sum(known, 1, true)) as Tensor2D;
    return tf.add(known, tf.matMul(unknown, anyLabel(classes)));
  });
}

/** Targets per head [B, K + 1]: FAKE for all. */
export function fakeTargets({ heads }: Pick<Architecture, 'heads'>, batch: number): Tensor2D[] {
  return heads.map(({ classes }) => {
    const row = tf.sub(1, anyLabel(classes)) as Tensor2D;
    return tf.matMul(tf.ones<Rank.R2>([batch, 1]), row);
  });
}

/** Over all heads, the share of the known labels that have the highest of the K + 1 outputs; NaN where none is known. */
export function accuracy(answers: readonly Tensor2D[], labels: Tensor2D): Scalar {
  const named = answers.map((logits) => tf.argMax(logits, 1));
  const right = tf.sum(tf.cast(tf.equal(tf.stack(named, 1), labels), 'float32'));
  const known = tf.sum(tf.cast(tf.greaterEqual(labels, 0), 'float32'));
  return tf.div<Scalar>(right, known);
}

/** Of one head, [B, 1]. */
function column(labels: Tensor2D, head: number): Tensor2D {
  return tf.slice(labels, [0, head], [labels.shape[0], 1]);
}

/**
 * Of one head, [B, depth]; a row of zeros where the label is -1. By comparison: tf.oneHot refuses a kind that has one
 * label only.
 */
export function oneHotOf(labels: Tensor2D, head: number, depth: number): Tensor2D {
  const classes = tf.tensor2d(
    Int32Array.from({ length: depth }, (_, i) => i),
    [1, depth],
    'int32',
  );
  return tf.cast(tf.equal(column(labels, head), classes), 'float32') as Tensor2D;
}

/** [1, K + 1]: 1 for every label, 0 for FAKE. */
function anyLabel(classes: number): Tensor2D {
  return tf.tensor2d(
    Float32Array.from({ length: classes + 1 }, (_, i) => (i < classes ? 1 : 0)),
    [1, classes + 1],
  );
}
