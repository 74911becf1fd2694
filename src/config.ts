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
  /** Whether only this machine can reach the server. */
  readonly localOnly: boolean;
  /** Make an admin's key at this start, whatever keys there are. */
  readonly makesAdminKey: boolean;
  readonly surface: SurfaceConfig;
  readonly limits: LimitsConfig;
  readonly telemetry: TelemetryConfig;
}

/** What is shown to whom. */
export interface SurfaceConfig {
  readonly introspection: boolean;
  /** "Did you mean" in the answers to queries with a mistake. */
  readonly suggestions: boolean;
  /** GraphiQL at /explore. */
  readonly explorer: boolean;
  /** on: pictures open by their address alone. auto: so long as the server wants no keys. */
  readonly publicPictures: 'auto' | 'on' | 'off';
  /** How long a signed address opens at least. */
  readonly pictureUrlSeconds: number;
  readonly persistedQueries: 'apq' | 'off' | 'allow-list';
  /** The operations of the allow-list. */
  readonly manifest: string | undefined;
  /** Take the client's address from X-Forwarded-For. */
  readonly trustProxy: boolean;
}

export interface LimitsConfig {
  /** The most points of one operation. */
  readonly cost: number;
  /** Points of each API key: at once, and a second. */
  readonly budget: number;
  readonly budgetRefill: number;
  readonly operationTimeoutMs: number;
  /** Encoded pictures on the disk, which could be made again. */
  readonly imageCacheBytes: number;
  /** All stored uploads together. */
  readonly uploadBytes: number;
  /** Sockets and streams that are open at once. */
  readonly sockets: number;
  readonly socketsPerAddress: number;
  readonly socketsPerKey: number;
  readonly operationsPerSocket: number;
}

export interface TelemetryConfig {
  /** Unset: /metrics is on the server's own port, for administrators. */
  readonly metricsPort: number | undefined;
  /** Unset: no traces. */
  readonly otlpEndpoint: string | undefined;
}

const LOOPBACK_HOSTS = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

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
  const onOff = (name: string, fallback: boolean) => oneOf(name, fallback ? 'on' : 'off', ['on', 'off']) === 'on';
  const dataDir = resolve(text('DATA_DIR', './data'));
  const host = text('HOST', '127.0.0.1');
  const localOnly = LOOPBACK_HOSTS.test(host);
  const isProduction = env['NODE_ENV'] === 'production' || !localOnly;
  const autoOnOff = (name: string) => {
    const value = oneOf(name, 'auto', ['auto', 'on', 'off']);
    return value === 'auto' ? !isProduction : value === 'on';
  };
  const persistedQueries = oneOf('PERSISTED_QUERIES', 'apq', ['apq', 'off', 'allow-list']);
  const manifest = text('PERSISTED_QUERY_MANIFEST', '');
  if (persistedQueries === 'allow-list' && manifest === '')
    problems.push('PERSISTED_QUERIES=allow-list needs PERSISTED_QUERY_MANIFEST: the file that lists the operations.');
  const config: Config = {
    host,
    localOnly,
    makesAdminKey: onOff('MAKE_ADMIN_KEY', false),
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
    starter: onOff('STARTER', true),
    heartbeatTimeoutMs: integer('ENGINE_HEARTBEAT_TIMEOUT_MS', 300_000, 1_000, 3_600_000),
    surface: {
      introspection: autoOnOff('INTROSPECTION'),
      suggestions: autoOnOff('SUGGESTIONS'),
      explorer: autoOnOff('EXPLORER'),
      publicPictures: oneOf('PUBLIC_PICTURES', 'auto', ['auto', 'on', 'off']),
      pictureUrlSeconds: integer('PICTURE_URL_SECONDS', 86_400, 60, 31_536_000),
      persistedQueries,
      manifest: manifest === '' ? undefined : resolve(manifest),
      trustProxy: onOff('TRUST_PROXY', false),
    },
    limits: {
      cost: integer('MAX_COST', 10_000, 100, 10_000_000),
      budget: integer('BUDGET', 100_000, 100, 1_000_000_000),
      budgetRefill: integer('BUDGET_REFILL', 10_000, 1, 1_000_000_000),
      operationTimeoutMs: integer('OPERATION_TIMEOUT_MS', 60_000, 100, 3_600_000),
      imageCacheBytes: integer('IMAGE_CACHE_MB', 512, 0, 1_000_000) * 2 ** 20,
      uploadBytes: integer('UPLOADS_LIMIT_MB', 2_048, 1, 1_000_000) * 2 ** 20,
      sockets: integer('MAX_SOCKETS', 20_000, 1, 1_000_000),
      socketsPerAddress: integer('MAX_SOCKETS_PER_ADDRESS', 200, 1, 1_000_000),
      socketsPerKey: integer('MAX_SOCKETS_PER_KEY', 2_000, 1, 1_000_000),
      operationsPerSocket: integer('MAX_OPERATIONS_PER_SOCKET', 100, 1, 10_000),
    },
    telemetry: {
      metricsPort: text('METRICS_PORT', '') === '' ? undefined : integer('METRICS_PORT', 9464, 0, 65_535),
      otlpEndpoint: url('OTEL_EXPORTER_OTLP_ENDPOINT', ['http:', 'https:']),
    },
  };
  if (problems.length > 0) throw new AppError('INVALID_CONFIG', problems.join('\n'));
  return Object.freeze(config);
}
