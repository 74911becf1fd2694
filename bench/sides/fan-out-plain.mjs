// The usual way: graphql-ws and graphql-js, each watcher with an iterator, an execution and a serialisation of its own.
import { createServer } from 'node:http';
import { buildSchema } from 'graphql';
import { useServer as speakGraphql } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { serve, use } from '../child.mjs';
import { metricsAt, writeEvents } from './watched-run.mjs';

const schema = buildSchema(`
  interface TrainingEvent { seq: Int! at: String! }
  type TrainingMetrics implements TrainingEvent {
    seq: Int! at: String! step: Int!
    dLoss: Float! gLoss: Float! l2Loss: Float imagesPerSecond: Float! etaSeconds: Float
  }
  type Query { ok: Boolean }
  type Subscription { trainingProgress(run: ID!, after: Int): TrainingEvent! }
`);
/** An iterator for each watcher with a queue of its own, as every PubSub has it, and no more than that. */
class Queue {
  /** @type {object[]} */
  #events = [];
  /** @type {((result: IteratorResult<object>) => void) | undefined} */
  #asked;

  /** @param {object} event */
  push(event) {
    if (this.#asked === undefined) this.#events.push(event);
    else this.#asked({ done: false, value: event });
    this.#asked = undefined;
  }

  /** @returns {Promise<IteratorResult<object>>} */
  next() {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    return new Promise((resolve) => {
      this.#asked = resolve;
    });
  }

  /** @returns {Promise<IteratorResult<object>>} */
  return() {
    queues.delete(this);
    this.#asked?.({ done: true, value: undefined });
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

/** @type {Set<Queue>} */
const queues = new Set();
const roots = {
  subscription: {
    trainingProgress: () => {
      const queue = new Queue();
      queues.add(queue);
      return queue;
    },
  },
};
const http = createServer();
speakGraphql({ schema, roots }, new WebSocketServer({ server: http, path: '/graphql' }));
await new Promise((resolve) => http.listen(0, '127.0.0.1', () => resolve(undefined)));
const address = http.address();
const port = address !== null && typeof address === 'object' ? address.port : 0;

let seq = 0;
function write() {
  seq += 1;
  const { type: _type, ...metrics } = metricsAt(seq);
  const event = { __typename: 'TrainingMetrics', seq, at: new Date().toISOString(), ...metrics };
  for (const queue of queues) queue.push({ trainingProgress: event });
}

serve({
  where: () => ({ url: `http://127.0.0.1:${port}`, run: 'run' }),
  lastSeq: () => seq,
  write: (pace) => writeEvents(pace, write),
  use,
});
