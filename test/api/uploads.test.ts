/** Uploads over the surface: announced, sent by a signed address or a key, refused with a status, and read back as pictures. */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flat, noisy, quarters } from '../datasets/fixtures.ts';
import { operation, startTestApi, type TestApi } from '../helpers/api.ts';
import { bytesOf, hash } from '../helpers/fetched.ts';
import { connectTo, exchange, request } from '../helpers/raw-http.ts';
import { answerOf, authorization, http, type Visitor } from '../helpers/transports.ts';
import { waitFor } from '../helpers/wait-for.ts';

const MAKE = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }';
const UPLOAD = `query ($id: ID!) { node(id: $id) { ... on Upload {
  status filename url maxBytes width height sha256 bytes createdAt expiresAt hasRecipe
} } }`;

let api: TestApi;
let open: Visitor;

beforeAll(async () => {
  api = await startTestApi();
  open = { url: api.url };
  await api.importColours(6);
  await api.train();
});

afterAll(() => api?.[Symbol.asyncDispose]());

async function announce(visitor: Visitor = open, variables: object = {}): Promise<{ id: string; url: string }> {
  const { data, errors } = await answerOf(http, visitor, {
    query: operation('create-upload'),
    variables: { ...variables },
  });
  if (errors !== undefined || data.createUpload.upload === null) throw new Error(JSON.stringify({ errors, data }));
  return data.createUpload.upload;
}

interface Put {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared, not computed with
  readonly json: any;
  readonly headers: Headers;
}

async function put(url: string, body: Uint8Array | ReadableStream, headers: Record<string, string> = {}): Promise<Put> {
  const response = await fetch(url, { method: 'PUT', body, headers, duplex: 'half' } as RequestInit);
  return { status: response.status, json: await response.json(), headers: response.headers };
}

async function upload(bytes: Uint8Array, visitor: Visitor = open): Promise<string> {
  const { id, url } = await announce(visitor);
  const { status, json } = await put(url, bytes);
  expect([status, json]).toMatchObject([200, { id, status: 'READY' }]);
  return id;
}

const unsigned = (url: string) => url.split('?', 1)[0] ?? '';
const told = (status: number, code: string) => [status, code];
const refusal = async (url: string, body: Uint8Array | ReadableStream, headers: Record<string, string> = {}) => {
  const { status, json } = await put(url, body, headers);
  expect(json.error?.message).toEqual(expect.any(String));
  return told(status, json.error.code);
};

