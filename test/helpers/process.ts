/** The server as a program of its own: started, asked and ended from outside. Runs what `npm start` runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { operation } from './api.ts';
import type { TestDatabase } from './database.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Server {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** What it has written so far. */
  readonly output: () => string;
}

/** Servers of one test file; those that are left are killed after each test. */
export class Processes {
  readonly #running = new Set<ChildProcess>();

  start(database: TestDatabase, settings: Record<string, string> = {}): Server {
    const { dataDir, databaseUrl } = database.options;
    const env = {
      ...{ PATH: process.env['PATH'], HOME: process.env['HOME'], DATA_DIR: dataDir, PORT: '0', STARTER: 'off' },
      ...{ DEVICE: 'cpu', DATASET_ROOTS: join(dataDir, 'collections') },
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...settings,
    };
    const child = spawn(process.execPath, [PROGRAM], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    return { child, ended: once(child, 'close').then(([code]) => code), output: () => output };
  }

  kill(): void {
    for (const child of this.#running) child.kill('SIGKILL');
    this.#running.clear();
  }
}

/** Its URL, from the line that it prints when it is ready. */
export async function ready({ child, ended, output }: Server): Promise<string> {
  while (true) {
    const [, url] = /^artgan is ready at (\S+)$/m.exec(output()) ?? [];
    if (url !== undefined) return url;
    const more = child.stdout === null ? ended : once(child.stdout, 'data');
    if ((await Promise.race([more, ended])) === null || child.exitCode !== null) throw new Error(output());
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers are compared, not computed with
export async function ask(url: string, name: string, variables: object): Promise<any> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: operation(name), variables }),
  });
  return response.json();
}
