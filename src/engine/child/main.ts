/**
 * The engine child: `main.js trainer` runs one training job, `main.js generator` paints and judges what it is asked
 * for. It talks over IPC alone, knows no database and no HTTP, may be killed at any time, and leaves when its parent
 * has gone.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDiskFull, unreachable } from '../../core/errors.ts';
import { parseToGenerator, parseToTrainer } from '../parse.ts';
import {
  type FromGenerator,
  type FromTrainer,
  PROTOCOL_VERSION,
  type StopReason,
  type ToGenerator,
  type TrainJob,
} from '../protocol.ts';
import { device, tf } from '../tensorflow.ts';
import { answersTo, takeNext } from './answers.ts';
import { ModelCache } from './model-cache.ts';
import { PAINTED_AT_ONCE } from './paint.ts';
import { train, type Wishes } from './train.ts';

const ALIVE_EVERY_MS = 1_000;

/** Resolves when the message has left: the loop never runs ahead of a parent that does not listen. */
function send(message: FromTrainer | FromGenerator): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) leave();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

function leave(): never {
  process.exit(0);
}

function runTrainer(): void {
  let wish: StopReason | undefined;
  const asked = new AbortController();
  const wishes = { stop: () => wish, signal: asked.signal };
  const stop = (why: StopReason) => {
    wish ??= why;
    asked.abort();
  };
  process.on('SIGTERM', () => stop('shutdown'));
  process.on('message', (raw) => {
    const message = parseToTrainer(raw);
    switch (message.type) {
      case 'train':
        void runJob(message.job, wishes);
        break;
      case 'stop':
        stop(message.why);
        break;
      default:
        unreachable(message);
    }
  });
}

async function runJob(job: TrainJob, wishes: Wishes): Promise<void> {
  try {
    for await (const event of train(job, wishes)) await send(event);
  } catch (error) {
    await send({
      type: 'ended',
      step: 0,
      reason: isDiskFull(error) ? 'disk-full' : 'failed',
      message: messageOf(error),
    });
  }
  process.disconnect();
}

function runGenerator(): void {
  const models = new ModelCache();
  const line: ToGenerator[] = [];
  process.on('SIGTERM', leave);
  let isAtWork = false;
  process.on('message', (raw) => {
    line.push(parseToGenerator(raw));
    if (isAtWork) return;
    isAtWork = true;
    void answerAll(line, models).finally(() => {
      isAtWork = false;
    });
  });
}

/** Until the line is empty. */
async function answerAll(line: ToGenerator[], models: ModelCache): Promise<void> {
  while (line.length > 0) {
    // What came during the painting before is read now, and may be painted with what has waited already.
    await nextTurn();
    // Each answer is out before the next painting begins, in which nothing else moves here.
    for (const answer of answersTo(takeNext(line, PAINTED_AT_ONCE), models)) await send(answer);
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

// Ctrl-C reaches the whole group: the parent decides what becomes of its children.
process.on('SIGINT', () => {});
process.on('disconnect', leave);
// Between two steps, and while files are read.
setInterval(() => {
  const { numTensors: tensors } = tf.memory();
  void send({ type: 'alive', rss: process.memoryUsage.rss(), tensors });
}, ALIVE_EVERY_MS);
if (process.argv[2] === 'trainer') runTrainer();
else runGenerator();
await send({ type: 'hello', version: PROTOCOL_VERSION, device: device() });