describe('an upload', () => {
  it('is announced, sent, and there', async () => {
    const bytes = await quarters(64).jpeg().toBuffer();
    const made = await announce(open, { filename: '/tmp/../a.jpg', bytes: bytes.length });
    const { node: waiting } = await api.data(UPLOAD, { id: made.id });
    expect(waiting).toMatchObject({
      status: 'WAITING',
      filename: 'a.jpg',
      maxBytes: 20_000_000,
      width: null,
      sha256: null,
    });
    expect(waiting.url.replace(/s=.*/, '')).toBe(made.url.replace(/s=.*/, ''));
    const { status, json, headers } = await put(made.url, bytes, { 'content-type': 'text/html' });
    const { sha256 } = json;
    expect([status, json]).toEqual([200, { id: made.id, status: 'READY', width: 64, height: 64, sha256 }]);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(headers.get('cache-control')).toBe('no-store');
    const { node } = await api.data(UPLOAD, { id: made.id });
    expect(node).toMatchObject({
      status: 'READY',
      url: null,
      width: 64,
      height: 64,
      sha256,
      expiresAt: null,
      hasRecipe: false,
    });
    const { uploads } = await api.data('{ uploads(first: 1) { totalCount nodes { id sha256 } } }');
    expect(uploads.nodes).toEqual([{ id: made.id, sha256 }]);
    // The same again: nothing changes.
    expect((await put(made.url, bytes)).json).toEqual(json);
    expect(await refusal(made.url, await quarters(66).jpeg().toBuffer())).toEqual(told(409, 'CONFLICT'));
    const { deleteUpload } = await api.run('delete-upload', { id: made.id });
    expect(deleteUpload).toEqual({ id: made.id, userErrors: [] });
    expect((await api.data(UPLOAD, { id: made.id })).node).toBeNull();
    expect((await api.run('delete-upload', { id: made.id })).deleteUpload.userErrors).toMatchObject([
      { code: 'NOT_FOUND' },
    ]);
    expect(await refusal(made.url, bytes)).toEqual(told(410, 'EXPIRED'));
  });

  it('is made once for one Idempotency-Key', async () => {
    const key = randomUUID();
    const ask = async () => {
      const response = await fetch(`${api.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ query: operation('create-upload') }),
      });
      // biome-ignore lint/suspicious/noExplicitAny: answers are compared, not computed with
      return ((await response.json()) as any).data.createUpload.upload.id;
    };
    expect(await ask()).toBe(await ask());
  });

  it('is refused with a status that says why', async () => {
    const { url } = await announce(open, {});
    const png = await quarters(64).png().toBuffer();
    const form = { 'content-type': 'multipart/form-data; boundary=x' };
    expect(await refusal(url, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toEqual(
      told(415, 'UNSUPPORTED_PICTURE'),
    );
    expect(await refusal(url, gzipSync(png), { 'content-encoding': 'gzip' })).toEqual(told(415, 'UNSUPPORTED_PICTURE'));
    expect(await refusal(url, png, form)).toEqual(told(415, 'UNSUPPORTED_PICTURE'));
    expect(await refusal(url, png, { 'content-range': 'bytes 0-1/2' })).toEqual(told(400, 'INVALID_INPUT'));
    expect(await refusal(url, png.subarray(0, -30))).toEqual(told(422, 'BAD_PICTURE'));
    expect(await refusal(url, await flat(3, 3).png().toBuffer())).toEqual(told(422, 'BAD_PICTURE'));
    expect(await refusal(url, Buffer.alloc(0))).toEqual(told(422, 'BAD_PICTURE'));
    expect(await refusal(url, Buffer.alloc(20_000_001))).toEqual(told(413, 'TOO_LARGE'));
    expect(await refusal(url, Buffer.alloc(20_000_000))).toEqual(told(415, 'UNSUPPORTED_PICTURE'));
    const said = await announce(open, { bytes: 5, sha256: '0'.repeat(64) });
    expect(await refusal(said.url, png)).toEqual(told(400, 'INVALID_INPUT'));
    for (const path of ['nothing', '..%2f..%2fetc%2fpasswd', '%00', 'a'.repeat(5_000), '.', '%2e%2e'])
      expect((await put(`${api.url}/uploads/${path}`, png)).status, path).toBe(404);
    expect((await fetch(url)).status).toBe(405);
    expect((await put(url, png)).status).toBe(200);
  });

  it('is refused while it is announced, where that is known', async () => {
    const ask = async (variables: object) => {
      const { createUpload } = await api.run('create-upload', { ...variables });
      expect(createUpload.upload).toBeNull();
      return createUpload.userErrors[0].code;
    };
    expect(await ask({ bytes: 20_000_001 })).toBe('TOO_LARGE');
    expect(await ask({ bytes: 0 })).toBe('INVALID_INPUT');
    expect(await ask({ sha256: 'x' })).toBe('INVALID_INPUT');
  });

  it('ends with bodies that lie, do not end or break off, and none of them is left', async () => {
    const { url } = await announce();
    const { pathname, search } = new URL(url);
    const line = `PUT ${pathname}${search}`;
    const incoming = join(api.dataDir, 'uploads', 'incoming');
    // Longer than said: the rest is no request that could be read.
    const short = await exchange(url, request(line, { 'content-length': '4' }, Buffer.alloc(1_000)));
    expect([400, 415]).toContain(short.status);
    // Broken off when some of it has been written.
    const broken = connectTo(url);
    broken.write(request(line, { 'content-length': '20000000' }, Buffer.alloc(70_000)));
    await waitFor(async () => (await readdir(incoming)).length > 0);
    broken.destroy();
    await waitFor(async () => (await readdir(incoming)).length === 0);
    const said = await exchange(url, request(line, { 'content-length': '99999999999' }, 'x'), (text) =>
      text.includes('}'),
    );
    expect([said.status, said.text.includes('TOO_LARGE')]).toEqual([413, true]);
    const endless = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(65_536)) });
    const ended = await put(url, endless).catch((error: unknown) => error);
    if (ended instanceof Error) expect(ended.message).toMatch(/fetch failed|terminated/);
    else expect(ended).toMatchObject({ status: 413 });
    expect(await readdir(incoming)).toEqual([]);
    expect(api.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect((await put(url, await quarters(64).png().toBuffer())).status).toBe(200);
  });

  it('comes from trusted pages, and from no others', async () => {
    const { url } = await announce();
    const preflight = async (origin: string) => {
      const headers = {
        origin,
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'content-type',
      };
      const { headers: allowed } = await fetch(url, { method: 'OPTIONS', headers });
      return [allowed.get('access-control-allow-origin'), allowed.get('access-control-allow-methods')];
    };
    const page = 'http://localhost:5173';
    expect(await preflight(page)).toEqual([page, expect.stringContaining('PUT')]);
    expect(await preflight('https://evil.example')).toEqual([null, null]);
    const png = await quarters(64).png().toBuffer();
    expect(await refusal(url, png, { origin: 'https://evil.example' })).toEqual(told(403, 'FORBIDDEN'));
    const { status, headers } = await put(url, png, { origin: page });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([200, page]);
  });
});

describe('a picture that was downloaded and is dropped', () => {
  it('is the very same picture again, from each format, and small or large', async () => {
    const [picture] = (await api.run('generate', { label: 'warm', n: 1, seed: 5 })).generate;
    const own = await bytesOf(picture.url);
    expect(hash(own)).toBe(picture.sha256);
    const { node } = await api.data(
      `query ($id: ID!) { node(id: $id) { ... on GeneratedImage {
        webp: url(format: WEBP) jpeg: url(format: JPEG) avif: url(format: AVIF) large: url(width: 256)
      } } }`,
      { id: picture.id },
    );
    for (const url of [picture.url, ...Object.values<string>(node)]) {
      const id = await upload(await bytesOf(url));
      expect((await api.data(UPLOAD, { id })).node.hasRecipe).toBe(true);
      const { imageFromFile } = await api.run('image-from-file', { upload: id });
      expect(imageFromFile).toMatchObject({ id: picture.id, sha256: picture.sha256, seed: 5, url: picture.url });
    }
  });

  it('is told what is missing where it has no recipe, or is not here', async () => {
    const ask = async (id: string) => {
      const { errors } = await api.ask(operation('image-from-file'), { upload: id });
      return [errors[0]?.extensions.code, errors[0]?.extensions['path']];
    };
    expect(await ask(await upload(await quarters(64).png().toBuffer()))).toEqual(['NO_RECIPE', ['upload']]);
    expect(await ask((await announce()).id)).toEqual(['WRONG_STATE', ['upload']]);
    expect(await ask('nothing')).toEqual(['NOT_FOUND', ['upload']]);
  });
});

describe('on a server that wants keys, an upload', () => {
  it('is sent by its address without a key, or by the key of its owner or an admin', async () => {
    await using closed = await startTestApi();
    const make = async (by: Visitor, name: string, ...scopes: string[]): Promise<Visitor> => {
      const { data } = await answerOf(http, by, { query: MAKE, variables: { input: { name, scopes } } });
      return { url: closed.url, key: data.createApiKey.key };
    };
    const admin = await make({ url: closed.url }, 'admin', 'ADMIN');
    const [ann, bob, reader] = [
      await make(admin, 'ann', 'READ', 'GENERATE'),
      await make(admin, 'bob', 'READ', 'GENERATE'),
      await make(admin, 'reader', 'READ'),
    ];
    const png = await noisy(64, 64).png().toBuffer();
    const made = await announce(ann);
    const bare = unsigned(made.url);
    const damaged = made.url.replace(/s=(.)/, (_, first) => `s=${first === 'A' ? 'B' : 'A'}`);
    for (const url of [bare, damaged, made.url.replace(/e=\d+/, 'e=99999999999'), `${bare}?e=&s=`])
      expect(await refusal(url, png)).toEqual(told(401, 'UNAUTHENTICATED'));
    expect(await refusal(bare, png, authorization(reader.key))).toEqual(told(403, 'FORBIDDEN'));
    expect(await refusal(bare, png, authorization('artgan_nothing'))).toEqual(told(401, 'UNAUTHENTICATED'));
    expect(await refusal(bare, png, authorization(bob.key))).toEqual(told(404, 'NOT_FOUND'));
    const other = await announce(bob);
    expect(await refusal(`${bare}?${other.url.split('?')[1]}`, png)).toEqual(told(401, 'UNAUTHENTICATED'));
    expect((await put(bare, png, authorization(ann.key))).status).toBe(200);
    expect((await put(made.url, png)).status).toBe(200);
    expect((await put(unsigned(other.url), png, authorization(admin.key))).status).toBe(200);

    const node = async (visitor: Visitor, id: string) =>
      (await answerOf(http, visitor, { query: UPLOAD, variables: { id } })).data?.node?.status;
    expect([await node(ann, made.id), await node(admin, made.id)]).toEqual(['READY', 'READY']);
    expect([await node(bob, made.id), await node(reader, made.id)]).toEqual([undefined, undefined]);
    const count = async (visitor: Visitor) =>
      (await answerOf(http, visitor, { query: '{ uploads { totalCount } }' })).data?.uploads.totalCount;
    expect([await count(ann), await count(bob), await count(admin)]).toEqual([1, 1, 2]);
    const remove = async (visitor: Visitor, id: string) => {
      const asked = { query: operation('delete-upload'), variables: { id } };
      const { data, errors } = await answerOf(http, visitor, asked);
      return errors?.[0]?.extensions.code ?? data.deleteUpload.userErrors[0]?.code ?? 'deleted';
    };
    expect([await remove(bob, made.id), await remove(reader, made.id)]).toEqual(['NOT_FOUND', 'FORBIDDEN']);
    const asked = { query: operation('image-from-file'), variables: { upload: made.id } };
    expect((await answerOf(http, bob, asked)).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect(await remove(admin, made.id)).toBe('deleted');
  });
});
