/** Evaluation: each formula on numbers worked out by hand, then generators whose faults are known. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Measures, warningsOf } from '../../src/core/measures.ts';
import { normal, uniform } from '../../src/core/seeds.ts';
import type { PackIndex } from '../../src/datasets/pack.ts';
import { PackReader } from '../../src/datasets/pack-reader.ts';
import { type OpenReference, openReference } from '../../src/engine/child/reference.ts';
import { middles, readCrops } from '../../src/engine/data/crops.ts';
import { meanDistance, nearestWorks } from '../../src/engine/evaluation/distances.ts';
import { heldOutWorks, judgedKinds } from '../../src/engine/evaluation/judged-labels.ts';
import { kid, scaled } from '../../src/engine/evaluation/kid.ts';
import { measure, type Subject } from '../../src/engine/evaluation/measure.ts';
import { parzen } from '../../src/engine/evaluation/parzen.ts';
import { shrunk } from '../../src/engine/evaluation/shrink.ts';
import { tinyPack } from '../helpers/tiny-pack.ts';

const points = (...values: number[]) => ({ count: values.length, values: Float32Array.from(values) });

describe('the kernel inception distance', () => {
  it('is the unbiased estimate under (xy / d + 1)^3', () => {
    // Within {1, 2}: 27. Within {3, 4}: 13^3 = 2197. Between: (64 + 125 + 343 + 729) / 4 = 315.25.
    expect(kid(points(1, 2), points(3, 4), 1).value).toBeCloseTo(27 + 2197 - 2 * 315.25, 3);
  });

  it('is 0 within its interval for two samples of one distribution, and above 0 for two others', () => {
    const sample = (draw: number, shift = 0) => ({
      count: 200,
      values: normal(1, 'gridLatent', draw, 200 * 8).map((value) => value + shift),
    });
    const same = kid(sample(1), sample(2), 1);
    expect(same.low).toBeLessThan(0);
    expect(same.high).toBeGreaterThan(0);
    expect(kid(sample(1), sample(2, 0.5), 1).low).toBeGreaterThan(0.1);
  });

  it('does not depend on the unit of the features', () => {
    const far = scaled(points(10, 30), points(10, 30));
    expect([...far.values]).toEqual([-1, 1]);
  });
});

describe('distances', () => {
  it('call a picture a copy that is much nearer to one work than to any other', () => {
    const works = points(0, 10);
    expect(nearestWorks(points(1, 4, 9.9), works)).toEqual({
      works: Int32Array.of(0, 0, 1),
      // 1 of 9 and 0.1 of 9.9 are under a third, 4 of 6 is not.
      memorised: 2 / 3,
    });
  });

  it('give the mean over all pairs', () => {
    expect(meanDistance(points(0, 1, 3))).toBeCloseTo((1 + 3 + 2) / 3, 5);
  });
});

describe('the Parzen log-likelihood', () => {
  it('is that of the best of the widths', () => {
    // All distances are 0: the narrowest window, 0.02, fits best: -log(0.02) - log(2 pi) / 2.
    const { logLikelihood, standardError } = parzen(points(0.5), points(0.5, 0.5, 0.5, 0.5));
    expect(logLikelihood).toBeCloseTo(-Math.log(0.02) - Math.log(2 * Math.PI) / 2, 4);
    expect(standardError).toBe(0);
  });
});

it('a picture is shrunk by the mean over squares', () => {
  const side2 = Uint8Array.of(0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32);
  expect([...shrunk(side2, { from: 2, to: 1 })]).toEqual([15, 16, 17]);
  expect(shrunk(side2, { from: 2, to: 2 })).toBe(side2);
});

describe('the labels that are judged', () => {
  const label = (slug: string, count: number) => ({ slug, name: slug, count });
  const style = [...Array.from({ length: 20 }, () => 0), ...Array.from({ length: 10 }, () => 1), 2];
  const index: PackIndex = {
    version: 1,
    count: style.length,
    levels: [{ resolution: 32, size: 36, offset: 0 }],
    stride: 36 * 36 * 3,
    labels: { artist: [label('one', 31)], style: [label('a', 20), label('b', 10), label('c', 1)], genre: [] },
    works: { artist: style.map(() => 0), style, genre: style.map(() => -1) },
  };

  it('have eight works, and a kind has two of them', () => {
    expect(judgedKinds(index)).toEqual([
      {
        kind: 'style',
        labels: [
          { label: 0, slug: 'a' },
          { label: 1, slug: 'b' },
        ],
      },
    ]);
  });

  it('keep a fifth of their works for the test', () => {
    const held = [...heldOutWorks(index, judgedKinds(index), 1)];
    expect(held.filter((work) => style[work] === 0)).toHaveLength(4);
    expect(held.filter((work) => style[work] === 1)).toHaveLength(2);
    expect(held).toHaveLength(6);
  });
});

describe('a generator', () => {
  let folder: string;
  let pack: PackReader;
  let opened: OpenReference;
  let packSha256: string;
  const request = () => ({ pack, packSha256, folder: join(folder, 'classifiers'), resolution: 32 });
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'artgan-evaluation-'));
    const { path, sha256 } = await tinyPack(folder, 40);
    packSha256 = sha256;
    pack = PackReader.open(path);
    opened = await openReference(request());
  });
  afterAll(() => {
    opened?.[Symbol.dispose]();
    pack?.[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const PIXELS = 32 * 32 * 3;
  const subject = (paint: (label: number, i: number) => Uint8Array): Subject => ({
    heads: [{ kind: 'style', classes: 2 }],
    latentSize: 2,
    resolution: 32,
    // As it lies in the pack: the labels are sorted by their slugs.
    classOf: (kind, slug) => (kind === 'style' ? ['blue', 'red'].indexOf(slug) : -1),
    paint({ labels: [column = new Int32Array()] }) {
      const pictures = Array.from(column, (label, i) => paint(label, i));
      return Uint8Array.from(Buffer.concat(pictures));
    },
    reconstruction: () => null,
  });
  const flat = (label: number, seed: number) => {
    const noise = uniform(1_000 + seed, 'crop', 0, PIXELS);
    const colour = label === 1 ? [200, 40, 40] : [40, 40, 200];
    return Uint8Array.from(noise, (value, at) => (colour[at % 3] ?? 0) + value * 30);
  };
  const measured = (paint: (label: number, i: number) => Uint8Array) =>
    measure(subject(paint), opened.reference, 1).measures;

  it('that paints what it is asked for, as varied as the works, is as good as they are', () => {
    const found = measured(flat);
    expect(found.pictures).toBe(40);
    expect(found.fidelity).toEqual([
      {
        kind: 'style',
        accuracy: 1,
        chance: 0.5,
        heldOut: 1,
        labels: [
          { slug: 'blue', accuracy: 1 },
          { slug: 'red', accuracy: 1 },
        ],
      },
    ]);
    expect(found.kid.low).toBeLessThan(0.05);
    expect(found.diversity).toBeGreaterThan(0.5);
    expect(found.memorised).toBe(0);
    expect(found.combinations).toEqual([]);
    expect(warningsOf(found, undefined)).toEqual([]);
  });

  it('that ignores its labels is found out', () => {
    const found = measured((_label, i) => flat(0, i));
    expect(found.fidelity[0]?.accuracy).toBe(0.5);
    expect(found.kid.low).toBeGreaterThan(0.05);
    expect(warningsOf(found, undefined).map(({ code }) => code)).toEqual([]);
    // With ten labels, chance is a tenth, and so is what it reaches.
    const [first] = found.fidelity;
    const tenth: Measures = { ...found, fidelity: first ? [{ ...first, accuracy: 0.1, chance: 0.1 }] : [] };
    expect(warningsOf(tenth, undefined).map(({ code }) => code)).toEqual(['LABELS_IGNORED']);
  });

  it('that paints one picture a label has collapsed', () => {
    const found = measured((label) => flat(label, 0));
    expect(found.diversity).toBeLessThan(0.05);
    expect(warningsOf(found, undefined).map(({ code }) => code)).toEqual(['COLLAPSE']);
  });

  it('that copies works is told so', () => {
    const works = readCrops(pack, opened.reference.works, { side: 32, range: [0, 255], places: middles });
    const found = measured((_label, i) => Uint8Array.from(works.subarray((i % 40) * PIXELS, ((i % 40) + 1) * PIXELS)));
    expect(found.memorised).toBe(1);
    expect(warningsOf(found, undefined).map(({ code }) => code)).toContain('MEMORISING');
    const diverged = { ...found, memorised: 0, kid: { value: 3, low: 2.5, high: 3.5 } };
    expect(warningsOf(diverged, 1).map(({ code }) => code)).toContain('DIVERGING');
  });

  it('is measured by a classifier that is trained once, and is the same each time', async () => {
    const file = join(folder, 'classifiers', readdirSync(join(folder, 'classifiers'))[0] ?? '', 'classifier.json');
    const before = statSync(file).mtimeMs;
    using again = await openReference(request());
    expect(statSync(file).mtimeMs).toBe(before);
    expect(measure(subject(flat), again.reference, 1).measures).toEqual(measured(flat));
  });

  it('cannot be measured where no label has enough works', async () => {
    const { path, sha256 } = await tinyPack(join(folder, 'few'), 12);
    using few = PackReader.open(path);
    await expect(openReference({ ...request(), pack: few, packSha256: sha256 })).rejects.toMatchObject({
      code: 'NO_LABELS',
    });
  });
});
