/**
 * The log-likelihood of works under a Gaussian Parzen window on generated pictures, as in the ICIP paper's tables (Breuleux,
 * Bengio, Vincent 2011): told for continuity. It says little of how pictures look (Theis, van den Oord, Bethge 2016).
 */
import { type Points, squaredDistances } from './distances.ts';

export interface LogLikelihood {
  /** Nats, mean over the works. */
  readonly logLikelihood: number;
  readonly standardError: number;
}

/** Widths that are tried, in pixel values of 0..1. */
const WIDTHS = Array.from({ length: 12 }, (_, i) => 0.02 * 1.35 ** i);

/** Pictures and works in 0..1. The window's width is the best one for every other work; the rest is measured. */
export function parzen(pictures: Points, works: Points): LogLikelihood {
  const size = works.values.length / works.count;
  const squared = squaredDistances(works, pictures);
  const likelihoods = (width: number) =>
    Array.from({ length: works.count }, (_, i) => {
      const row = squared.subarray(i * pictures.count, (i + 1) * pictures.count);
      const exponents = Array.from(row, (distance) => -distance / (2 * width ** 2));
      return logMeanExp(exponents) - (size / 2) * Math.log(2 * Math.PI * width ** 2);
    });
  let best: number[] = [];
  for (const width of WIDTHS) {
    const found = likelihoods(width);
    if (best.length === 0 || mean(every(found, 0)) > mean(every(best, 0))) best = found;
  }
  const measured = every(best, 1);
  const average = mean(measured);
  const variance = mean(measured.map((value) => (value - average) ** 2));
  return { logLikelihood: average, standardError: Math.sqrt(variance / measured.length) };
}

const every = (values: readonly number[], rest: 0 | 1) => values.filter((_, i) => i % 2 === rest);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function logMeanExp(values: readonly number[]): number {
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return most + Math.log(mean(values.map((value) => Math.exp(value - most))));
}
