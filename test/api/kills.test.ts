/**
 * A run on the real engine in a real server, killed again and again (kill -9 of the trainer, of the server, of both, also
 * while a checkpoint is being written), against one that was left alone.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { uniform } from '../../src/core/seeds.ts';
import { tinyRun, writeColours } from '../helpers/api.ts';
import { type TestDatabase, testDatabase } from '../helpers/database.ts';
import { events } from '../helpers/follow.ts';
import { ask, Processes, ready, type Server } from '../helpers/process.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** Four of each kind, one of them while a checkpoint is written. */
const KILLS = 12;
/** So many that the last kill comes before the end. */
const STEPS = 600;
const SLOW = 120_000;
const input = {
  ...tinyRun,
  steps: STEPS,
  config: { ...tinyRun.config, metricsEvery: 1, sampleEvery: 50, checkpointEvery: 10, keepCheckpoints: 2 },
};

const processes = new Processes();
afterEach(() => processes.kill());

interface Event {
  readonly seq: number;
  readonly __typename: string;
  readonly step?: number;
  readonly dLoss?: number;
  readonly gLoss?: number;
  readonly status?: string;
}

/** A server on one data folder, as whoever started it sees it. */
class Site {
  readonly #database: TestDatabase;
  #server: Server | undefined;
  url = '';

  constructor(database: TestDatabase) {
    this.#database = database;
  }

  async up(): Promise<void> {
    this.#server = processes.start(this.#database);
    this.url = await ready(this.#server);
  }

  get trainer(): number | undefined {
    const children = childrenOf(this.#server?.child.pid ?? 0);
    return children.find(({ command }) => command.includes('main.js trainer'))?.pid;
  }

  kill(): void {
    this.#server?.child.kill('SIGKILL');
  }

  get checkpoints(): string {
    return join(this.#database.options.dataDir, 'runs');
  }

  async start(): Promise<string> {
    const folder = join(this.#database.options.dataDir, 'collections', 'colours');
    await mkdir(folder, { recursive: true });
    await writeColours(folder, 12);
    await ask(this.url, 'import-dataset', { name: 'Colours', path: folder, layout: 'MANIFEST' });
    const { data } = await ask(this.url, 'start-training', { input });
    return data.startTraining.run.id;
  }

  async run(
    id: string,
  ): Promise<{ step: number; status: string; error: string | null; checkpoints: { step: number; sha256: string }[] }> {
    return (await ask(this.url, 'training-run', { id })).data.trainingRun;
  }

  async whenCompleted(id: string): Promise<string> {
    const done = await waitFor(async () => {
      const run = await this.run(id);
      if (run.status === 'FAILED') throw new Error(run.error ?? '');
      return run.status === 'COMPLETED' && run;
    }, SLOW);
    return done.checkpoints.find(({ step }) => step === STEPS)?.sha256 ?? 'none';
  }

  async log(id: string): Promise<Event[]> {
    return events(this.url, id);
  }
}

function childrenOf(parent: number): { pid: number; command: string }[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, ppid, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(ppid) === parent ? [{ pid: Number(pid), command }] : [];
  });
}

/** Waits for a half-written checkpoint, whatever run it is of. */
async function inCheckpoint(runs: string): Promise<boolean> {
  const end = performance.now() + 5_000;
  while (performance.now() < end) {
    for (const run of await readdir(runs)) {
      const names = await readdir(join(runs, run, 'checkpoints')).catch(() => []);
      if (names.some((name) => name.startsWith('.step-'))) return true;
    }
  }
  return false;
}

describe('a run that is killed twelve times', () => {
  it('ends with the weights and the losses of one that was left alone', { timeout: 600_000 }, async () => {
    await using quiet = await testDatabase();
    const left = new Site(quiet);
    await left.up();
    const alone = await left.start();
    const expected = await left.whenCompleted(alone);
    const ofMetrics = (event: Event) => event.__typename === 'TrainingMetrics';
    const reference = new Map((await left.log(alone)).filter(ofMetrics).map((event) => [event.step, event]));
    left.kill();

    await using database = await testDatabase();
    const site = new Site(database);
    await site.up();
    const run = await site.start();
    const chances = uniform(1, 'shuffle', 0, KILLS);
    let inside = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const { step: before } = await site.run(run);
      await waitFor(async () => (await site.run(run)).step > before && site.trainer !== undefined, SLOW);
      if (kill % 4 === 3) inside += Number(await inCheckpoint(site.checkpoints));
      else await delay(600 * (chances[kill] ?? 0));
      const { trainer } = site;
      const what = ['child', 'server', 'both'][kill % 3];
      if (what !== 'child') site.kill();
      if (what !== 'server' && trainer !== undefined) process.kill(trainer, 'SIGKILL');
      if (what !== 'child') await site.up();
    }
    expect(inside).toBeGreaterThan(0);
    expect((await site.run(run)).step).toBeLessThan(STEPS);
    expect(await site.whenCompleted(run)).toBe(expected);

    const told = await site.log(run);
    expect(told.map(({ seq }) => seq)).toEqual(told.map((_, i) => i + 1));
    const metrics = told.filter(ofMetrics);
    expect(metrics.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
    for (const { step, dLoss, gLoss } of metrics)
      expect({ dLoss, gLoss }).toEqual({ dLoss: reference.get(step)?.dLoss, gLoss: reference.get(step)?.gLoss });
    const samples = told.filter(({ __typename }) => __typename === 'TrainingSample');
    expect(samples.map(({ step }) => step)).toEqual(Array.from({ length: STEPS / 50 }, (_, i) => (i + 1) * 50));
  });
});
