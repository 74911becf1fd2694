/** The whole server for a test: the real app on a free port, a database and folders of its own, and clients over sockets. */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { type Client, createClient } from 'graphql-ws';
import sharp from 'sharp';
import { WebSocket } from 'ws';
import { type App, type AppOptions, startApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { Closers } from '../../src/core/closers.ts';
import { testDatabase } from './database.ts';
import { type RecordingLog, recordingLog } from './recording-log.ts';

/** JSON as it came: a test says by its expectation what it should be. */
// biome-ignore lint/suspicious/noExplicitAny: answers are compared, not computed with
type Json = any;

export interface Answer {
  readonly status: number;
  readonly data: Json;
  readonly errors: readonly {
    readonly message: string;
    readonly path?: readonly unknown[];
    readonly extensions: { readonly code: string; readonly [field: string]: unknown };
  }[];
}

export type Variables = Readonly<Record<string, unknown>>;

const OPERATIONS = fileURLToPath(new URL('../../schema/operations/', import.meta.url));

/** The text of an operation that is shown to users. */
export function operation(name: string): string {
  return readFileSync(join(OPERATIONS, `${name}.graphql`), 'utf8');
}

export class TestApi implements AsyncDisposable {
  readonly app: App;
  readonly url: string;
  /** A folder that datasets may be imported from. */
  readonly collections: string;
  readonly dataDir: string;
  readonly log: RecordingLog;
  readonly #parts: Closers;
  #client: Client | undefined;

  constructor(parts: Closers, base: { app: App; config: Config; log: RecordingLog }) {
    const { app, config, log } = base;
    this.#parts = parts;
    this.app = app;
    this.url = app.url;
    this.collections = join(config.dataDir, 'collections');
    this.dataDir = config.dataDir;
    this.log = log;
  }

  get client(): Client {
    this.#client ??= createClient({
      url: `${this.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    return this.#client;
  }

  async ask(query: string, variables: Variables = {}): Promise<Answer> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data = null, errors = [] } = (await response.json()) as Json;
    return { status: response.status, data, errors };
  }

  /** The answer's data. @throws where there are errors */
  async data(query: string, variables: Variables = {}): Promise<Json> {
    const { data, errors } = await this.ask(query, variables);
    if (errors.length > 0) throw new Error(`Unexpected errors: ${JSON.stringify(errors)}`);
    return data;
  }

  /** One of the operations that are shown to users. */
  run(name: string, variables: Variables = {}): Promise<Json> {
    return this.data(operation(name), variables);
  }

  /** Over the WebSocket: everything until it completes. */
  async stream(query: string, variables: Variables = {}): Promise<Json[]> {
    const all: Json[] = [];
    for await (const one of this.client.iterate({ query, variables: { ...variables } })) all.push(one);
    return all;
  }

  /** A run's events after `after`, to its end. */
  async events(run: string, after = 0): Promise<Json[]> {
    const results = await this.stream(operation('training-progress'), { run, after });
    return results.map(({ data, errors }) => {
      if (errors !== undefined) throw new Error(`Unexpected errors: ${JSON.stringify(errors)}`);
      return data.trainingProgress;
    });
  }

  /** Imports pictures of two colours, with an artist, a style and a genre each. Slug: "colours". */
  async importColours(works = 12, name = 'Colours'): Promise<Json> {
    const path = join(this.collections, name);
    await writeColours(path, works);
    const { importDataset } = await this.run('import-dataset', { name, path, layout: 'MANIFEST' });
    if (importDataset.userErrors.length > 0) throw new Error(JSON.stringify(importDataset.userErrors));
    return importDataset.dataset;
  }

  /** Trains a tiny model on "colours" to its end. @returns the run's id */
  async train(input: Variables = {}): Promise<string> {
    const { startTraining } = await this.run('start-training', { input: { ...tinyRun, ...input } });
    if (startTraining.userErrors.length > 0) throw new Error(JSON.stringify(startTraining.userErrors));
    await this.events(startTraining.run.id);
    return startTraining.run.id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.dispose();
    await this.#parts[Symbol.asyncDispose]();
  }
}

/** Input of startTraining for a run of a few seconds. */
export const tinyRun = {
  dataset: 'colours',
  steps: 4,
  resolution: 32,
  batchSize: 4,
  seed: 7,
  config: { width: 4, labelDropout: 0.1, metricsEvery: 1, sampleEvery: 2, checkpointEvery: 2 },
};

/** Settings are those of the environment, for which a test gives texts. */
export async function startTestApi(
  settings: Readonly<Record<string, string>> = {},
  { times }: Pick<AppOptions, 'times'> = {},
): Promise<TestApi> {
  await using parts = new Closers();
  const database = parts.use(await testDatabase());
  const { dataDir, databaseUrl } = database.options;
  const collections = join(dataDir, 'collections');
  await mkdir(collections, { recursive: true });
  const config = readConfig({
    PORT: '0',
    DEVICE: 'cpu',
    STARTER: 'off',
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    DATASET_ROOTS: collections,
    ...settings,
  });
  const log = recordingLog();
  const app = parts.use(await startApp({ config, log, starterModel: join(dataDir, 'no-model'), times }));
  await app.ready;
  return new TestApi(parts.move(), { app, config, log });
}

/** While a table is gone, whatever reads it fails as nobody has foreseen. */
export async function withoutTable<T>({ app }: TestApi, table: string, work: () => Promise<T>): Promise<T> {
  const { db } = app.store;
  await db.execute(sql.raw(`alter table ${table} rename to gone`));
  try {
    return await work();
  } finally {
    await db.execute(sql.raw(`alter table gone rename to ${table}`));
  }
}

/** Squares of two colours with a manifest. */
export async function writeColours(folder: string, works: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const lines = ['file,artist,style,genre,title,year'];
  for (let i = 0; i < works; i++) {
    const red = i % 2 === 0;
    const file = `${String(i).padStart(3, '0')}.png`;
    const background = { r: red ? 200 : 30, g: 40 + i, b: red ? 30 : 200 };
    await sharp({ create: { width: 40, height: 40, channels: 3, background } })
      .png()
      .toFile(join(folder, file));
    lines.push(`${file},${red ? 'Ruby Red' : 'Bea Blue'},${red ? 'Warm' : 'Cool'},Flat ${i % 3},Work ${i},${1900 + i}`);
  }
  await writeFile(join(folder, 'manifest.csv'), `${lines.join('\n')}\n`);
}
