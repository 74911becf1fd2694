/** The server's log: one JSON object a line on stderr, so that stdout is for people. It knows no secrets to hide. */
import { type Logger, pino } from 'pino';
import type { Config } from './config.ts';

export type { Logger } from 'pino';

export function createLog({ logLevel }: Pick<Config, 'logLevel'>): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  // Both spellings are in use for what was thrown.
  const serializers = { err: pino.stdSerializers.err, error: pino.stdSerializers.err };
  return pino({ level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers }, destination);
}
