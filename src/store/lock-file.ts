/**
 * One server per data folder: PGlite itself would let two open it and be damaged. The lock file names its owner; a lock
 * whose owner is no longer alive is taken over.
 *
 * Where the owner's pid cannot be asked after (a container that was made anew, a machine that was started again, a shared
 * disk), its heartbeat decides: an owner renews the time of its file, and a file that stays as it is has no owner.
 */
import { createHash, randomUUID } from 'node:crypto';
import { constants, copyFile, link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../core/errors.ts';
import { type Owner, ownerSchema, stateOf, thisProcess } from './lock-owner.ts';

const LOCK_FILE = 'artgan.lock';
const HEARTBEAT_MS = 2_000;
/** How long a silent owner is watched before it counts as dead. */
const PATIENCE_MS = 15_000;

export interface LockTimes {
  readonly heartbeatMs?: number;
  readonly patienceMs?: number;
}

/** @returns what takes the lock away again. @throws AppError DATA_DIR_LOCKED that names the owner. */
export async function lockDataDir(dataDir: string, times: LockTimes = {}): Promise<() => Promise<void>> {
  const { heartbeatMs = HEARTBEAT_MS, patienceMs = PATIENCE_MS } = times;
  const path = join(dataDir, LOCK_FILE);
  const mine = await new Lock(dataDir, patienceMs).take(path);
  const heart = setInterval(() => {
    const now = new Date();
    // A folder that was deleted under the server is not this file's to tell.
    utimes(path, now, now).catch(() => {});
  }, heartbeatMs);
  heart.unref();
  return async () => {
    clearInterval(heart);
    if ((await readIfThere(path)) === mine) await rm(path, { force: true });
  };
}

class Lock {
  readonly #dataDir: string;
  readonly #patienceMs: number;

  constructor(dataDir: string, patienceMs: number) {
    this.#dataDir = dataDir;
    this.#patienceMs = patienceMs;
  }

  /** @returns what the file now holds. */
  async take(path: string): Promise<string> {
    const id = randomUUID();
    const draft = `${path}.${id}`;
    const mine = `${JSON.stringify(await thisProcess(id))}\n`;
    await writeFile(draft, mine);
    try {
      while (!(await claimed(draft, path))) {
        const content = await readIfThere(path);
        if (content === undefined) continue;
        const owner = parseOwner(content);
        if (await this.#lives(owner, path)) throw this.#locked(owner);
        if (await this.#takeOver(path, { content, draft })) break;
      }
      return mine;
    } finally {
      await rm(draft, { force: true });
    }
  }

  /**
   * Puts the draft in the place of a dead owner's lock. Of several that try, one gets the lock named after that content;
   * it looks again before it acts, for the others may have come and gone meanwhile.
   */
  async #takeOver(path: string, { content, draft }: { readonly content: string; readonly draft: string }) {
    const right = `${path}.after-${createHash('sha256').update(content).digest('hex').slice(0, 16)}`;
    await this.take(right);
    try {
      if ((await readIfThere(path)) !== content) return false;
      await rename(draft, path);
      return true;
    } finally {
      await rm(right, { force: true });
    }
  }

  async #lives(owner: Owner | undefined, path: string): Promise<boolean> {
    const state = owner === undefined ? 'unknown' : await stateOf(owner);
    return state === 'unknown' ? this.#beats(path) : state === 'alive';
  }

  async #beats(path: string): Promise<boolean> {
    const before = await timeOf(path);
    const end = performance.now() + this.#patienceMs;
    while (performance.now() < end) {
      await delay(this.#patienceMs / 20);
      if ((await timeOf(path)) !== before) return true;
    }
    return false;
  }

  #locked(owner: Owner | undefined): AppError {
    const who =
      owner === undefined
        ? 'another server'
        : `process ${owner.pid} on ${owner.host} (${owner.command}, since ${owner.since})`;
    const advice = 'Stop it first, or start this one with another DATA_DIR.';
    return new AppError('DATA_DIR_LOCKED', `The data folder ${this.#dataDir} is in use by ${who}. ${advice}`);
  }
}

/** A hard link appears whole or not at all, and never replaces one that is there. Some file systems have none. */
async function claimed(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path).catch((error: unknown) => {
      if (isCode(error, 'EEXIST')) throw error;
      return copyFile(draft, path, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Undefined for what is no lock of ours, as a power cut may leave. */
function parseOwner(content: string): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function timeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
