/** The only reader of the environment: all settings at once, checked, with all mistakes told together. */
import { resolve } from 'node:path';
import { AppError } from './core/errors.ts';

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Base of the URLs in answers; empty: taken from each request's Host. */
  readonly publicUrl: string;
  readonly dataDir: string;
  /** Unset: PGlite in `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly device: 'auto' | 'gpu' | 'cpu';
  /** graph: networks run as recorded TensorFlow graphs; eager: operation by operation, the slower reference. */
  readonly engine: 'graph' | 'eager';
  readonly logLevel: LogLevel;
  /** Folders from which datasets may be imported. */
  readonly datasetRoots: readonly string[];
  /** Import the starter collection when there is no dataset yet. */
  readonly starter: boolean;
  readonly heartbeatTimeoutMs: number;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** @throws AppError INVALID_CONFIG that lists every mistake. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const problems: string[] = [];
  const text = (name: string, fallback: string) => env[name]?.trim() || fallback;
  const integer = (name: string, fallback: number, min: number, max: number) => {
    const value = Number(text(name, String(fallback)));
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    problems.push(`${name} must be a whole number from ${min} to ${max}, not "${env[name]}".`);
    return fallback;
  };
  const oneOf = <T extends string>(name: string, fallback: T, values: readonly T[]): T => {
    const value = text(name, fallback);
    const found = values.find((known) => known === value);
    if (found === undefined) problems.push(`${name} must be one of ${values.join(', ')}, not "${value}".`);
    return found ?? fallback;
  };
  const url = (name: string, protocols: readonly string[]) => {
    const value = text(name, '');
    if (value === '') return undefined;
    if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value;
    problems.push(`${name} must be a URL that starts with ${protocols.map((known) => `${known}//`).join(' or ')}.`);
    return undefined;
  };
  const dataDir = resolve(text('DATA_DIR', './data'));
  const config: Config = {
    host: text('HOST', '127.0.0.1'),
    port: integer('PORT', 4000, 0, 65_535),
    publicUrl: url('PUBLIC_URL', ['http:', 'https:'])?.replace(/\/+$/, '') ?? '',
    dataDir,
    databaseUrl: url('DATABASE_URL', ['postgres:', 'postgresql:']),
    device: oneOf('DEVICE', 'auto', ['auto', 'gpu', 'cpu']),
    engine: oneOf('ENGINE', 'graph', ['graph', 'eager']),
    logLevel: oneOf('LOG_LEVEL', 'info', LOG_LEVELS),
    datasetRoots: text('DATASET_ROOTS', './collections')
      .split(process.platform === 'win32' ? ';' : ':')
      .filter((root) => root !== '')
      .map((root) => resolve(root)),
    starter: oneOf('STARTER', 'on', ['on', 'off']) === 'on',
    heartbeatTimeoutMs: integer('ENGINE_HEARTBEAT_TIMEOUT_MS', 300_000, 1_000, 3_600_000),
  };
  if (problems.length > 0) throw new AppError('INVALID_CONFIG', problems.join('\n'));
  return Object.freeze(config);
}
