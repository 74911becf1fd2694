import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelCard } from '../../src/core/model-card.ts';
import { TrainerChild } from '../../src/engine/host/trainer.ts';
import type { FromTrainer, TrainJob } from '../../src/engine/protocol.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { SCRIPTED, scriptedJob, temporaryFolder } from '../helpers/scripted.ts';

function start(job: TrainJob, heartbeatTimeoutMs = 10_000, log = recordingLog()): TrainerChild {
  return TrainerChild.start(job, { device: 'cpu', heartbeatTimeoutMs, log, program: SCRIPTED });
}

/** Its messages as `type step`, and how it ended. */
async function story(trainer: TrainerChild, heard: (message: FromTrainer) => void = () => {}) {
  const lines: string[] = [];
  try {
    for await (const message of trainer) {
      heard(message);
      const detail = message.type === 'ended' ? ` ${message.reason}` : '';
      lines.push('step' in message ? `${message.type} ${message.step}${detail}` : message.type);
    }
    return { lines, error: undefined };
  } catch (error) {
    return { lines, error };
  } finally {
    await trainer[Symbol.asyncDispose]();
  }
}

const alive = (pid: number | undefined) => {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('TrainerChild', () => {
  it('tells the whole training in order, and its output goes to the log', async () => {
    await using folder = await temporaryFolder();
    const log = recordingLog();
    const job = await scriptedJob(folder.path, 'plain');
    const trainer = start(job, 10_000, log);
    const { pid } = trainer;
    const { lines, error } = await story(trainer);
    expect(error).toBeUndefined();
    expect(lines).toEqual([
      ...['hello', 'started 0', 'metrics 5', 'metrics 10', 'sample 10', 'checkpoint 10'],
      ...['metrics 15', 'metrics 20', 'sample 20', 'checkpoint 20', 'ended 20 finished'],
    ]);
    expect(alive(pid)).toBe(false);
    expect(log.lines.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['scripted child, stdout', 'scripted trainer on cpu']),
    );
    const card = modelCard.parse(JSON.parse(await readFile(join(job.modelDir, 'model.json'), 'utf8')));
    expect(card.provenance).toMatchObject({ seed: 7, step: 20 });
  });

  it.each(['pause', 'cancel', 'shutdown'] as const)('leaves after the current step on %s', async (why) => {
    await using folder = await temporaryFolder();
    const trainer = start(await scriptedJob(folder.path, 'pace:2', 100_000));
    const { lines } = await story(trainer, ({ type }) => {
      if (type === 'metrics') trainer.stop(why);
    });
    expect(lines.at(-1)).toMatch(new RegExp(`^ended \\d+ ${why}$`));
    expect(lines.some((line) => line.startsWith('checkpoint'))).toBe(why !== 'cancel');
  });

  it('goes on from the first checkpoint that is whole', async () => {
    await using folder = await temporaryFolder();
    const job = await scriptedJob(folder.path, 'plain');
    const folders = ['damaged', 'good'].map((name) => join(folder.path, name));
    for (const [i, dir] of folders.entries()) {
      await mkdir(dir);
      await writeFile(join(dir, 'state.json'), i === 0 ? '{"st' : '{"step":10}');
    }
    const starts: unknown[] = [];
    const { lines } = await story(start({ ...job, resumeFrom: folders }), (message) => {
      if (message.type === 'started') starts.push(message);
    });
    expect(starts).toEqual([{ type: 'started', step: 10, damaged: folders.slice(0, 1) }]);
    expect(lines[2]).toBe('metrics 15');
  });

  it.each([
    ['crash:12', 'exit', 'The trainer process exited with code 3. Its last words: scripted trainer on cpu'],
    ['killed:12', 'exit', 'The trainer process was killed by SIGKILL.'],
    ['garbage:12', 'garbage', 'The trainer process sent a message that is not of the protocol'],
    ['silent:12', 'silence', 'The trainer process said nothing for 1 s.'],
  ])('ends %s with all messages before it and then the reason', async (name, how, message) => {
    await using folder = await temporaryFolder();
    const trainer = start(await scriptedJob(folder.path, name), 1_000);
    const { pid } = trainer;
    const { lines, error } = await story(trainer);
    expect(lines.at(-1)).toBe('checkpoint 10');
    expect(error).toMatchObject({ name: 'EngineDied', how });
    expect(String(error)).toContain(message);
    expect(alive(pid)).toBe(false);
  });

  it('ends a child that does not listen, with the reason given', async () => {
    await using folder = await temporaryFolder();
    const trainer = start(await scriptedJob(folder.path, 'deaf pace:2', 100_000));
    const { error } = await story(trainer, ({ type }) => {
      if (type === 'checkpoint') trainer.kill('It did not stop in time.');
    });
    expect(error).toMatchObject({ how: 'killed' });
    expect(String(error)).toContain('It did not stop in time.');
  });

  it('reports a program that is not there', async () => {
    await using folder = await temporaryFolder();
    const job = await scriptedJob(folder.path, 'plain');
    const program = join(folder.path, 'no-such-program.mjs');
    const trainer = TrainerChild.start(job, {
      device: 'cpu',
      heartbeatTimeoutMs: 10_000,
      log: recordingLog(),
      program,
    });
    const { error } = await story(trainer);
    expect(String(error)).toContain('The trainer process exited with code 1');
    expect(String(error)).toContain('no-such-program.mjs');
  });
});
