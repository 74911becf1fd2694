/** The server as a program: what it prints, how it ends, and what it refuses to start with. Runs what `npm start` runs. */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { tinyRun, writeColours } from '../helpers/api.ts';
import { type TestDatabase, testDatabase } from '../helpers/database.ts';
import { events } from '../helpers/follow.ts';
import { ask, Processes, ready } from '../helpers/process.ts';

const running = new Processes();
afterEach(() => running.kill());
const start = (database: TestDatabase, settings: Record<string, string> = {}) => running.start(database, settings);

const follow = async (url: string, run: string, enough: (event: { step?: number }) => boolean) =>
  (await events<{ seq: number; step?: number }>(url, run, enough)).map(({ seq }) => seq);

describe('the program', () => {
  it('ends within ten seconds on SIGTERM while it trains, and the next one trains on', async () => {
    await using database = await testDatabase();
    const folder = join(database.options.dataDir, 'collections', 'colours');
    await mkdir(folder, { recursive: true });
    await writeColours(folder, 12);

    const first = start(database);
    const url = await ready(first);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await ask(url, 'import-dataset', { name: 'Colours', path: folder, layout: 'MANIFEST' });
    // Long enough to be interrupted, short enough to be waited for.
    const input = {
      ...tinyRun,
      steps: 100,
      config: { ...tinyRun.config, metricsEvery: 10, sampleEvery: 100, checkpointEvery: 100 },
    };
    const { data } = await ask(url, 'start-training', { input });
    const run = data.startTraining.run.id;
    await follow(url, run, ({ step }) => step === 10);
    const asked = performance.now();
    first.child.kill('SIGTERM');
    expect([await first.ended, first.output().split('"level":50')[1]]).toEqual([0, undefined]);
    expect(performance.now() - asked).toBeLessThan(10_000);

    const second = start(database);
    const again = await ready(second);
    const seqs = await follow(again, run, () => false);
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
    expect((await ask(again, 'training-run', { id: run })).data.trainingRun).toMatchObject({
      status: 'COMPLETED',
      step: 100,
    });
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(0);
  });

  it('says what is wrong with its settings, all at once', async () => {
    await using database = await testDatabase();
    const { ended, output } = start(database, { PORT: 'http', DEVICE: 'tpu' });
    expect(await ended).toBe(1);
    expect(output()).toMatch(/^artgan cannot run: PORT must be/m);
    expect(output()).toMatch(/DEVICE must be one of auto, gpu, cpu/);
  });

  it('does not start on a port that is taken', async () => {
    await using database = await testDatabase();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const { ended, output } = start(database, { PORT: port });
    expect(await ended).toBe(1);
    expect(output()).toContain(`port ${port}: another program uses it`);
    other.close();
  });

  it('does not share the folder of an embedded database', async () => {
    await using database = await testDatabase();
    const owner = start(database);
    await ready(owner);
    const second = start(database);
    if (database.kind === 'postgres') return void (await ready(second));
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain(String(owner.child.pid));
  });
});
