/** The server as a program: settings, start, signals, exit codes. The only file that does something when it is imported. */
import { startApp } from './app.ts';
import { readConfig } from './config.ts';
import { AppError } from './core/errors.ts';
import { createLog } from './log.ts';

/** Supervisors kill after ten seconds. */
const MOST_STOP_MS = 9_500;

function fail(error: unknown): never {
  const text = error instanceof AppError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`artgan cannot run: ${text}\n`);
  process.exit(1);
}

async function main(): Promise<void> {
  const config = readConfig();
  const log = createLog(config);
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error }, 'A promise failed and nobody waited for it');
    process.exit(1);
  });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'An error was thrown and nobody caught it');
    process.exit(1);
  });

  const starting = startApp({ config, log });
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'Stopping');
    setTimeout(() => {
      log.error({ limitMs: MOST_STOP_MS }, 'The server could not be stopped in time');
      process.exit(1);
    }, MOST_STOP_MS).unref();
    void starting.then((app) => app[Symbol.asyncDispose]()).then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  const { url, ready, store, firstKey } = await starting;
  // Before anything else can go wrong: it is not written down anywhere.
  if (firstKey !== undefined) process.stdout.write(`${firstKeyText(firstKey)}\n`);
  log.info({ url, database: store.kind, dataDir: config.dataDir }, 'Listening');
  try {
    await ready;
  } catch (error) {
    if (stopping) return;
    throw error;
  }
  process.stdout.write(`artgan is ready at ${url}\n${exampleFor(url)}\n`);
}

function firstKeyText(key: string): string {
  return `This server wants an API key. Here is one of an admin; it is shown this once:
  ${key}
Send it as the header "authorization: Bearer <key>". createApiKey makes others, with fewer rights.`;
}

function exampleFor(url: string): string {
  const query = '{ generate(label: \\"Ukiyo-e\\", n: 8) { seed url } }';
  return `Try: curl ${url}/graphql -H 'content-type: application/json' -d '{"query":"${query}"}'`;
}

try {
  await main();
} catch (error) {
  fail(error);
}
