/** Addresses of pictures and exported files on a server that wants keys: who may open them, and for how long. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Signatures } from '../../src/services/signatures.ts';
import { signingSecret } from '../../src/store/api-keys.ts';
import { operation, startTestApi, type TestApi } from '../helpers/api.ts';
import { answerOf, authorization, http, TRANSPORTS, type Visitor } from '../helpers/transports.ts';

const MAKE = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }';
const PICTURES = `{
  generate(label: "warm", n: 2, seed: 1) { id url small: url(width: 16) negotiatedUrl }
  artworks(first: 1) { nodes { url(format: WEBP) } }
  trainingRuns(first: 1) { nodes { samples(first: 1) { nodes { url } } model { id } } }
}`;

const MADE_OF = `query ($images: [ID!]!, $from: ID!, $to: ID!) {
  contactSheet(images: $images) { url(format: WEBP) }
  interpolate(from: $from, to: $to, frames: 2) { url }
}`;

let api: TestApi;
let admin: { readonly url: string; readonly key: string };
/** Signed, of every kind. */
let urls: string[];
/** Of these those that anybody could write. */
let recipes: string[];
let exported: string;
let now: Signatures;

beforeAll(async () => {
  api = await startTestApi({ PICTURE_URL_SECONDS: '60' });
  await api.importColours(4);
  await api.train();
  const key = await keyFor('ADMIN');
  admin = { url: api.url, key };
  const { data } = await answerOf(http, admin, { query: PICTURES });
  const [run] = data.trainingRuns.nodes;
  const [one, two] = data.generate;
  const ids = { images: [one.id], from: one.id, to: two.id };
  const made = (await answerOf(http, admin, { query: MADE_OF, variables: ids })).data;
  recipes = [one.url, one.negotiatedUrl, made.contactSheet.url, made.interpolate.url];
  urls = [...recipes, two.url, one.small, data.artworks.nodes[0].url, run.samples.nodes[0].url];
  const variables = { model: run.model.id, format: 'ARTGAN' };
  const asked = await answerOf(http, admin, { query: operation('export-model'), variables });
  exported = asked.data.exportModel.export.url;
  now = new Signatures(await signingSecret(api.app.store.db), 60);
});

afterAll(() => api?.[Symbol.asyncDispose]());

async function keyFor(scope: string): Promise<string> {
  const visitor = { url: api.url, key: admin?.key };
  const variables = { input: { name: scope, scopes: [scope] } };
  return (await answerOf(http, visitor, { query: MAKE, variables })).data.createApiKey.key;
}

const statusOf = async (url: string, headers: Record<string, string> = {}, method = 'GET') => {
  const response = await fetch(url, { headers, method });
  await response.body?.cancel();
  return response.status;
};

/** The address with another query. */
function changed(url: string, change: (query: URLSearchParams) => void): string {
  const other = new URL(url);
  change(other.searchParams);
  return other.href;
}

const unsigned = (url: string) =>
  changed(url, (query) => {
    query.delete('e');
    query.delete('s');
  });

function signedAt(url: string, at: number): string {
  const { pathname, search } = new URL(unsigned(url));
  const { expires, mark } = now.sign(`${pathname}${search}`, at);
  return changed(url, (query) => {
    query.set('e', String(expires));
    query.set('s', mark);
  });
}

/** Another text of the same form. */
const damaged = (mark: string) => `${mark.startsWith('A') ? 'B' : 'A'}${mark.slice(1)}`;

