/**
 * The engine child: `main.js trainer` runs one training job, `main.js generator` paints and judges what it is asked for. It talks over
 * IPC alone, knows no database and no HTTP, may be killed at any time, and leaves when its parent has gone.
 */
import { AppError, isDiskFull, unreachable } from '../../core/errors.ts';
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
import { ModelCache } from './model-cache.ts';
import { adoptModel, exportModel } from './model-files.ts';
import { classified, paintAll } from './painting.ts';
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
  process.on('SIGTERM', leave);
  // One after another, and each answer is out before the next begins: what is still in this process then would wait for
  // the whole of the next painting, in which nothing else moves here.
  let work = Promise.resolve();
  process.on('message', (raw) => {
    const request = parseToGenerator(raw);
    work = work.then(() => send(answerOrRefuse(models, request)));
  });
}

function answerOrRefuse(models: ModelCache, request: ToGenerator): FromGenerator {
  try {
    return answer(models, request);
  } catch (error) {
    const code = error instanceof AppError ? error.code : null;
    return { type: 'refused', id: request.id, code, message: messageOf(error) };
  }
}

function answer(models: ModelCache, request: ToGenerator): FromGenerator {
  switch (request.type) {
    case 'paint': {
      const model = models.get(request.modelDir);
      const { resolution } = model.card.config;
      const pixels = paintAll(model, request.pictures);
      return { type: 'painted', id: request.id, width: resolution, height: resolution, pixels };
    }
    case 'classify':
      return { type: 'classified', id: request.id, kinds: classified(models.get(request.modelDir), request.pixels) };
    case 'export':
      exportModel(request.modelDir, request.format, request.into);
      return { type: 'written', id: request.id };
    case 'adopt':
      adoptModel(request.from, request.into);
      return { type: 'written', id: request.id };
    default:
      return unreachable(request);
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
