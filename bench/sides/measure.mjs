// What the sides of bench:train in JavaScript share: the built engine, and how it is timed.
import { built } from '../../scripts/lib/built.mjs';

const WARM_UP = 5;

export const load = built;

/**
 * Rounds a second, after some that do not count.
 * @param {() => unknown} round
 * @param {number} seconds
 */
export function roundsPerSecond(round, seconds) {
  for (let i = 0; i < WARM_UP; i++) round();
  const begin = performance.now();
  let rounds = 0;
  while (performance.now() - begin < seconds * 1000) {
    round();
    rounds++;
  }
  return (rounds * 1000) / (performance.now() - begin);
}
