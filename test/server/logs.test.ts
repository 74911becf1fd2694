/** What the program writes while it is asked in every way: JSON, with request ids, and nothing that opens a door. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/db.ts';
import { writeColours } from '../helpers/api.ts';
import { type TestDatabase, testDatabase } from '../helpers/database.ts';
import { Processes, ready } from '../helpers/process.ts';
import { answerOf, authorization, http, post, type Told, TRANSPORTS } from '../helpers/transports.ts';
import { waitFor } from '../helpers/wait-for.ts';

const processes = new Processes();
afterEach(() => processes.kill());

const SLOW = { timeout: 240_000 };
const MAKE = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }';
const newKey = () => `artgan_${randomBytes(32).toString('base64url')}`;

interface Line {
  readonly level: number;
  readonly time: string;
  readonly msg: string;
  readonly requestId?: string;
  readonly operation?: string;
  readonly [field: string]: unknown;
}

/** Those that are written to their end. */
const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);

/** A server whose stderr is kept for itself. */
function start(database: TestDatabase, settings: Record<string, string>) {
  const server = processes.start(database, settings);
  let log = '';
  server.child.stderr?.on('data', (chunk) => (log += chunk));
  return { ...server, log: () => log };
}

describe('the log', () => {
  it('tells each operation by its request id, and holds no keys, texts, variables or signatures', SLOW, async () => {
    await using database = await testDatabase();
    const folder = join(database.options.dataDir, 'collections', 'colours');
    await writeColours(folder, 2);
    const server = start(database, { LOG_LEVEL: 'trace' });
    const url = await ready(server);
    const importIt =
      'mutation Import($path: String!) { importDataset(input: { name: "Colours", path: $path }) { dataset { id } } }';
    await answerOf(http, { url }, { query: importIt, variables: { path: folder } });
    const made = await answerOf(
      http,
      { url },
      { query: MAKE, variables: { input: { name: 'admin', scopes: ['ADMIN'] } } },
    );
    const { key } = made.data.createApiKey;
    const secrets = [key, newKey(), newKey(), newKey(), newKey(), newKey()];
    const [, unknown = '', inText = '', inVariables = '', inPath = '', asIdempotencyKey = ''] = secrets;

    for (const transport of TRANSPORTS) {
      await answerOf(transport, { url, key }, { query: '{ viewer { scopes } }' });
      await answerOf(transport, { url, key: unknown }, { query: '{ viewer { scopes } }' }).catch(() => undefined);
      for (const query of [`{ style(slug: "${inText}") { name } }`, `{ ${inText} }`, `{ "${inText}`])
        await answerOf(transport, { url, key }, { query });
      const query =
        'query Style($slug: String!, $seed: Seed) { style(slug: $slug) { name } generate(seed: $seed) { id } }';
      await answerOf(transport, { url, key }, { query, variables: { slug: inVariables } });
      await answerOf(transport, { url, key }, { query, variables: { slug: inVariables, seed: inVariables } });
    }
    await fetch(`${url}/graphql`, { headers: { authorization: `Basic ${unknown}`, 'apollo-require-preflight': '1' } });
    await post({ url, key }, { query: MAKE, variables: { input: { name: inVariables, scopes: [] } } }, '*/*', {
      headers: { 'idempotency-key': asIdempotencyKey },
    });
    for (const path of [
      `/${inPath}`,
      `/images/${inPath}.png`,
      `/livez?key=${inPath}`,
      `/graphql?apiKey=${inPath}`,
      '/metrics',
    ])
      await fetch(`${url}${path}`, { headers: authorization(key) });
    const { data } = await answerOf(http, { url, key }, { query: '{ artworks(first: 1) { nodes { url } } }' });
    const picture = new URL(data.artworks.nodes[0].url);
    expect((await fetch(picture)).status).toBe(200);
    const signature = picture.searchParams.get('s') ?? '';
    picture.searchParams.set('s', `${signature}x`);
    expect((await fetch(picture)).status).toBe(401);

    const named = await post({ url, key }, { query: 'query Named { viewer { scopes } }' }, 'application/json');
    const requestId = named.headers.get('x-request-id');
    const told = await waitFor(() => server.log().includes(String(requestId)) && server.log());
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);

    const lines = linesOf(server.log());
    for (const { level, time, msg } of lines)
      expect([level, time, msg]).toEqual([
        expect.any(Number),
        expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        expect.any(String),
      ]);
    expect(lines.filter((line) => line.requestId === requestId)).toMatchObject([
      { msg: 'Operation', operation: 'Named', type: 'query', transport: 'http', code: 'OK', key: expect.any(String) },
    ]);
    const kinds = new Set(lines.map(({ transport }) => transport));
    expect([...kinds]).toEqual(expect.arrayContaining(['http', 'websocket', 'sse']));
    expect(lines.filter(({ code }) => code === 'UNAUTHENTICATED').length).toBeGreaterThan(0);
    for (const secret of [...secrets, signature, 'viewer { scopes }', '$slug']) {
      expect(told).not.toContain(secret);
      expect(server.output()).not.toContain(secret);
    }
  });

  it('tells a fault of the server by its request id, without what it was asked with', SLOW, async () => {
    await using database = await testDatabase();
    await breakArtworks(database);
    const server = start(database, { LOG_LEVEL: 'trace' });
    const url = await ready(server);
    const [inText, plain] = [newKey(), 'what only the visitor knows'];
    const query = 'query ($a: String!, $b: String!) { artworks(where: { title: $a, artist: $b }) { nodes { title } } }';
    const response = await post({ url }, { query, variables: { a: inText, b: plain } }, 'application/json');
    const { errors = [] } = (await response.json()) as Told;
    expect(errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }]);
    const requestId = response.headers.get('x-request-id');
    const told = () => linesOf(server.log()).filter((line) => line.requestId === requestId && line.level === 50);
    expect(await waitFor(() => told().length > 0 && told())).toMatchObject([
      { err: { message: expect.stringContaining('Failed query'), stack: expect.stringContaining('artworks') } },
    ]);
    for (const secret of [inText, plain]) expect(server.log()).not.toContain(secret);
  });
});

/** Whatever reads works fails from then on. */
async function breakArtworks({ options }: TestDatabase): Promise<void> {
  await using store = await openStore(options);
  await store.db.execute(sql`alter table artworks rename to gone`);
}
