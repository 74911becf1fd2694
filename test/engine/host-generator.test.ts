import { getEventListeners } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plainLatent } from '../../src/core/latents.ts';
import { plainMix } from '../../src/core/mix.ts';
import { Generator } from '../../src/engine/host/generator.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { SCRIPTED, temporaryFolder } from '../helpers/scripted.ts';
import { waitFor } from '../helpers/wait-for.ts';

function start(heartbeatTimeoutMs = 10_000): Generator {
  return Generator.start({ device: 'cpu', heartbeatTimeoutMs, log: recordingLog(), program: SCRIPTED });
}

/** A model's folder whose faults are `script`; see the fixture. */
async function model(folder: string, script: string): Promise<string> {
  const dir = join(folder, script.replace(':', '-') || 'plain');
  await mkdir(dir);
  await writeFile(join(dir, 'script.txt'), script);
  return dir;
}
const picture = (seed: number) => ({
  mix: plainMix({ style: 'ukiyo-e' }),
  latent: plainLatent(seed),
  truncation: 1,
});

describe('Generator', () => {
  it('paints before and after the child is there, one picture after another', async () => {
    await using folder = await temporaryFolder();
    await using generator = start();
    const dir = await model(folder.path, '');
    const both = await generator.paint(dir, [picture(1), picture(2)]);
    expect(both).toMatchObject({ width: 8, height: 8 });
    expect(both.pixels).toHaveLength(2 * 8 * 8 * 3);
    expect(generator).toMatchObject({ ready: true, device: 'CPU' });
    const alone = await generator.paint(dir, [picture(2)]);
    expect(alone.pixels).toEqual(both.pixels.slice(8 * 8 * 3));
  });

  it('asks a new child once more where the first one died', async () => {
    await using folder = await temporaryFolder();
    await using generator = start();
    const painting = await generator.paint(await model(folder.path, 'die-once'), [picture(1)]);
    expect(painting.pixels).toHaveLength(192);
  });

  it.each(['die', 'garbage', 'short'])('refuses as unavailable after two deaths (%s), and recovers', async (script) => {
    await using folder = await temporaryFolder();
    await using generator = start();
    await expect(generator.paint(await model(folder.path, script), [picture(1)])).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      retryable: true,
    });
    expect((await generator.paint(await model(folder.path, ''), [picture(1)])).pixels).toHaveLength(192);
  });

  it('tells a refusal of the engine as it is', async () => {
    await using folder = await temporaryFolder();
    await using generator = start();
    await expect(generator.paint(await model(folder.path, 'refuse'), [picture(1)])).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      retryable: false,
      message: 'The engine could not do it: scripted refusal',
    });
  });

  it('starts another child when one is killed while nobody waits', async () => {
    await using generator = start();
    const first = await waitFor(() => generator.ready && generator.pid);
    process.kill(first, 'SIGKILL');
    const second = await waitFor(() => generator.ready && generator.pid !== first && generator.pid);
    expect(second).not.toBe(first);
  });

  it('lets an aborted caller go at once, and takes its listener away', async () => {
    await using folder = await temporaryFolder();
    await using generator = start();
    const dir = await model(folder.path, 'slow:60000');
    const aborting = new AbortController();
    const waiting = generator.paint(dir, [picture(1)], { signal: aborting.signal });
    await waitFor(() => generator.ready);
    aborting.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    expect(getEventListeners(aborting.signal, 'abort')).toHaveLength(0);
  });

  it('lets all who wait go when it is closed, and leaves no child', async () => {
    await using folder = await temporaryFolder();
    const generator = start();
    const waiting = generator.paint(await model(folder.path, 'slow:60000'), [picture(1)]);
    const refused = expect(waiting).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    const pid = await waitFor(() => generator.ready && generator.pid);
    await generator[Symbol.asyncDispose]();
    await refused;
    expect(() => process.kill(pid, 0)).toThrow();
    await expect(generator.paint('x', [picture(1)])).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  });
});
