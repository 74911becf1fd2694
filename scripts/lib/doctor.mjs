// The findings of npm run doctor, one after the other, each with its cure where something is wrong.
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildReady } from './build.mjs';
import { run } from './command.mjs';
import { readJson } from './files.mjs';
import { megabytes } from './log.mjs';
import { installCommand, nvidiaAnswers, tools, unfit } from './machine.mjs';
import { npm, packagesReady } from './packages.mjs';
import { dist, modules, root } from './paths.mjs';
import { loadSettings, setting } from './settings.mjs';
import { checkTensorflow, describeTensorflow, tensorflowReady } from './tensorflow.mjs';

/**
 * @typedef {object} Finding
 * @property {'ok' | 'note' | 'wrong'} state
 * @property {string} name
 * @property {string} found
 * @property {string} [cure]
 */

const SET_UP = 'npm run setup';
/** Room for a dataset, a run's checkpoints and its sample grids. */
const LITTLE_DISK = 2e9;
const CONNECT_MS = 5_000;
const VERSIONS = [
  '@tensorflow/tfjs-node-gpu',
  '@apollo/server',
  'type-graphql',
  'graphql',
  'graphql-ws',
  '@electric-sql/pglite',
  'pg',
  'drizzle-orm',
  'sharp',
  'typescript',
  'vitest',
];

/** @returns {AsyncGenerator<Finding>} */
export async function* examine() {
  yield ok('Node', `${process.versions.node} on ${process.platform} ${process.arch} (${process.execPath})`);
  yield await npmFound();
  yield* toolsFound();
  yield packagesReady()
    ? ok('Packages', VERSIONS.map((name) => `${name} ${versionOf(name) ?? 'MISSING'}`).join(', '))
    : wrong('Packages', 'node_modules is not what package-lock.json says', SET_UP);
  yield* tensorflowFound();
  yield buildReady()
    ? ok('Build', 'dist/ is up to date')
    : note('Build', 'dist/ is not up to date', `npm start builds it`);
  yield await settingsFound();
  const dataDir = resolve(root, setting('DATA_DIR', './data'));
  yield dataFolder(dataDir);
  yield await database(dataDir);
  yield disk(dataDir);
}

/** @type {(name: string, found: string) => Finding} */
const ok = (name, found) => ({ state: 'ok', name, found });
/** @type {(name: string, found: string, cure?: string) => Finding} */
const note = (name, found, cure) => ({ state: 'note', name, found, ...(cure && { cure }) });
/** @type {(name: string, found: string, cure: string) => Finding} */
const wrong = (name, found, cure) => ({ state: 'wrong', name, found, cure });

/** @param {string} name */
const versionOf = (name) => readJson(join(modules, name, 'package.json'))?.version;

/** @param {string} program @param {readonly string[]} args */
async function firstLine(program, args) {
  const { code, stdout } = await run(program, args, { timeoutMs: 60_000 });
  return code === 0 ? stdout.trim().split('\n').at(0) : undefined;
}

async function npmFound() {
  const [program, ...args] = npm() ?? [];
  const version = program && (await firstLine(program, [...args, '--version']));
  return version ? ok('npm', version) : wrong('npm', 'not found', 'install Node with npm');
}

/** @returns {AsyncGenerator<Finding>} */
async function* toolsFound() {
  const { python, compiler } = await tools();
  // They are needed once; with the library in place nothing is lost without them.
  const inPlace = (await tensorflowReady())?.kind === 'wheel';
  const missing = inPlace || unfit() ? note : wrong;
  yield python
    ? ok('pip', `${await firstLine(python, ['-m', 'pip', '--version'])}`)
    : missing('pip', 'no Python 3 with pip, which fetches TensorFlow', installCommand(['pip']));
  yield compiler
    ? ok('Compiler', `${await firstLine(compiler, ['--version'])}`)
    : missing('Compiler', 'no C++ compiler, which connects Node with TensorFlow', installCommand(['compiler']));
}

