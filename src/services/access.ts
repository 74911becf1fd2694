/**
 * Who asks, by their API key. A key is shown once and stored as its hash. Without any key a server that only this machine
 * can reach is open to all of it; with the first key, or on any other HOST, whoever has none is refused.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { NOBODY, OPEN, SCOPES, type Scope, type Viewer, viewerId } from '../core/access.ts';
import { AppError } from '../core/errors.ts';
import { localId } from '../core/global-id.ts';
import { holdLiveKeys, insertKey, KEYS_CHANNEL, keyByHash, keyById, liveKeys, revokeKey } from '../store/api-keys.ts';
import type { Db, Store } from '../store/db.ts';
import type { ApiKeyRow } from '../store/tables.ts';

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Of its budget; left out: as the server's settings say. */
  readonly budget?: number | null | undefined;
  /** So that the same wish makes one key. */
  readonly id?: string | undefined;
}

/** The key itself is known here and nowhere else. */
export interface MadeApiKey {
  readonly row: ApiKeyRow;
  readonly key: string;
}

export interface AccessOptions {
  readonly db: Db;
  /** Whether only this machine can reach the server. */
  readonly localOnly: boolean;
}

const PREFIX = 'artgan_';
const FORM = /^artgan_[\w-]{43}$/;
const HINT_LENGTH = PREFIX.length + 4;
const LONGEST_NAME = 120;
const MOST_BUDGET = 1_000_000_000;
/** What a key opens is asked again after this, should a notice be lost. */
const KNOWN_MS = 10_000;

export class AccessService implements AsyncDisposable {
  readonly #options: AccessOptions;
  readonly #known = new LRUCache<string, ApiKeyRow>({ max: 1_000, ttl: KNOWN_MS });
  readonly #ended = new Set<(viewerId: string) => void>();
  #wantsKeys: boolean;
  #unlisten: (() => Promise<void>) | undefined;

  private constructor(options: AccessOptions) {
    this.#options = options;
    this.#wantsKeys = !options.localOnly;
  }

  static async open(store: Pick<Store, 'db' | 'listen'>, { localOnly }: { localOnly: boolean }) {
    const access = new AccessService({ db: store.db, localOnly });
    access.#unlisten = await store.listen(KEYS_CHANNEL, (id) => void access.#changed(id).catch(() => undefined));
    await access.#look();
    return access;
  }

  /** Whether somebody without a key is refused. */
  get wantsKeys(): boolean {
    return this.#wantsKeys;
  }

  /** A key for an admin of a server that wants one and has none, or `anyway`; undefined where it needs none. */
  async firstKey({ anyway = false } = {}): Promise<string | undefined> {
    const isNeeded = this.#wantsKeys && (await liveKeys(this.#options.db)).length === 0;
    if (!anyway && !isNeeded) return undefined;
    const { key } = await this.create({ name: 'first', scopes: ['admin'] });
    return key;
  }

  /** @throws AppError UNAUTHENTICATED where there is a key and it opens nothing. */
  async viewer(key: string | undefined): Promise<Viewer> {
    if (key === undefined) return this.#wantsKeys ? NOBODY : OPEN;
    const row = FORM.test(key) ? await this.#row(hashOf(key)) : undefined;
    if (row === undefined)
      throw new AppError('UNAUTHENTICATED', 'This API key is not known here, or it was revoked.', {});
    return { kind: 'key', id: row.id, name: row.name, scopes: row.scopes, budget: row.budget };
  }

  /**
   * Makes a key. The first of all must be an admin's: it closes the server for everybody else.
   * @throws AppError INVALID_INPUT, or CONFLICT where the same wish has made a key before
   */
  async create({ name, scopes, budget, id }: NewApiKey): Promise<MadeApiKey> {
    const { db } = this.#options;
    const trimmed = name.trim();
    check(trimmed.length >= 1 && trimmed.length <= LONGEST_NAME, 'name', `1 to ${LONGEST_NAME} characters long`);
    const wanted = SCOPES.filter((scope) => scopes.includes(scope));
    check(wanted.length > 0, 'scopes', `some of ${SCOPES.join(', ')}`);
    const points = budget ?? null;
    const fits = points === null || (Number.isInteger(points) && points >= 1 && points <= MOST_BUDGET);
    check(fits, 'budget', `a whole number from 1 to ${MOST_BUDGET}`);
    const isFirst = (await liveKeys(db)).length === 0;
    check(
      !isFirst || wanted.includes('admin'),
      'scopes',
      'those of an admin: the first key must be able to make others',
    );
    const key = `${PREFIX}${randomBytes(32).toString('base64url')}`;
    const row = await insertKey(db, {
      id: id ?? randomUUID(),
      name: trimmed,
      sha256: hashOf(key),
      hint: key.slice(0, HINT_LENGTH),
      scopes: wanted,
      budget: points,
    });
    if (row === undefined) {
      const message = 'This wish has made a key before, and a key is shown once. Revoke that one and make another.';
      throw new AppError('CONFLICT', message, { path: ['input'] });
    }
    await this.#changed(row.id);
    return { row, key };
  }

  /** Ends a key and all that it has open. @throws AppError NOT_FOUND, or CONFLICT for the last admin's */
  async revoke(id: string): Promise<ApiKeyRow> {
    const revoked = await this.#options.db.transaction((tx) => this.#revoke(tx, localId(id, 'ApiKey')));
    await this.#changed(revoked.id);
    return revoked;
  }

  /** Hears of each viewer (core/access.ts: viewerId) whose access has ended. Gives back the end of it. */
  onEnd(ended: (viewerId: string) => void): () => void {
    this.#ended.add(ended);
    return () => this.#ended.delete(ended);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#unlisten?.();
  }

  /** All keys are held meanwhile: of two administrators who end each other, one must stay. */
  async #revoke(tx: Db, id: string): Promise<ApiKeyRow> {
    const path = ['input', 'id'];
    const live = await holdLiveKeys(tx);
    const row = await keyById(tx, id);
    if (row === undefined) throw new AppError('NOT_FOUND', 'There is no such API key. apiKeys lists them.', { path });
    const others = live.filter((other) => other.id !== row.id);
    const leavesOthersAlone = others.length > 0 && !others.some(({ scopes }) => scopes.includes('admin'));
    if (row.revokedAt === null && (leavesOthersAlone || (others.length === 0 && !this.#options.localOnly))) {
      const message = 'It is the last key that may make others. Make another admin key first.';
      throw new AppError('CONFLICT', message, { path });
    }
    return (await revokeKey(tx, row.id)) ?? row;
  }

  async #row(sha256: string): Promise<ApiKeyRow | undefined> {
    const known = this.#known.get(sha256);
    if (known !== undefined) return known;
    const row = await keyByHash(this.#options.db, sha256);
    if (row !== undefined) this.#known.set(sha256, row);
    return row;
  }

  async #changed(id: string): Promise<void> {
    this.#known.clear();
    const row = await keyById(this.#options.db, id);
    if (row?.revokedAt !== null && row !== undefined) this.#end(`key:${id}`);
    await this.#look();
  }

  async #look(): Promise<void> {
    const wantedBefore = this.#wantsKeys;
    this.#wantsKeys = !this.#options.localOnly || (await liveKeys(this.#options.db)).length > 0;
    if (this.#wantsKeys && !wantedBefore) this.#end(viewerId(OPEN));
  }

  #end(viewer: string): void {
    for (const ended of this.#ended) ended(viewer);
  }
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

function check(holds: boolean, field: string, what: string): void {
  if (!holds) throw new AppError('INVALID_INPUT', `${field} must be ${what}.`, { path: ['input', field] });
}
