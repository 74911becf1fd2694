// What both sides of bench:fan-out tell their watchers: the same subscription, the same events.

export const SUBSCRIPTION = `subscription ($run: ID!, $after: Int) {
  trainingProgress(run: $run, after: $after) {
    __typename
    seq
    at
    ... on TrainingMetrics { step dLoss gLoss l2Loss imagesPerSecond etaSeconds }
  }
}`;

/** @param {number} step */
export const metricsAt = (step) => ({
  type: 'metrics',
  step,
  dLoss: 1.4125 + step / 1e6,
  gLoss: 0.7125 + step / 1e6,
  l2Loss: 0.0314159,
  realAccuracy: 0.8125,
  fakeAccuracy: 0.75,
  imagesPerSecond: 512.5,
  etaSeconds: 1234.5,
});

/**
 * Writes so many events, so many a second.
 * @param {{ count: number, perSecond: number }} pace
 * @param {() => Promise<unknown> | void} write
 */
export async function writeEvents({ count, perSecond }, write) {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const due = start + (i * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    await write();
  }
}