describe('the address of a picture', () => {
  it('opens without a key as it was given out, by any transport, for an hour or two', async () => {
    for (const transport of TRANSPORTS) {
      const { data } = await answerOf(transport, admin, { query: PICTURES });
      expect(unsigned(data.generate[0].url)).toBe(unsigned(urls[0] ?? ''));
      expect(await statusOf(data.generate[0].url)).toBe(200);
    }
    for (const url of urls) {
      expect(await statusOf(url)).toBe(200);
      expect(await statusOf(url, {}, 'HEAD')).toBe(200);
      const seconds = Number(new URL(url).searchParams.get('e')) - Date.now() / 1000;
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(60 + 3_600);
    }
  });

  it('does not open once its time is up', async () => {
    for (const url of urls) {
      expect(await statusOf(signedAt(url, Date.now()))).toBe(200);
      expect(await statusOf(signedAt(url, Date.now() - 2 * 3_600_000))).toBe(401);
    }
  });

  it('does not open by another time, another signature, none, or that of another picture', async () => {
    for (const [i, url] of urls.entries()) {
      const other = new URL(urls[(i + 1) % urls.length] ?? '').searchParams;
      const wrong = [
        unsigned(url),
        changed(url, (query) => query.set('e', String(Number(query.get('e')) + 3_600))),
        changed(url, (query) => query.set('e', 'Infinity')),
        changed(url, (query) => query.set('s', damaged(query.get('s') ?? ''))),
        changed(url, (query) => query.set('s', '')),
        changed(url, (query) => query.delete('e')),
        changed(url, (query) => query.append('s', query.get('s') ?? '')),
        changed(url, (query) => query.set('w', '32')),
        changed(url, (query) => query.set('s', other.get('s') ?? '')),
        url.replace(/(\.(png|webp))?\?/, '.avif?'),
      ];
      for (const address of wrong) expect([address, await statusOf(address)]).toEqual([address, 401]);
      // What the client has already is no way in either.
      expect(await statusOf(unsigned(url), { 'if-none-match': '*' })).toBe(401);
    }
  });

  it('opens by a key that may read, or may have pictures painted where it is one', async () => {
    const work = urls.find((url) => url.includes('/artworks/')) ?? '';
    const read = authorization(await keyFor('READ'));
    const generate = authorization(await keyFor('GENERATE'));
    expect(await statusOf(unsigned(work), read)).toBe(200);
    expect(await statusOf(unsigned(work), generate)).toBe(403);
    for (const url of recipes) {
      expect([url, await statusOf(unsigned(url), generate)]).toEqual([url, 200]);
      // Its address is a recipe, which anybody can write.
      expect([url, await statusOf(unsigned(url), read)]).toEqual([url, 403]);
      expect([url, await statusOf(unsigned(url), authorization('artgan_nothing'))]).toEqual([url, 401]);
      // A signature is enough, whatever else comes with it.
      expect([url, await statusOf(url, authorization('artgan_nothing'))]).toEqual([url, 200]);
    }
  });

  it('is given out to nobody who may not have pictures painted', async () => {
    const reader = { url: api.url, key: await keyFor('READ') };
    const { data } = await answerOf(http, admin, { query: PICTURES });
    const [one, two] = data.generate;
    const ids = { images: [one.id], from: one.id, to: two.id };
    const { errors } = await answerOf(http, reader, { query: MADE_OF, variables: ids });
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    const animation = await answerOf(http, admin, {
      query: 'query ($from: ID!, $to: ID!) { interpolate(from: $from, to: $to) { id } }',
      variables: { from: one.id, to: two.id },
    });
    const variables = { id: animation.data.interpolate.id };
    const query = 'query ($id: ID!) { node(id: $id) { ... on Animation { url } } }';
    expect((await answerOf(http, reader, { query, variables })).data).toEqual({ node: null });
    expect((await answerOf(http, admin, { query, variables })).data.node.url).toMatch(/[?&]s=/);
  });

  it('is not kept for others by what lies between: their time would never be up', async () => {
    for (const url of [...urls, exported]) {
      const { headers, body } = await fetch(url);
      await body?.cancel();
      expect(headers.get('cache-control')).toMatch(/\bprivate\b/);
      expect(headers.get('cache-control')).not.toMatch(/\bpublic\b/);
    }
  });
});

describe('the address of an exported file', () => {
  it('opens without a key, and so do the files beside it', async () => {
    expect(exported).toMatch(/\/exports\/[\w-]+\/artgan\/\d+\.[\w-]+\/model\.json$/);
    expect(await statusOf(exported)).toBe(200);
    expect(await statusOf(new URL('generator.safetensors', exported).href)).toBe(200);
    expect(await statusOf(new URL('other.txt', exported).href)).toBe(404);
  });

  it('does not open by another signature, or none, or an old one', async () => {
    const [, folder = '', expires = '', mark = ''] = /^(.*)\/(\d+)\.([\w-]+)\/model\.json$/.exec(exported) ?? [];
    const old = now.sign(new URL(folder).pathname, Date.now() - 2 * 3_600_000);
    for (const wrong of [
      `${folder}/model.json`,
      `${folder}/${expires}.${damaged(mark)}/model.json`,
      `${folder}/${Number(expires) + 3_600}.${mark}/model.json`,
      `${folder}/${old.expires}.${old.mark}/model.json`,
      `${folder.replace('artgan', 'tfjs')}/${expires}.${mark}/model.json`,
    ])
      expect([wrong, await statusOf(wrong)]).toEqual([wrong, 401]);
    expect(await statusOf(`${folder}/model.json`, authorization(admin.key))).toBe(200);
  });
});

describe('PUBLIC_PICTURES', () => {
  it('on: pictures open by their address also where everything else wants a key', async () => {
    await using other = await startTestApi({ PUBLIC_PICTURES: 'on' });
    await other.importColours(2);
    const { key } = (await other.data(MAKE, { input: { name: 'admin', scopes: ['ADMIN'] } })).createApiKey;
    const url = await workOf({ url: other.url, key });
    expect([url, await statusOf(url)]).toEqual([unsigned(url), 200]);
  });

  it('off: addresses are signed also where no key is wanted', async () => {
    await using other = await startTestApi({ PUBLIC_PICTURES: 'off' });
    await other.importColours(2);
    const url = await workOf(other);
    expect(new URL(url).searchParams.get('s')).toMatch(/^[\w-]+$/);
    expect(await statusOf(url)).toBe(200);
  });

  const workOf = async (visitor: Visitor): Promise<string> => {
    const { data } = await answerOf(http, visitor, { query: '{ artworks(first: 1) { nodes { url } } }' });
    return data.artworks.nodes[0].url;
  };
});
