/** The first start of a server that other machines can reach: it makes an administrator's key and shows it once. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../helpers/database.ts';
import { Processes, ready, type Server } from '../helpers/process.ts';
import { answerOf, http } from '../helpers/transports.ts';

const processes = new Processes();
afterEach(() => processes.kill());

/** Each start takes seconds, and more where the machine has other work. */
const SLOW = { timeout: 240_000 };
const KEYS = /artgan_[\w-]{43}/g;
const query = '{ viewer { scopes } apiKeys { nodes { name hint } } }';

/** With what it writes on stdout and on stderr, each for itself. */
function start(database: TestDatabase, settings: Record<string, string>) {
  const server: Server = processes.start(database, settings);
  const { stdout, stderr } = server.child;
  const written = { stdout: '', stderr: '' };
  stdout?.on('data', (chunk) => (written.stdout += chunk));
  stderr?.on('data', (chunk) => (written.stderr += chunk));
  return { ...server, written };
}

const keysIn = (text: string): string[] => text.match(KEYS) ?? [];

describe('a server that listens on every address', () => {
  it('shows its first key once, on stdout, and no start after that shows any', SLOW, async () => {
    await using database = await testDatabase();
    const everywhere = { HOST: '0.0.0.0', LOG_LEVEL: 'trace' };
    const first = start(database, everywhere);
    const url = await ready(first);
    const [key, ...more] = keysIn(first.written.stdout);
    expect(key).toBeDefined();
    expect(more).toEqual([]);
    expect(keysIn(first.written.stderr)).toEqual([]);
    expect(await answerOf(http, { url }, { query })).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
    const asAdmin = { data: { viewer: { scopes: ['READ', 'GENERATE', 'TRAIN', 'ADMIN'] } } };
    expect(await answerOf(http, { url, key }, { query })).toMatchObject(asAdmin);
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);

    const second = start(database, everywhere);
    const again = await ready(second);
    expect(keysIn(second.output())).toEqual([]);
    expect(await answerOf(http, { url: again, key }, { query })).toMatchObject(asAdmin);
    expect(await answerOf(http, { url: again }, { query })).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  it('shows it also where the start before came to nothing', SLOW, async () => {
    await using database = await testDatabase();
    const other = createServer().listen(0, '0.0.0.0');
    await once(other, 'listening');
    const address = other.address();
    const taken = typeof address === 'object' ? String(address?.port) : '';
    const failed = start(database, { HOST: '0.0.0.0', PORT: taken });
    expect(await failed.ended).toBe(1);
    other.close();
    const shown = keysIn(failed.written.stdout);

    const second = start(database, { HOST: '0.0.0.0' });
    const url = await ready(second);
    const key = [...shown, ...keysIn(second.written.stdout)].at(-1);
    expect(await answerOf(http, { url, key }, { query })).toMatchObject({ data: { viewer: {} } });
  });
});

describe('a server that this machine alone can reach', () => {
  it('wants no key and makes none', SLOW, async () => {
    await using database = await testDatabase();
    const server = start(database, {});
    const url = await ready(server);
    expect(keysIn(server.output())).toEqual([]);
    expect(await answerOf(http, { url }, { query })).toMatchObject({ data: { apiKeys: { nodes: [] } } });
  });
});
