/**
 * Encoded pictures that were asked for by their URLs, as files, the least recently used of which leave first. It holds no
 * truth: a file that is torn or gone is a miss, and the whole folder may be deleted at any time. Writing is never waited for.
 *
 *   <dir>/ab/abcdef…   32 bytes SHA-256 of the body, then the body; named by the SHA-256 of the key
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDiskFull } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { cachedFiles, firstBytes, writeParts } from './disk-cache-files.ts';
import { sha256Of } from './sha256.ts';

export interface DiskCacheOptions {
  readonly dir: string;
  /** Of the disk, counted in its blocks. 0: nothing is kept. */
  readonly limitBytes: number;
  readonly log: Log;
}

/** What the start of a file says of its body. */
export interface CachedHash {
  readonly sha256: string;
  readonly bytes: number;
}

interface Entry {
  /** Of the file. */
  readonly bytes: number;
  /** When its file was last said to be in use. */
  touchedMs: number;
}

const HASH_BYTES = 32;
/** What a small file takes of the disk: a thousand of 100 bytes are 4 MB. */
const BLOCK_BYTES = 4_096;
/** What waits to be written at most: behind a slow disk pictures are not kept. */
const MOST_PENDING_BYTES = 32 * 2 ** 20;
/** A file's time says when it was last used, this roughly. */
const TOUCH_EVERY_MS = 3_600_000;
/** After a fault of the disk nothing is written for so long. */
const REST_MS = 60_000;

export class DiskCache implements AsyncDisposable {
  readonly #options: DiskCacheOptions;
  /** By name, in the order of use, the newest last. */
  readonly #entries = new Map<string, Entry>();
  #limit: number;
  #bytes = 0;
  #pendingBytes = 0;
  /** Writes and deletions, one after another. */
  #work: Promise<void>;
  /** Until then a file may be there that no entry is known of. */
  #isListed = false;
  #restUntil = 0;
  #isFaulty = false;
  #closed = false;

  private constructor(options: DiskCacheOptions) {
    this.#options = options;
    this.#limit = options.limitBytes;
    this.#work = this.#list();
  }

  /**
   * Usable at once. Names, sizes and times are read meanwhile, files are not: 130,000 of them take seconds. What a dead server
   * left half-written is swept, and with a limit of 0 the folder.
   */
  static async open(options: DiskCacheOptions): Promise<DiskCache> {
    const { dir, limitBytes, log } = options;
    const ready = limitBytes > 0 ? mkdir(dir, { recursive: true }) : rm(dir, { recursive: true, force: true });
    await ready.catch((error: unknown) =>
      log.warn({ err: error, dir }, 'The folder of cached pictures cannot be used'),
    );
    return new DiskCache(options);
  }

  /** Of all files, as the disk counts them. */
  get bytes(): number {
    return this.#bytes;
  }

  async get(key: string): Promise<Buffer | undefined> {
    const name = nameOf(key);
    if (!this.#mayHave(name)) return undefined;
    const file = await readFile(this.#path(name)).catch(() => undefined);
    const body = file?.subarray(HASH_BYTES);
    if (file !== undefined && body !== undefined && file.toString('hex', 0, HASH_BYTES) === (await sha256Of(body))) {
      this.#use(name);
      return body;
    }
    if (this.#forget(name) || file !== undefined) this.#then(() => this.#remove(name));
    return undefined;
  }

  /** What `get` would give, by the first bytes of its file: it is not checked that the rest is whole. */
  async peek(key: string): Promise<CachedHash | undefined> {
    const name = nameOf(key);
    if (!this.#mayHave(name)) return undefined;
    const found = await firstBytes(this.#path(name), HASH_BYTES).catch(() => undefined);
    if (found === undefined) return undefined;
    this.#use(name);
    return { sha256: found.first.toString('hex'), bytes: found.fileBytes - HASH_BYTES };
  }

  /** Written behind the caller's back; not kept where the disk is slow, full or not to be written on. */
  set(key: string, body: Uint8Array): void {
    const bytes = HASH_BYTES + body.length;
    if (this.#closed || blocksOf(bytes) > this.#limit || this.#pendingBytes + bytes > MOST_PENDING_BYTES) return;
    if (this.#restUntil > Date.now()) return;
    const name = nameOf(key);
    if (this.#entries.has(name)) return;
    this.#pendingBytes += bytes;
    this.#then(async () => {
      await this.#write(name, body);
      this.#pendingBytes -= bytes;
    });
  }

  /** Resolves when all that was set before is written, or given up. */
  async flush(): Promise<void> {
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  /** Before anything is written. */
  async #list(): Promise<void> {
    const files = this.#limit > 0 ? await cachedFiles(this.#options.dir, () => this.#closed) : [];
    for (const { name, bytes, usedMs } of files) this.#add(name, { bytes, touchedMs: usedMs });
    this.#isListed = true;
    await this.#shrink();
  }

  /** `work` does not fail. */
  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work);
  }

  async #write(name: string, body: Uint8Array): Promise<void> {
    if (this.#entries.has(name) || this.#restUntil > Date.now()) return;
    const path = this.#path(name);
    const draft = join(dirname(path), `.${randomUUID()}`);
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeParts(draft, [Buffer.from(await sha256Of(body), 'hex'), body]);
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined);
      this.#rest(error);
    }
    if (this.#restUntil > Date.now()) return this.#shrink();
    this.#isFaulty = false;
    this.#add(name, { bytes: HASH_BYTES + body.length, touchedMs: Date.now() });
    await this.#shrink();
  }

  /** Whatever else is written to this disk matters more: once it was full, the cache stays half as large as it was then. */
  #rest(error: unknown): void {
    this.#restUntil = Date.now() + REST_MS;
    if (isDiskFull(error)) this.#limit = Math.floor(this.#bytes / 2);
    if (this.#isFaulty) return;
    this.#isFaulty = true;
    this.#options.log.warn({ err: error, dir: this.#options.dir }, 'Pictures cannot be kept on the disk for now');
  }

  async #shrink(): Promise<void> {
    for (const name of this.#entries.keys()) {
      if (this.#bytes <= this.#limit || this.#closed) return;
      this.#forget(name);
      await this.#remove(name);
    }
  }

  async #remove(name: string): Promise<void> {
    await rm(this.#path(name), { force: true }).catch((error: unknown) => this.#rest(error));
  }

  #mayHave(name: string): boolean {
    return this.#limit > 0 && (this.#entries.has(name) || !this.#isListed);
  }

  /** Moves an entry to the end of the order, on the disk, too, but not each time. */
  #use(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    const now = Date.now();
    if (now - entry.touchedMs < TOUCH_EVERY_MS) return;
    entry.touchedMs = now;
    this.#then(() => utimes(this.#path(name), now / 1000, now / 1000).catch(() => undefined));
  }

  #add(name: string, entry: Entry): void {
    this.#entries.set(name, entry);
    this.#bytes += blocksOf(entry.bytes);
  }

  /** @returns whether it was known */
  #forget(name: string): boolean {
    const entry = this.#entries.get(name);
    this.#bytes -= blocksOf(entry?.bytes ?? 0);
    return this.#entries.delete(name);
  }

  #path(name: string): string {
    return join(this.#options.dir, name.slice(0, 2), name);
  }
}

const blocksOf = (bytes: number) => Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
const nameOf = (key: string) => createHash('sha256').update(key).digest('hex');
