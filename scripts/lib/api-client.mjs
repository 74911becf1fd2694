// A thin client of the API for the terminal commands: GraphQL over HTTP, a run's events over graphql-ws. The operations
// are those of schema/operations/, so what the commands do anyone can do.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stop } from './errors.mjs';
import { root } from './paths.mjs';
import { setting } from './settings.mjs';

/** An idle connection is asked for a sign of life this often, and given up when none comes. */
const PING_MS = 10_000;
const PONG_MS = 5_000;
/** Between two attempts to reach a server that has gone: twice as long each time. */
const LEAST_WAIT_MS = 250;
const MOST_WAIT_MS = 5_000;
/** A server that was restarted is back by then; the run itself goes on in any case. */
const PATIENCE_MS = 120_000;
/** Reasons that say no more than that nobody is there. */
const NOT_THERE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ETIMEDOUT']);

/**
 * @typedef {{ message: string, code: string, path?: readonly string[] | null }} UserError
 * @typedef {{ message: string, extensions?: { code?: string } }} GraphqlError
 */

/** Where a server of this project listens with the settings that there are. */
export function defaultUrl() {
  const host = setting('HOST', '127.0.0.1');
  const place = ['0.0.0.0', '::', ''].includes(host) ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${place}:${setting('PORT', '4000')}`;
}

/** @param {string} text  as the user gave it @returns {URL} of the GraphQL endpoint */
function endpointOf(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new Stop(`--url must start with http:// or https://, e.g. ${defaultUrl()}, not "${text}".`);
  }
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith('/graphql') ? path : `${path}/graphql`;
  return url;
}

/**
 * A package of the project, which is there once it has been set up.
 * @template T
 * @param {() => Promise<T>} load
 */
export async function packaged(load) {
  try {
    return await load();
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Stop('The npm packages are not installed yet: run npm start (or npm run setup) first.');
  }
}

export class ApiClient {
  /** @param {string} url  of the server, e.g. http://127.0.0.1:4000 */
  constructor(url) {
    this.endpoint = endpointOf(url);
  }

