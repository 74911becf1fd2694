/**
 * The engine child: `main.js trainer` runs one training job, `main.js generator` paints what it is asked for. It talks over
 * IPC alone, knows no database and no HTTP, may be killed at any time, and leaves when its parent has gone.
 */
import { unreachable } from '../../core/errors.ts';
import { parseToGenerator, parseToTrainer } from '../parse.ts';
import {
  type FromGenerator,
  type FromTrainer,
  PROTOCOL_VERSION,
  type StopReason,
  type ToGenerator,
  type TrainJob,
} from '../protocol.ts';
import { device } from '../tensorflow.ts';
import { ModelCache } from './model-cache.ts';
import { latentOf } from './paint.ts';
import { train } from './train.ts';

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
  const wishes = { stop: () => wish };
  const onTermination = () => {
    wish ??= 'shutdown';
  };
  process.on('SIGTERM', onTermination);
  process.on('message', (raw) => {
    const message = parseToTrainer(raw);
    switch (message.type) {
      case 'train':
        void runJob(message.job, wishes);
        break;
      case 'stop':
        wish ??= message.why;
        break;
      default:
        unreachable(message);
    }
  });
}

async function runJob(job: TrainJob, wishes: { stop(): StopReason | undefined }): Promise<void> {
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
  process.on('message', (raw) => {
    const request = parseToGenerator(raw);
    try {
      void send(painted(models, request));
    } catch (error) {
      void send({ type: 'refused', id: request.id, message: messageOf(error) });
    }
  });
}

function painted(models: ModelCache, { id, modelDir, pictures }: ToGenerator): FromGenerator {
  const { painter, card, indicesOf } = models.get(modelDir);
  const { latentSize, resolution } = card.config;
  const asked = pictures.map(({ conditions }) => indicesOf(conditions));
  const labels = (asked[0] ?? []).map((_head, i) => Int32Array.from(asked, (indices) => indices[i] ?? -1));
  const latents = new Float32Array(pictures.length * latentSize);
  pictures.forEach(({ seed, truncation }, i) => {
    latents.set(latentOf(seed, truncation, latentSize), i * latentSize);
  });
  const pixels = painter.paint({ latents, labels });
  return { type: 'painted', id, width: resolution, height: resolution, pixels };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const isDiskFull = (error: unknown) =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');

// Ctrl-C reaches the whole group: the parent decides what becomes of its children.
process.on('SIGINT', () => {});
process.on('disconnect', leave);
// Between two steps, and while files are read.
setInterval(() => void send({ type: 'alive' }), ALIVE_EVERY_MS);
if (process.argv[2] === 'trainer') runTrainer();
else runGenerator();
await send({ type: 'hello', version: PROTOCOL_VERSION, device: device() });
