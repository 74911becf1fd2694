/** Work that is urgent, and work that takes turns. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Lane } from '../../src/server/streams/lane.ts';

/** Work in pieces of about half a millisecond. */
async function work(lane: Lane, pieces: number, done: (piece: number) => void): Promise<void> {
  for (let piece = 0; piece < pieces; piece++) {
    await lane.turn();
    const end = performance.now() + 0.5;
    while (performance.now() < end);
    done(piece);
  }
}

it('lets others in between slices, however many have work to do', async () => {
  const lane = new Lane();
  const gaps: number[] = [];
  let isWorking = true;
  const others = (async () => {
    for (let last = performance.now(); isWorking; last = performance.now()) {
      await turn();
      gaps.push(performance.now() - last);
    }
  })();
  await Promise.all(Array.from({ length: 50 }, () => work(lane, 20, () => undefined)));
  isWorking = false;
  await others;
  // 1,000 pieces are half a second: without turns, all of it would be one gap.
  expect(gaps.length).toBeGreaterThan(100);
});

it('serves those who wait in their order, so that nobody waits for ever', async () => {
  const lane = new Lane();
  const done = Array.from({ length: 5 }, () => 0);
  let most = 0;
  await Promise.all(
    done.map((_, i) =>
      work(lane, 40, (piece) => {
        done[i] = piece;
        most = Math.max(most, Math.max(...done) - Math.min(...done));
      }),
    ),
  );
  // One slice is a few pieces.
  expect(most).toBeLessThan(30);
});

it('keeps turns back while something urgent is under way, and goes on after it', async () => {
  const lane = new Lane();
  let pieces = 0;
  const later = work(lane, 100, () => {
    pieces += 1;
  });
  await turn();
  const before = await lane.urgently(async () => {
    const now = pieces;
    await sleep(20);
    expect(pieces).toBeLessThanOrEqual(now + 1);
    return now;
  });
  expect(before).toBeLessThan(100);
  await expect(lane.urgently(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await later;
  expect(pieces).toBe(100);
});

it('gives a turn now and then even while something urgent is always under way', async () => {
  const lane = new Lane();
  let pieces = 0;
  let isBusy = true;
  // Two that overlap: there is no moment without one of them.
  const busy = [0, 1].map(async () => {
    while (isBusy) await lane.urgently(() => sleep(3));
  });
  await sleep(1);
  const later = work(lane, 3, () => {
    pieces += 1;
  });
  await later;
  isBusy = false;
  await Promise.all(busy);
  expect(pieces).toBe(3);
});
