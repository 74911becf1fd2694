/** Uploads from their announcement to their end: what is sent, what is stored, whose it is, and what is left behind. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPEN, type Viewer } from '../../src/core/access.ts';
import { encodeGlobalId } from '../../src/core/global-id.ts';
import { modelCard } from '../../src/core/model-card.ts';
import { xmpOf } from '../../src/core/picture-metadata.ts';
import { encodeRecipe, type Recipe } from '../../src/core/recipe.ts';
import { UploadService } from '../../src/services/uploads.ts';
import { Blobs } from '../../src/store/blobs.ts';
import type { Store } from '../../src/store/db.ts';
import { countRows } from '../../src/store/page.ts';
import { type UploadRow, uploads } from '../../src/store/upload-tables.ts';
import { flat, noisy, quarters } from '../datasets/fixtures.ts';
import { openTestStore } from '../helpers/database.ts';
import { recordingLog } from '../helpers/recording-log.ts';
import { cardOf, newModel } from '../store/rows.ts';

const HOUR_MS = 3_600_000;
const key = (id: string, ...scopes: ('generate' | 'admin')[]): Viewer => ({
  kind: 'key',
  id,
  name: id,
  scopes,
  budget: null,
});
const ann = key('ann', 'generate');
const bob = key('bob', 'generate');
const admin = key('root', 'admin');

let store: Store & { readonly dataDir: string };
let service: UploadService;

function serviceWith(mostBytes: number): UploadService {
  const models = { cardOf: ({ card }: { readonly card: unknown }) => modelCard.parse(card) };
  const folder = join(store.dataDir, 'uploads');
  return new UploadService({
    ...{ db: store.db, models, log: recordingLog(), secret: randomBytes(32), mostBytes },
    blobs: new Blobs(folder),
    incoming: join(folder, 'incoming'),
  });
}

beforeAll(async () => {
  store = await openTestStore();
  service = serviceWith(2 ** 30);
});
afterAll(() => store[Symbol.asyncDispose]());

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function* inParts(bytes: Uint8Array, size = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const send = (
  id: string,
  bytes: Uint8Array,
  viewer: Viewer | undefined = undefined,
  to = service,
): Promise<UploadRow> =>
  to.receive(id, { viewer, body: inParts(bytes), length: bytes.length, signal: new AbortController().signal });

async function uploaded(bytes: Uint8Array, viewer = ann): Promise<UploadRow> {
  const { id } = await service.create({}, viewer);
  return send(id, bytes);
}

/** Below the folder of uploads. */
async function files(): Promise<string[]> {
  const entries = await readdir(join(store.dataDir, 'uploads'), { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

describe('an upload', () => {
  it('waits for its file, takes it, and then is what is stored of it', async () => {
    const bytes = await quarters(64).jpeg().toBuffer();
    const made = await service.create(
      { filename: 'a.jpg', bytes: bytes.length, sha256: sha256(bytes).toUpperCase() },
      ann,
    );
    expect(made).toMatchObject({ status: 'WAITING', filename: 'a.jpg', sha256: null, owner: 'key:ann' });
    expect(made.expiresAt?.getTime()).toBeGreaterThan(Date.now() + HOUR_MS - 60_000);
    const waiting = { code: 'WRONG_STATE', path: ['upload'] };
    await expect(service.picture(made.id, ann)).rejects.toMatchObject(waiting);
    const row = await send(made.id, bytes);
    expect(row).toMatchObject({ status: 'READY', width: 64, height: 64, expiresAt: null, recipe: null });
    const { png, ...picture } = await service.picture(encodeGlobalId('Upload', made.id), ann);
    expect(picture).toEqual({ sha256: sha256(png), width: 64, height: 64 });
    expect(row).toMatchObject({ sha256: sha256(png), bytes: png.length, sentSha256: sha256(bytes) });
    expect(await service.squareOf(sha256(png), 32)).toHaveLength(32 * 32 * 3);
  });

  it('takes the same file again, also at once, and no other', async () => {
    const bytes = await noisy(64, 64).png().toBuffer();
    const { id } = await service.create({}, ann);
    const [first, ...others] = await Promise.all([send(id, bytes), send(id, bytes), send(id, bytes, ann)]);
    for (const other of [...others, await send(id, bytes)]) expect(other).toEqual(first);
    const conflict = { code: 'CONFLICT' };
    await expect(send(id, await noisy(65, 65).png().toBuffer())).rejects.toMatchObject(conflict);
    await expect(send(id, Buffer.from('no picture'))).rejects.toMatchObject(conflict);
    // Of two that come at once one is first.
    const twice = await service.create({}, ann);
    const both = [await noisy(30, 30).png().toBuffer(), await noisy(31, 31).png().toBuffer()];
    const told = await Promise.allSettled(both.map((one) => send(twice.id, one)));
    expect(told.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(told.find(({ status }) => status === 'rejected')).toMatchObject({ reason: conflict });
    expect((await files()).filter((name) => !name.endsWith('.png'))).toEqual([]);
  });

  it('waits on where what came was refused', async () => {
    const bytes = await quarters(64).png().toBuffer();
    const { id } = await service.create({ bytes: bytes.length, sha256: sha256(bytes) }, ann);
    const wrong = Buffer.from(bytes);
    wrong[40] = 0;
    await expect(send(id, bytes.subarray(1))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(send(id, wrong)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const any = await service.create({}, ann);
    await expect(send(any.id, Buffer.from('%PDF-1.7'))).rejects.toMatchObject({ code: 'UNSUPPORTED_PICTURE' });
    await expect(send(any.id, wrong)).rejects.toMatchObject({ code: 'BAD_PICTURE' });
    await expect(send(any.id, Buffer.alloc(0))).rejects.toMatchObject({ code: 'BAD_PICTURE' });
    await expect(send(any.id, Buffer.alloc(20_000_001))).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect((await send(id, bytes)).status).toBe('READY');
    expect((await send(any.id, bytes)).status).toBe('READY');
  });

  it('counts what comes, whatever is said of it, and leaves nothing of it behind', async () => {
    const { id } = await service.create({}, ann);
    const before = await files();
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        sent += 65_536;
        yield Buffer.alloc(65_536, 1);
      }
    }
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(1_000);
      throw new Error('The client has left');
    }
    const signal = new AbortController().signal;
    const receive = (body: AsyncGenerator<Uint8Array>) => service.receive(id, { viewer: ann, body, length: 5, signal });
    await expect(receive(endless())).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(sent).toBeLessThan(20_200_000);
    await expect(receive(broken())).rejects.toThrow('The client has left');
    await expect(
      service.receive(id, { viewer: ann, body: inParts(Buffer.of(1)), length: 20_000_001, signal }),
    ).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(await files()).toEqual(before);
  });

  it('is its owner’s and an admin’s; for all others it is not there', async () => {
    const bytes = await quarters(64).png().toBuffer();
    const { id } = await uploaded(bytes);
    const waiting = await service.create({}, ann);
    const hidden = { code: 'NOT_FOUND' };
    for (const other of [bob, OPEN, { kind: 'nobody' } as const].filter(({ kind }) => kind !== 'open')) {
      expect(await service.find(id, other)).toBeUndefined();
      await expect(service.picture(id, other)).rejects.toMatchObject(hidden);
      await expect(service.recipe(id, other)).rejects.toMatchObject(hidden);
      await expect(service.remove(id, other)).rejects.toMatchObject(hidden);
      for (const one of [id, waiting.id, 'nothing'])
        await expect(send(one, bytes, other)).rejects.toMatchObject({ ...hidden, path: [] });
    }
    expect((await service.find(id, admin))?.id).toBe(id);
    expect((await send(waiting.id, bytes, admin)).owner).toBe('key:ann');
    const mine = await countRows(store.db, service.listFor(bob));
    await service.create({}, bob);
    expect(await countRows(store.db, service.listFor(bob))).toBe(mine + 1);
    expect(await countRows(store.db, service.listFor(admin))).toBeGreaterThan(mine + 1);
  });

  it('has an address that opens for an hour or two, and for it alone', async () => {
    const [one, other] = [await service.create({}, ann), await service.create({}, ann)];
    const url = new URL(service.addressOf(one), 'http://localhost');
    const signature = { expires: Number(url.searchParams.get('e')), mark: url.searchParams.get('s') ?? '' };
    expect(url.pathname).toBe(`/uploads/${one.id}`);
    expect(service.isSigned(one.id, signature)).toBe(true);
    expect(service.isSigned(other.id, signature)).toBe(false);
    expect(service.isSigned(one.id, { ...signature, expires: signature.expires + 3_600 })).toBe(false);
    expect(service.isSigned(one.id, { ...signature, mark: '' })).toBe(false);
    const seconds = signature.expires - Date.now() / 1_000;
    expect(seconds).toBeGreaterThan(3_500);
    expect(seconds).toBeLessThan(2 * 3_600 + 1);
  });

  it('takes names as names: no paths, no control characters, no lengths', async () => {
    const nameOf = async (filename: string) =>
      (await service.create({ filename }, key(randomUUID(), 'generate'))).filename;
    expect(await nameOf('../../etc/passwd')).toBe('passwd');
    expect(await nameOf('C:\\Windows\\win.ini')).toBe('win.ini');
    expect(await nameOf('a\u0000b\r\nc\u001b[31m.png')).toBe('a b c [31m.png');
    expect(await nameOf('../')).toBeNull();
    expect(await nameOf('')).toBeNull();
    expect(await nameOf('🎨'.repeat(500))).toBe('🎨'.repeat(200));
    expect(await nameOf('\ud800.png')).toBe('\ufffd.png');
  });

  it('is not announced with what no file has', async () => {
    const invalid = (path: string) => ({ code: 'INVALID_INPUT', path: ['input', path] });
    for (const bytes of [0, -1, 0.5])
      await expect(service.create({ bytes }, ann)).rejects.toMatchObject(invalid('bytes'));
    for (const hash of ['', 'abc', 'g'.repeat(64)])
      await expect(service.create({ sha256: hash }, ann)).rejects.toMatchObject(invalid('sha256'));
    await expect(service.create({ bytes: 20_000_001 }, ann)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });
});

describe('what is kept of uploads', () => {
  it('is one file for the same picture, until nobody names it', async () => {
    const bytes = await noisy(80, 80).png().toBuffer();
    const [one, two] = [await uploaded(bytes), await uploaded(bytes, bob)];
    expect(one.sha256).toBe(two.sha256);
    expect((await files()).filter((name) => name === `${one.sha256}.png`)).toHaveLength(1);
    await service.remove(encodeGlobalId('Upload', one.id), ann);
    expect((await service.picture(two.id, bob)).sha256).toBe(two.sha256);
    await service.remove(two.id, bob);
    expect(await files()).not.toContain(`${one.sha256}.png`);
    await expect(service.picture(two.id, bob)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(service.squareOf(two.sha256 ?? '', 32)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(send(two.id, bytes)).rejects.toMatchObject({ code: 'EXPIRED' });
  });

  it('is there as long as a row names it, however the same picture comes and goes', async () => {
    const bytes = await noisy(81, 81).png().toBuffer();
    for (let round = 0; round < 8; round++) {
      const old = await uploaded(bytes);
      const [fresh] = await Promise.all([uploaded(bytes, bob), service.remove(old.id, ann)]);
      expect((await service.picture(fresh.id, bob)).sha256).toBe(old.sha256);
      await service.remove(fresh.id, bob);
    }
  });

  it('has a limit for all together', async () => {
    const room = serviceWith(1_000_000);
    await store.db.delete(uploads);
    const bytes = await noisy(350, 350).png().toBuffer();
    const made: UploadRow[] = [];
    for (let i = 0; i < 4; i++) made.push(await room.create({}, ann));
    for (const { id } of made.slice(0, 2)) await send(id, bytes, ann, room);
    const full = { code: 'DISK_FULL', message: expect.stringContaining('UPLOADS_LIMIT_MB') };
    const another = await noisy(351, 351).png().toBuffer();
    await expect(send(made[2]?.id ?? '', another, ann, room)).rejects.toMatchObject(full);
    expect((await files()).filter((name) => name === `${sha256(another)}.png`)).toEqual([]);
    expect((await send(made[2]?.id ?? '', await flat(64, 64).png().toBuffer(), ann, room)).status).toBe('READY');
    await room.remove(made[0]?.id ?? '', ann);
    await send(made[3]?.id ?? '', another, ann, room);
    await expect(serviceWith(700_000).create({}, ann)).rejects.toMatchObject(full);
  });

  it('forgets what was announced and not sent in time, and tells those who come late', async () => {
    const bytes = await quarters(64).png().toBuffer();
    const late = await service.create({}, ann);
    const sent = await uploaded(bytes);
    await store.db
      .update(uploads)
      .set({ expiresAt: new Date(Date.now() - 1) })
      .where(eq(uploads.id, late.id));
    expect(await service.find(late.id, ann)).toBeUndefined();
    await expect(send(late.id, bytes)).rejects.toMatchObject({ code: 'EXPIRED' });
    await expect(send(late.id, bytes, ann)).rejects.toMatchObject({ code: 'EXPIRED' });
    await expect(send(late.id, bytes, bob)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await service.sweep();
    await expect(send(late.id, bytes)).rejects.toMatchObject({ code: 'EXPIRED' });
    await expect(send(late.id, bytes, ann)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await service.find(sent.id, ann))?.status).toBe('READY');
  });

  it('is swept at a start where a server was killed: half a file, a file without a row', async () => {
    const { sha256: named = '' } = await uploaded(await noisy(90, 90).png().toBuffer());
    const { sha256: lost = '', id } = await uploaded(await noisy(91, 91).png().toBuffer());
    const { sha256: recent = '', id: other } = await uploaded(await noisy(92, 92).png().toBuffer());
    await store.db.delete(uploads).where(eq(uploads.id, id));
    await store.db.delete(uploads).where(eq(uploads.id, other));
    const folder = join(store.dataDir, 'uploads');
    const old = new Date(Date.now() - HOUR_MS);
    for (const name of [named, lost]) await utimes(join(folder, name?.slice(0, 2) ?? '', `${name}.png`), old, old);
    for (const name of ['half', 'fresh']) await writeFile(join(folder, 'incoming', name), 'x');
    const draft = join(folder, named?.slice(0, 2) ?? '', '.draft');
    await writeFile(draft, 'x');
    await utimes(draft, old, old);
    await utimes(join(folder, 'incoming', 'half'), old, old);
    await using again = serviceWith(2 ** 30);
    await again.start();
    const left = await files();
    expect(left).toContain(`${named}.png`);
    expect(left).not.toContain(`${lost}.png`);
    expect(left).not.toContain('half');
    expect(left).not.toContain('.draft');
    // These may belong to somebody who is at work.
    expect(left).toContain(`${recent}.png`);
    expect(left).toContain('fresh');
  });

  it('is a hundred announcements of one viewer at most', async () => {
    const many = key(randomUUID(), 'generate');
    for (let i = 0; i < 100; i++) await service.create({}, many);
    await expect(service.create({}, many)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    await service.create({}, ann);
  });
});

describe('the recipe of an uploaded file', () => {
  const weights = sha256(Buffer.from('weights'));
  const warm = [{ slug: 'warm', name: 'Warm', count: 1 }];
  const recipe = (given: Partial<Recipe> = {}): Recipe => ({
    version: 2,
    modelId: 'elsewhere',
    mix: [{ weight: 1, conditions: { style: 'warm' } }],
    source: { kind: 'latent', latent: [{ weight: 1, seed: 7 }], truncation: 1 },
    ...given,
  });
  const withRecipe = async (one: Recipe, hash = weights) =>
    uploaded(await quarters(64).withXmp(xmpOf(one, hash)).png().toBuffer());

  it('is that of the model with these weights that knows its labels, the oldest of them', async () => {
    const { id } = await withRecipe(recipe());
    const missing = { code: 'UNKNOWN_MODEL', message: expect.stringContaining(weights) };
    await expect(service.recipe(id, ann)).rejects.toMatchObject(missing);
    await newModel(store.db, { sha256: weights, createdAt: new Date(2020, 0) });
    await expect(service.recipe(id, ann)).rejects.toMatchObject({
      code: 'NO_RECIPE',
      message: expect.stringContaining('model'),
    });
    const card = cardOf({ artist: [], style: warm, genre: [] });
    const model = await newModel(store.db, { sha256: weights, card, createdAt: new Date(2021, 0) });
    await newModel(store.db, { sha256: weights, card, createdAt: new Date(2022, 0) });
    expect(await service.recipe(id, ann)).toEqual(recipe({ modelId: model.id }));
    expect(encodeRecipe(await service.recipe(id, ann))).toBe(encodeRecipe(recipe({ modelId: model.id })));
  });

  it('is missing where the file has none, or one of a newer version, or of an upload that is not here', async () => {
    const plain = await uploaded(await quarters(64).png().toBuffer());
    await expect(service.recipe(plain.id, ann)).rejects.toMatchObject({ code: 'NO_RECIPE', path: ['upload'] });
    const newer = xmpOf(recipe(), weights).replace("artgan:recipe='[2,", "artgan:recipe='[3,");
    const later = await uploaded(await quarters(64).withXmp(newer).webp().toBuffer());
    await expect(service.recipe(later.id, ann)).rejects.toMatchObject({
      code: 'NO_RECIPE',
      message: expect.stringContaining('version 3'),
    });
    const card = { ...cardOf({ artist: [], style: warm, genre: [] }), discriminator: { sha256: '1'.repeat(64) } };
    const painter = sha256(Buffer.from('painter'));
    const model = await newModel(store.db, { sha256: painter, card });
    const original = await uploaded(await noisy(70, 70).png().toBuffer());
    const repainted = recipe({ source: { kind: 'upload', sha256: original.sha256 ?? '' } });
    const { id } = await withRecipe(repainted, painter);
    expect(await service.recipe(id, ann)).toEqual({ ...repainted, modelId: model.id });
    await service.remove(original.id, ann);
    await expect(service.recipe(id, ann)).rejects.toMatchObject({
      code: 'NO_RECIPE',
      message: expect.stringContaining(original.sha256 ?? ''),
    });
  });
});