  /**
   * Runs an operation of schema/operations.
   * @param {string} name  of its file
   * @param {Record<string, unknown>} variables
   * @returns {Promise<any>} its data
   * @throws {Stop} where the server cannot be reached or refuses
   */
  async run(name, variables) {
    const response = await this.fetch(this.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: operation(name), variables }),
    });
    /** @type {any} */
    const answer = await response.json().catch(() => undefined);
    if (answer?.data === undefined && answer?.errors === undefined) {
      throw new Stop(`${this.endpoint} is no artgan server: it answered with HTTP ${response.status}.`);
    }
    if (answer.errors?.length > 0) throw new Stop(told(answer.errors));
    return answer.data;
  }

  /**
   * Runs a mutation of schema/operations whose answer has `userErrors`.
   * @param {string} name  of its file
   * @param {Record<string, unknown>} variables
   * @returns {Promise<any>} its payload
   */
  async change(name, variables) {
    const [payload] = Object.values(await this.run(name, variables));
    if (payload.userErrors.length > 0) throw new Stop(payload.userErrors.map(inWords).join('\n'));
    return payload;
  }

  /**
   * @param {string | URL} url
   * @param {RequestInit} [request]
   */
  async fetch(url, request) {
    try {
      return await fetch(url, request);
    } catch (error) {
      const { cause } = /** @type {{ cause?: NodeJS.ErrnoException }} */ (error);
      const reason = NOT_THERE.has(cause?.code ?? '') ? '' : ` (${cause?.message || error})`;
      throw new Stop(
        `No artgan server answers at ${new URL(url).origin}${reason}. Start it with npm start, then run this again; ` +
          'for a server elsewhere say --url.',
      );
    }
  }

  /** A file that the API has given the URL of. @param {string} url */
  async download(url) {
    const response = await this.fetch(url);
    if (!response.ok) throw new Stop(`${url} answered with HTTP ${response.status}.`);
    return Buffer.from(await response.arrayBuffer());
  }

  /**
   * A run's events from the first to the last, each once: connects again, from the last one seen, when it is cut off.
   * @param {string} run
   * @param {{ onLost?: () => void, signal: AbortSignal }} options  `signal` ends it, quietly
   * @returns {AsyncGenerator<any>}
   */
  async *follow(run, { onLost, signal }) {
    let after = 0;
    let over = false;
    let lostAt = 0;
    let waitMs = LEAST_WAIT_MS;
    while (!signal.aborted) {
      try {
        for await (const event of this.#events(run, after, signal)) {
          after = event.seq;
          over = isFinal(event);
          lostAt = 0;
          waitMs = LEAST_WAIT_MS;
          yield event;
        }
        if (over) return;
      } catch (error) {
        if (error instanceof Stop) throw error;
      }
      if (signal.aborted) return;
      // A stream that ends before its run does was cut off, too: a server says so when it stops.
      if (lostAt === 0) onLost?.();
      lostAt ||= performance.now();
      if (performance.now() - lostAt > PATIENCE_MS) {
        throw new Stop(`The server at ${this.endpoint.origin} has not come back. The run goes on when it does.`);
      }
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      waitMs = Math.min(2 * waitMs, MOST_WAIT_MS);
    }
  }

  /**
   * @param {string} run
   * @param {number} after
   * @param {AbortSignal} signal
   */
  async *#events(run, after, signal) {
    const { createClient } = await packaged(() => import('graphql-ws'));
    const { WebSocket } = await packaged(() => import('ws'));
    const url = Object.assign(new URL(this.endpoint), { protocol: this.endpoint.protocol.replace('http', 'ws') }).href;
    // Its own attempts would ask for what came after the first `after` again.
    const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, keepAlive: PING_MS });
    closeWhenSilent(client);
    const results = client.iterate({ query: operation('training-progress'), variables: { run, after } });
    const end = () => void client.dispose();
    signal.addEventListener('abort', end, { once: true });
    try {
      for await (const { data, errors } of results) {
        if (errors?.length) throw new Stop(told(errors));
        yield/** @type {any} */ (data).trainingProgress;
      }
    } catch (error) {
      // The server's refusal comes as a list of GraphQL errors, a broken connection as anything else.
      throw Array.isArray(error) ? new Stop(told(error)) : error;
    } finally {
      signal.removeEventListener('abort', end);
      await client.dispose();
    }
  }
}

/** @param {import('graphql-ws').Client} client */
function closeWhenSilent(client) {
  /** @type {import('ws').WebSocket | undefined} */
  let socket;
  /** @type {NodeJS.Timeout | undefined} */
  let silent;
  client.on('connected', (opened) => {
    socket = /** @type {import('ws').WebSocket} */ (opened);
  });
  client.on('ping', (received) => {
    if (!received) silent = setTimeout(() => socket?.terminate(), PONG_MS);
  });
  client.on('pong', () => clearTimeout(silent));
  client.on('closed', () => clearTimeout(silent));
}

/** @param {{ __typename: string, status?: string }} event */
function isFinal({ __typename, status = '' }) {
  return __typename === 'TrainingStateChanged' && ['COMPLETED', 'FAILED', 'CANCELLED'].includes(status);
}

/** @param {string} name */
function operation(name) {
  return readFileSync(join(root, 'schema', 'operations', `${name}.graphql`), 'utf8');
}

/** @param {readonly GraphqlError[]} errors */
function told(errors) {
  return errors.map(({ message, extensions }) => inWords({ message, code: extensions?.code ?? 'ERROR' })).join('\n');
}

/** @param {UserError} error */
function inWords({ message, code, path }) {
  return `${message} [${code}${path?.length ? ` at ${path.join('.')}` : ''}]`;
}
