/**
 * Random numbers as a pure function of (seed, purpose, counter), by the counter-based generator Philox4x32-10
 * (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011).
 * Nothing is carried from draw to draw, so a resumed run, a batch of another size or a restarted server draws the same.
 */

/** Seeds are integers in [0, 2^53). */
export const MAX_SEED = Number.MAX_SAFE_INTEGER;

/** What a stream of numbers is for: two purposes never share a stream. */
export const PURPOSES = {
  weights: 1,
  shuffle: 2,
  crop: 3,
  flip: 4,
  augment: 5,
  trainLatent: 6,
  trainLabel: 7,
  gridLatent: 8,
  pictureLatent: 9,
  labelDropout: 10,
  // 11 and 12 were taken once: a number is never used again for something else.
  partner: 13,
  noise: 14,
  evaluation: 15,
  recombine: 16,
} as const;
export type Purpose = keyof typeof PURPOSES;

/** The high 32 bits of the product of two unsigned 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const mid = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (mid & 0xffff);
  return (aHigh * bHigh + Math.floor(mid / 65536) + Math.floor(cross / 65536)) >>> 0;
}

/** Writes `out.length / 4` blocks of four words: counters (0, low, high, purpose), (1, low, high, purpose) ... */
export function philox(
  out: Uint32Array,
  key: readonly [number, number],
  counter: readonly [number, number, number],
): void {
  for (let block = 0; block * 4 < out.length; block++) {
    let c0 = block;
    let c1 = counter[0];
    let c2 = counter[1];
    let c3 = counter[2];
    let k0 = key[0];
    let k1 = key[1];
    for (let round = 0; round < 10; round++) {
      const high0 = mulHigh(0xd2511f53, c0);
      const high1 = mulHigh(0xcd9e8d57, c2);
      const low0 = Math.imul(0xd2511f53, c0);
      c0 = (high1 ^ c1 ^ k0) >>> 0;
      c1 = Math.imul(0xcd9e8d57, c2) >>> 0;
      c2 = (high0 ^ c3 ^ k1) >>> 0;
      c3 = low0 >>> 0;
      k0 = (k0 + 0x9e3779b9) >>> 0;
      k1 = (k1 + 0xbb67ae85) >>> 0;
    }
    out[block * 4] = c0;
    out[block * 4 + 1] = c1;
    out[block * 4 + 2] = c2;
    out[block * 4 + 3] = c3;
  }
}

function words(seed: number, purpose: Purpose, counter: number, count: number): Uint32Array {
  const out = new Uint32Array(Math.ceil(count / 4) * 4);
  philox(
    out,
    [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0],
    [counter >>> 0, Math.floor(counter / 2 ** 32) >>> 0, PURPOSES[purpose]],
  );
  return out;
}

/** `count` numbers, uniform in [0, 1). */
export function uniform(seed: number, purpose: Purpose, counter: number, count: number): Float32Array {
  const raw = words(seed, purpose, counter, count);
  // 24 bits are what a float32 holds exactly.
  return Float32Array.from({ length: count }, (_, i) => ((raw[i] ?? 0) >>> 8) / 2 ** 24);
}

/** An order by chance of the whole numbers below `count`, for sorting any of them. */
export function orderByChance(
  seed: number,
  purpose: Purpose,
  counter: number,
  count: number,
): (a: number, b: number) => number {
  const chances = uniform(seed, purpose, counter, count);
  return (a, b) => (chances[a] ?? 0) - (chances[b] ?? 0) || a - b;
}

/** `count` integers, uniform in [0, below). The bias of the multiply is under 2^-32 * below. */
export function integers(seed: number, purpose: Purpose, counter: number, count: number, below: number): Int32Array {
  const raw = words(seed, purpose, counter, count);
  return Int32Array.from({ length: count }, (_, i) => Math.floor(((raw[i] ?? 0) / 2 ** 32) * below));
}

/** `count` numbers from N(0, 1), by the Box-Muller transform. */
export function normal(seed: number, purpose: Purpose, counter: number, count: number): Float32Array {
  const raw = words(seed, purpose, counter, count + (count % 2));
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(((raw[i] ?? 0) + 1) / 2 ** 32));
    const angle = (2 * Math.PI * (raw[i + 1] ?? 0)) / 2 ** 32;
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}
