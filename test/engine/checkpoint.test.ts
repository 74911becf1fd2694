import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../src/core/errors.ts';
import { PRESETS, type TrainConfig } from '../../src/core/presets.ts';
import {
  type CardDraft,
  loadCheckpoint,
  removeDrafts,
  saveCheckpoint,
  stateIn,
} from '../../src/engine/child/checkpoint.ts';
import { writeFolder } from '../../src/engine/child/durable.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/engine/child/safetensors.ts';
import { architectureOf } from '../../src/engine/gan/architecture.ts';
import { Trainer } from '../../src/engine/gan/trainer.ts';
import { Weights } from '../../src/engine/gan/weights.ts';
import { randomBatch } from '../helpers/engine.ts';

const config: TrainConfig = {
  ...PRESETS.studio.config,
  preset: 'studio',
  resolution: 32,
  labelKinds: ['style'],
  width: 2,
  latentSize: 4,
  batchSize: 4,
};
const net = architectureOf(config, { artist: 0, style: 2, genre: 0 });
const TOTAL = 10;
const label = (slug: string) => ({ slug, name: slug, count: 9 });
const draft = (step: number): CardDraft => ({
  format: 1,
  name: 'A run',
  config,
  labels: { artist: [], style: [label('red'), label('blue')], genre: [] },
  provenance: { seed: 1, step, totalSteps: TOTAL, datasetSha256: '', checkpointSha256: '', device: 'CPU' },
});
/** A state of a few numbers: small enough to try every byte of its checkpoint. */
function fewNumbers() {
  const one = (name: string) =>
    new Weights([{ name, shape: [3], init: { constant: 1 }, trainable: true }], () => Float32Array.of(1, -2, 3));
  const state = { weights: one('generator.a'), average: one('generator.a'), slots: one('adam.m/generator.a') };
  return { state, restore: () => undefined };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'artgan-checkpoint-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('safetensors', () => {
  const tensors = new Map([
    ['b', { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }],
    ['a', { shape: [], values: Float32Array.of(-0.5) }],
  ]);

  it('comes back as it was written', () => {
    const { tensors: back, metadata } = decodeSafetensors(encodeSafetensors(tensors, { step: '7' }));
    expect(metadata).toEqual({ step: '7' });
    expect(back.get('b')).toEqual(tensors.get('b'));
    expect(back.get('a')).toEqual(tensors.get('a'));
  });

  it('gives the same bytes whatever the order of the tensors', () => {
    expect(encodeSafetensors(new Map([...tensors].reverse()))).toEqual(encodeSafetensors(tensors));
  });

  it('has the layout that other readers of the format expect', () => {
    const bytes = encodeSafetensors(tensors);
    const length = Number(bytes.readBigUInt64LE(0));
    const header: unknown = JSON.parse(bytes.toString('utf8', 8, 8 + length));
    expect(length % 8).toBe(0);
    expect(header).toEqual({
      __metadata__: {},
      a: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
      b: { dtype: 'F32', shape: [2, 2], data_offsets: [4, 20] },
    });
    expect(bytes.readFloatLE(8 + length)).toBe(-0.5);
  });

  it('refuses every truncation', () => {
    const whole = encodeSafetensors(tensors);
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeSafetensors(whole.subarray(0, length)), `${length} bytes`).toThrow('safetensors');
    }
  });
});

describe('a checkpoint', () => {
  it('goes on exactly: saved after step 2, its step 3 and 4 equal those of a run that was left alone', async () => {
    using alone = new Trainer(net, config, 1);
    const saved = [];
    for (let step = 1; step <= 4; step++) {
      alone.step(step, randomBatch(net, config, step), TOTAL);
      if (step === 2) saved.push(await saveCheckpoint(join(folder, 'exact'), alone, draft(step)));
    }
    using resumed = new Trainer(net, config, 1);
    expect(loadCheckpoint(saved[0]?.dir ?? '', resumed)).toEqual({ step: 2, sha256: saved[0]?.sha256 });
    for (let step = 3; step <= 4; step++) resumed.step(step, randomBatch(net, config, step), TOTAL);
    const [a, b] = [
      await saveCheckpoint(join(folder, 'a'), alone, draft(4)),
      await saveCheckpoint(join(folder, 'b'), resumed, draft(4)),
    ];
    expect(b.sha256).toBe(a.sha256);
  });

  it('is noticed as damaged wherever a bit differs, and wherever it ends too soon', async () => {
    const trainer = fewNumbers();
    const { dir } = await saveCheckpoint(join(folder, 'damage'), trainer, draft(7));
    let tried = 0;
    for (const name of readdirSync(dir)) {
      const path = join(dir, name);
      const whole = readFileSync(path);
      const isNoticed = (bytes: Uint8Array, what: string) => {
        writeFileSync(path, bytes);
        expect(() => loadCheckpoint(dir, trainer), `${name}: ${what}`).toThrow(AppError);
        tried++;
      };
      for (let at = 0; at < whole.length; at++) {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
        isNoticed(bytes, `a bit of byte ${at}`);
        isNoticed(whole.subarray(0, at), `${at} bytes`);
      }
      isNoticed(Buffer.concat([whole, Buffer.of(32)]), 'one byte more');
      writeFileSync(path, whole);
    }
    expect(tried).toBeGreaterThan(2_000);
    expect(loadCheckpoint(dir, trainer).step).toBe(7);
  });

  it('without a card, of an older version, is still read', async () => {
    const trainer = fewNumbers();
    const { dir, step, sha256, bytes } = await saveCheckpoint(join(folder, 'older'), trainer, draft(7));
    writeFileSync(join(dir, 'manifest.json'), `${JSON.stringify({ format: 1, step, sha256, bytes })}\n`);
    expect(loadCheckpoint(dir, trainer).step).toBe(7);
    expect(() => stateIn(dir)).toThrow('older version');
  });

  it('of other networks is refused before anything is changed', async () => {
    using trainer = new Trainer(net, config, 1);
    const { dir } = await saveCheckpoint(join(folder, 'other'), trainer, draft(1));
    const wider = { ...config, width: 3 };
    using other = new Trainer(architectureOf(wider, { artist: 0, style: 2, genre: 0 }), wider, 1);
    const before = await other.state.weights.read();
    expect(() => loadCheckpoint(dir, other)).toThrow('should have the shape');
    expect(await other.state.weights.read()).toEqual(before);
  });
});

describe('a folder is written whole or not at all', () => {
  it('leaves the old one and no draft where writing fails', () => {
    const parent = join(folder, 'atomic');
    writeFolder(join(parent, 'step-1'), new Map([['a', Buffer.from('old')]]));
    expect(() => writeFolder(join(parent, 'step-1'), new Map([['no/such/folder', Buffer.from('new')]]))).toThrow();
    expect(readdirSync(parent)).toEqual(['step-1']);
    expect(readFileSync(join(parent, 'step-1', 'a'), 'utf8')).toBe('old');
  });

  it('drafts of a killed writer are cleared away', () => {
    const parent = join(folder, 'drafts');
    writeFolder(join(parent, 'step-1'), new Map([['a', Buffer.from('whole')]]));
    writeFolder(join(parent, '.step-2.killed'), new Map([['a', Buffer.from('half')]]));
    removeDrafts(parent);
    expect(readdirSync(parent)).toEqual(['step-1']);
  });
});
