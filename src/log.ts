/** The server's log: one JSON object a line on stderr, so that stdout is for people. No keys, and nothing that was sent. */
import { type Logger, pino } from 'pino';
import type { Config } from './config.ts';

export type { Logger } from 'pino';

const API_KEY = /artgan_[\w-]{43}/g;
/** A failed statement brings along the values that it was asked with. */
const VALUES = /\nparams: [\s\S]*?(?=\n {4}at |\ncaused by: |$)/g;

export function createLog({ logLevel }: Pick<Config, 'logLevel'>): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  const options = {
    level: logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    // Both spellings are in use for what was thrown.
    serializers: { err: describe, error: describe },
    // Whatever has come in, from wherever.
    hooks: { streamWrite: (line: string) => line.replace(API_KEY, 'artgan_***') },
  };
  return pino(options, destination);
}

/** Errors of databases have more fields, with values in them. */
function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack } = pino.stdSerializers.err(error);
  const code = 'code' in error ? { code: error.code } : {};
  return { type, ...code, message: message.replace(VALUES, ''), stack: stack.replace(VALUES, '') };
}
