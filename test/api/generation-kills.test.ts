/** A job whose server is killed again and again (kill -9, at any moment): every picture is there, once, as it should be. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { uniform } from '../../src/core/seeds.ts';
import { testDatabase } from '../helpers/database.ts';
import { ask, Processes, ready } from '../helpers/process.ts';
import { unzip } from '../helpers/unzip.ts';
import { waitFor } from '../helpers/wait-for.ts';

const KILLS = 3;
const PICTURES = 3_000;
const SLOW = 240_000;

const processes = new Processes();
afterEach(() => processes.kill());

it(
  'has every picture exactly once after three kills',
  async () => {
    await using database = await testDatabase();
    const up = async () => {
      const server = processes.start(database);
      return { server, url: await ready(server) };
    };
    let { server, url } = await up();
    const input = { label: 'Ukiyo-e', n: PICTURES, seed: 1, idempotencyKey: 'once' };
    const { data } = await ask(url, 'create-generation', { input });
    const { id } = data.createGeneration.generation;
    const job = async () => (await ask(url, 'generation', { id, first: 1 })).data.generation;
    const moments = uniform(1, 'crop', 0, KILLS);
    for (let kill = 1; kill <= KILLS; kill++) {
      const goal = Math.floor((PICTURES * kill) / (KILLS + 1));
      await waitFor(async () => (await job()).done >= goal, SLOW);
      await delay(300 * (moments[kill - 1] ?? 0));
      server.child.kill('SIGKILL');
      await server.ended;
      ({ server, url } = await up());
      // Sent again by a client that does not know whether it was heard.
      const again = await ask(url, 'create-generation', { input });
      expect(again.data.createGeneration.generation.id).toBe(id);
    }
    await waitFor(async () => (await job()).status === 'COMPLETED', SLOW);

    const files = await unzip(Buffer.from(await (await fetch((await job()).zipUrl)).arrayBuffer()));
    const lines = String(files.get('manifest.jsonl'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ seed }) => seed)).toEqual(Array.from({ length: PICTURES }, (_, i) => 1 + i));
    expect(files.size).toBe(PICTURES + 2);
    for (const { file, sha256 } of lines)
      expect(
        createHash('sha256')
          .update(files.get(file) ?? '')
          .digest('hex'),
      ).toBe(sha256);
    const { data: alone } = await ask(url, 'generate', { label: 'Ukiyo-e', n: 1, seed: 2_000 });
    expect(lines[1_999].sha256).toBe(alone.generate[0].sha256);
  },
  SLOW,
);
