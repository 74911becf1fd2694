/** Traces: they arrive at a collector where one is named, and without one nothing leaves this machine. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../helpers/api.ts';
import { testDatabase } from '../helpers/database.ts';
import { Processes, ready } from '../helpers/process.ts';
import { answerOf, http, post, webSocket } from '../helpers/transports.ts';

const SLOW = { timeout: 240_000 };
const processes = new Processes();
afterEach(() => processes.kill());

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly status: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}

/** An OTLP collector. */
let collector: Server;
let endpoint: string;
let received: { readonly path: string | undefined; readonly text: string }[];

beforeAll(async () => {
  collector = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ path: request.url, text: Buffer.concat(chunks).toString() });
    response.setHeader('content-type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterEach(() => {
  received = [];
});
afterAll(() => collector.close());

const spans = (): Span[] =>
  received.flatMap(({ text }) =>
    JSON.parse(text).resourceSpans.flatMap((one: { scopeSpans: { spans: Span[] }[] }) =>
      one.scopeSpans.flatMap(({ spans: all }) => all),
    ),
  );

const attribute = ({ attributes }: Span, name: string) =>
  Object.values(attributes.find(({ key }) => key === name)?.value ?? {})[0];

describe('traces', () => {
  it('tell each operation to the collector, by any transport, without its text and its variables', async () => {
    received = [];
    const secret = 'what only the visitor knows';
    let requestId: string | null;
    {
      await using api = await startTestApi({ OTEL_EXPORTER_OTLP_ENDPOINT: `${endpoint}/` });
      const query = 'query Named($slug: String!) { style(slug: $slug) { name } }';
      const response = await post(api, { query, variables: { slug: secret } }, 'application/json');
      requestId = response.headers.get('x-request-id');
      await answerOf(webSocket, api, { query: '{ viewer { scopes } }' });
      await answerOf(http, api, { query: 'mutation Cancel { cancelTraining(input: { run: "none" }) { run { id } } }' });
      await answerOf(http, api, { query: 'query Failing { generate(label: "none") { id } }' });
    }
    expect(new Set(received.map(({ path }) => path))).toEqual(new Set(['/v1/traces']));
    expect(received.map(({ text }) => text).join()).toContain('"stringValue":"artgan"');
    const all = spans();
    expect(all.map(({ name }) => name)).toEqual(['query Named', 'query', 'mutation Cancel', 'query Failing']);
    const [named, , cancel, failing] = all;
    if (named === undefined || cancel === undefined || failing === undefined) throw new Error('A span is missing');
    expect(attribute(named, 'artgan.request_id')).toBe(requestId);
    expect(attribute(named, 'graphql.operation.name')).toBe('Named');
    expect(attribute(cancel, 'graphql.operation.type')).toBe('mutation');
    expect(Number(attribute(cancel, 'artgan.cost'))).toBeGreaterThan(0);
    expect([named.status.code ?? 0, failing.status.code]).toEqual([0, 2]);
    for (const text of [secret, 'slug', 'none']) expect(received.map((one) => one.text).join()).not.toContain(text);
  });

  it('hold nobody up: neither operations nor the end of the server', SLOW, async () => {
    await using database = await testDatabase();
    const deaf = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    const { port } = deaf.address() as AddressInfo;
    const server = processes.start(database, { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
    const url = await ready(server);
    for (let i = 0; i < 20; i++)
      expect(await answerOf(http, { url }, { query: '{ viewer { scopes } }' })).toMatchObject({ data: {} });
    server.child.kill('SIGTERM');
    // One that cannot be stopped in time ends with 1.
    expect(await server.ended).toBe(0);
    deaf.closeAllConnections();
    deaf.close();
  });

  it('are the only thing that leaves the server, and nothing leaves it without them', SLOW, async () => {
    await using database = await testDatabase();
    const spy = join(database.options.dataDir, 'spy.mjs');
    // In the server and in its children: what is connected to, on stderr.
    await writeFile(
      spy,
      `import net from 'node:net';
      const { connect } = net.Socket.prototype;
      net.Socket.prototype.connect = function (...all) {
        const [first] = all.flat();
        process.stderr.write('CONNECTS ' + JSON.stringify([first?.host ?? null, first?.port ?? first]) + '\\n');
        return connect.apply(this, all);
      };`,
    );
    const connections = async (settings: Record<string, string>) => {
      const server = processes.start(database, { NODE_OPTIONS: `--import ${spy}`, STARTER: 'on', ...settings });
      const url = await ready(server);
      await answerOf(
        http,
        { url },
        { query: '{ generate(label: "Ukiyo-e", n: 1) { id url } datasets { nodes { slug } } }' },
      );
      await answerOf(webSocket, { url }, { query: '{ viewer { scopes } }' });
      server.child.kill('SIGTERM');
      await server.ended;
      const found = server.output().matchAll(/^CONNECTS \["?([^",]+)"?,"?(\d+)/gm);
      const own = new URL(database.options.databaseUrl ?? 'none://none').port;
      return [...found].map(([, host, port]) => `http://${host}:${port}`).filter((one) => new URL(one).port !== own);
    };
    expect(await connections({})).toEqual([]);
    const seen = await connections({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    expect(new Set(seen)).toEqual(new Set([endpoint]));
  });
});