/** @returns {AsyncGenerator<Finding>} */
async function* tensorflowFound() {
  const driver = await nvidiaAnswers();
  yield ok(
    'GPU',
    `${driver ? 'an NVIDIA driver answers' : 'no NVIDIA driver answers'}; DEVICE is ${setting('DEVICE', 'auto')}`,
  );
  const ready = await tensorflowReady();
  if (!ready) return yield wrong('TensorFlow', unfit() ?? 'not set up', SET_UP);
  if (ready.kind === 'javascript') return yield wrong('TensorFlow', describeTensorflow(ready), SET_UP);
  const { found, problem } = await checkTensorflow();
  if (!found) return yield wrong('TensorFlow', `its check failed: ${problem}`, `delete .tensorflow/, then ${SET_UP}`);
  const description = `${describeTensorflow({ ...ready, ...found })}; a matrix product is right`;
  if (driver && !found.gpu && setting('DEVICE', 'auto') !== 'cpu') {
    return yield note('TensorFlow', description, 'the GPU is not used: NVIDIA driver 525 or later is needed');
  }
  yield ready.kind === 'wheel' ? ok('TensorFlow', description) : note('TensorFlow', description);
}

/** By the server's own rules, once it is built. */
async function settingsFound() {
  if (!buildReady()) return note('Settings', 'checked once the project is built');
  const { readConfig } = await import(pathToFileURL(join(dist, 'config.js')).href);
  loadSettings();
  try {
    readConfig();
  } catch (error) {
    const reasons = /** @type {Error} */ (error).message.split('\n').join(' ');
    return wrong('Settings', reasons, 'correct the environment or .env; .env.example says what each setting takes');
  }
  return ok('Settings', 'all can be used');
}

/** @param {string} dataDir */
function dataFolder(dataDir) {
  let place = dataDir;
  while (!existsSync(place)) place = dirname(place);
  if (!statSync(place).isDirectory())
    return wrong('Data', `${place} is a file, not a folder`, 'set DATA_DIR to a folder of your own');
  try {
    accessSync(place, constants.W_OK);
  } catch {
    return wrong('Data', `${dataDir} is not writable for this user`, 'set DATA_DIR to a folder of your own');
  }
  return ok('Data', place === dataDir ? dataDir : `${dataDir} (not there yet: the first start makes it)`);
}

/** @param {string} dataDir */
async function database(dataDir) {
  const url = setting('DATABASE_URL', '');
  if (url === '') return embedded(dataDir);
  if (!URL.canParse(url))
    return wrong('Database', 'DATABASE_URL is not a URL', 'postgres://user:password@host:5432/name');
  const { hostname, port, pathname } = new URL(url);
  const place = `${hostname}:${port || 5432}${pathname}`;
  const { version = 'it listens', error } = await (versionOf('pg')
    ? askPostgres(url)
    : knock(hostname, Number(port || 5432)));
  return error
    ? wrong('Database', `PostgreSQL at ${place}: ${error}`, 'start it, or correct DATABASE_URL')
    : ok('Database', `PostgreSQL at ${place}: ${version}`);
}

/** @param {string} dataDir  of PGlite; the server's lock file in it names the process that has it open */
function embedded(dataDir) {
  const pid = Number(readJson(join(dataDir, 'artgan.lock'))?.pid);
  if (!pid) return ok('Database', `embedded PGlite in ${dataDir}, not in use`);
  return ok(
    'Database',
    alive(pid)
      ? `embedded PGlite, in use by process ${pid}`
      : `embedded PGlite, left by process ${pid}, which is gone: the next start takes it over`,
  );
}

/** @param {number} pid */
function alive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** @param {string} url @returns {Promise<{ version?: string, error?: string }>} */
async function askPostgres(url) {
  const { Client } = createRequire(import.meta.url)('pg');
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  try {
    await client.connect();
    const { rows } = await client.query('select version()');
    return { version: rows[0].version };
  } catch (error) {
    return { error: /** @type {Error} */ (error).message || String(error) };
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Before the packages are there: at least whether somebody listens.
 * @param {string} host
 * @param {number} port
 * @returns {Promise<{ version?: string, error?: string }>}
 */
function knock(host, port) {
  return new Promise((settle) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const end = (/** @type {{ error?: string }} */ answer) => {
      socket.destroy();
      settle(answer);
    };
    socket.on('connect', () => end({}));
    socket.on('timeout', () => end({ error: 'no answer' }));
    socket.on('error', (error) => end({ error: error.message }));
  });
}

/** @param {string} dataDir */
function disk(dataDir) {
  const { bavail, bsize } = statfsSync(existsSync(dataDir) ? dataDir : root);
  const free = bavail * bsize;
  return free > LITTLE_DISK
    ? ok('Disk', `${megabytes(free)} free`)
    : note('Disk', `only ${megabytes(free)} free`, 'runs write checkpoints and pictures: make room');
}
