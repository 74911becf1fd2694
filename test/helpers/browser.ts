/**
 * A real Chromium without a window. The package brings the program; where the machine lacks its libraries, those in the
 * package are used as well.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import chromium from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';

/** No services of Google's, and no sandbox: the tests may run as root, and open their own pages only. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--single-process', '--no-zygote', '--disable-background-networking'];
const LIBRARIES = join(import.meta.dirname, '../../node_modules/@sparticuz/chromium/bin/al2023.tar.br');

export async function openBrowser(): Promise<Browser> {
  const executablePath = await chromium.executablePath();
  const launch = (env: NodeJS.ProcessEnv) =>
    playwright.launch({ executablePath, args: ['--headless=shell', ...FLAGS], headless: true, env: variables(env) });
  try {
    return await launch(process.env);
  } catch {
    return await launch({ ...process.env, LD_LIBRARY_PATH: await unpackLibraries() });
  }
}

async function unpackLibraries(): Promise<string> {
  const folder = join(tmpdir(), 'artgan-test-chromium');
  const archive = join(folder, 'libraries.tar');
  await mkdir(folder, { recursive: true });
  await writeFile(archive, await promisify(brotliDecompress)(await readFile(LIBRARIES)));
  await promisify(execFile)('tar', ['-xf', archive, '-C', folder]);
  return join(folder, 'lib');
}

function variables(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
